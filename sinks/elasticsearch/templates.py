"""Installs index templates in Elasticsearch, from which it makes the data streams when their first document comes.

https://www.elastic.co/docs/manage-data/data-store/data-streams
"""

from typing import Any

from elasticsearch import BadRequestError, Elasticsearch

from sinks.elasticsearch.connection import client
from sinks.elasticsearch.mappings import Mapping, attempts, mappings
from sinks.elasticsearch.retention import ATTEMPTS, RetentionSettings
from topics.fields import TYPES
from topics.records.stats import DATASET

_ECS, _ATTEMPTS = "ogrewatch-ecs", "ogrewatch-auth"
_PRIORITY = 300  # Elastic's own templates for logs-*-* and metrics-*-* have 100, those of its integrations 200
_SETTINGS: Mapping = {
    "index": {
        "auto_expand_replicas": "0-1",
        # The sink asks for a refresh when it has caught up. Refreshing each second would make many small segments.
        "refresh_interval": "5s",
        # A third less disk, for no processor time that could be measured (docs/retention.md).
        "codec": "best_compression",
        # A value that is not of its field's type is stored but not indexed; the rest of the event is searchable.
        "mapping.ignore_malformed": True,
        "mapping.total_fields": {"limit": 2000, "ignore_dynamic_beyond_limit": True},
    }
}


def stream_name(kind: str, namespace: str) -> str:
    """The name of the data stream of one type of event."""
    return f"logs-ogrewatch.{kind}-{namespace}"


def attempts_name(namespace: str) -> str:
    """The name of the data stream of closed minutes."""
    return f"metrics-{DATASET}-{namespace}"


def all_names(namespace: str) -> str:
    """A pattern of all data streams of a namespace."""
    return f"{stream_name('*', namespace)},{attempts_name(namespace)}"


def install(url: str) -> None:
    """Install the templates, and replace older ones. Blocks; raises what the client raises.

    They apply to every namespace. A stream that exists uses them when it rolls over, except for how long it keeps its
    documents: that, `ogrewatch retention` changes. `url` may name several nodes, comma separated.
    """
    retention = RetentionSettings()
    components: dict[str, Mapping] = {
        _ECS: {"settings": _SETTINGS, "mappings": mappings()},
        _ATTEMPTS: {"mappings": attempts()},
    }
    templates = {
        "ogrewatch-logs": (stream_name("*", "*"), [_ECS], "", _PRIORITY),
        **{f"ogrewatch-logs-{kind}": (stream_name(kind, "*"), [_ECS], kind, _PRIORITY + 1) for kind in TYPES},
        _ATTEMPTS: (attempts_name("*"), [_ECS, _ATTEMPTS], ATTEMPTS, _PRIORITY),
    }
    with client(url) as made:
        for name, template in components.items():
            made.cluster.put_component_template(name=name, template=template)
        for name, (pattern, parts, kind, priority) in templates.items():
            template = {"lifecycle": retention.lifecycle(kind)} if kind else {}
            _put(made, template, name=name, index_patterns=[pattern], composed_of=parts, priority=priority)


def _put(made: Elasticsearch, template: Mapping, **about: Any) -> None:
    """Install a template for data streams; without a life cycle on servers that know none (before 8.11)."""
    try:
        made.indices.put_index_template(**about, data_stream={}, template=template)
    except BadRequestError as error:
        if "lifecycle" not in str(error.body):
            raise
        made.indices.put_index_template(**about, data_stream={})
