"""Nothing in, index templates in Elasticsearch out: they make the data streams when the first document comes.

https://www.elastic.co/docs/manage-data/data-store/data-streams
"""

from elasticsearch import Elasticsearch

from sinks.elasticsearch.mappings import Mapping, mappings

_COMPONENT = "ogrewatch-ecs"
_TEMPLATE = "ogrewatch-logs"
_PRIORITY = 300  # Elastic's own template for logs-*-* has 100, those of its integrations 200
_SETTINGS: Mapping = {"index": {"mapping.total_fields.limit": 1000, "auto_expand_replicas": "0-1"}}


def stream_name(kind: str, namespace: str) -> str:
    """The data stream of one type of event."""
    return f"logs-ogrewatch.{kind}-{namespace}"


def install(url: str, namespace: str) -> None:
    """Put the templates in place, replacing older ones. Blocks; raises what the client raises.

    They serve every namespace; a stream that exists takes them up when it rolls over. `url` may name several nodes,
    comma separated.
    """
    with Elasticsearch([node.strip() for node in url.split(",")]) as client:
        client.cluster.put_component_template(name=_COMPONENT, template={"settings": _SETTINGS, "mappings": mappings()})
        client.indices.put_index_template(
            name=_TEMPLATE,
            index_patterns=[stream_name("*", "*")],
            composed_of=[_COMPONENT],
            data_stream={},
            priority=_PRIORITY,
        )
