"""Answers what log shippers ask Elasticsearch before they send: name and version, health, templates and policies.

https://www.elastic.co/docs/api/doc/elasticsearch/
"""

from typing import Any

from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ok

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
"""Official clients refuse servers that do not send it."""

_NAME = "ogrewatch"
_UUID = "ogrewatch-ingest-http"
_LICENSE = {"status": "active", "uid": _UUID, "type": "basic", "mode": "basic"}


async def root(request: Request) -> Answer:
    """Name and version; the version is a setting because shippers refuse servers older than themselves."""
    version = {
        "number": request.context.settings.elasticsearch_version,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "unknown",
        "build_date": "2025-01-01T00:00:00Z",
        "build_snapshot": False,
        "lucene_version": "9.12.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    }
    return _ok(
        {
            "name": _NAME,
            "cluster_name": _NAME,
            "cluster_uuid": _UUID,
            "version": version,
            "tagline": "You Know, for Search",
        }
    )


async def probe(request: Request) -> Answer:
    """License, features, health, nodes. Health raises `KafkaNotAnswering`."""
    match request.http.path:
        case "/_license":
            return _ok({"license": _LICENSE})
        case "/_xpack":
            features = {name: {"available": True, "enabled": False} for name in ("ilm", "security", "monitoring")}
            return _ok({"license": _LICENSE, "features": features, "tagline": "You know, for X"})
        case "/_cluster/health":
            request.context.cluster.require()
            health = {"cluster_name": _NAME, "status": "green", "timed_out": False, "number_of_nodes": 1}
            return _ok(health)
    return _ok({"cluster_name": _NAME, "nodes": {}})


async def refresh(_: Request) -> Answer:
    """Nothing is done: acknowledged events are stored, and are searchable when they have been processed."""
    return _ok({"_shards": {"total": 0, "successful": 0, "failed": 0}})


async def setup(request: Request) -> Answer:
    """Templates, policies and pipelines: acknowledged but not kept, because Ogrewatch has its own."""
    kind, name = request.parts
    if request.http.method in ("POST", "PUT"):
        await request.read(len)
        return _ok({"acknowledged": True})
    return _ok(_nothing(kind, name))


def _nothing(kind: str, name: str) -> dict[str, Any]:
    """Return a description of any name as if it existed, except for aliases: `HttpError` (404)."""
    match kind:
        case "_index_template":
            return {"index_templates": [{"name": name, "index_template": {"index_patterns": [name]}}]}
        case "_component_template":
            return {"component_templates": [{"name": name, "component_template": {"template": {}}}]}
        case "_data_stream":
            return {"data_streams": [{"name": name, "timestamp_field": {"name": "@timestamp"}, "status": "GREEN"}]}
        case "_ilm/policy":
            return {name: {"version": 1, "policy": {"phases": {}}}}
        case "_alias":
            raise HttpError(404, f"alias [{name[:250]}] missing")
    return {name: {}}


def _ok(value: Any) -> Answer:
    return Answer(200, ok(value).body, headers=PRODUCT)
