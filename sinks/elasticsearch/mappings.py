"""Makes the mappings of documents from the types of ECS fields.

https://www.elastic.co/docs/manage-data/data-store/mapping
"""

from typing import Any

from topics.documents.ecs_types import TYPES

Mapping = dict[str, Any]

_KEYWORD: Mapping = {"type": "keyword", "ignore_above": 1024}
_LONG_KEYWORD: Mapping = {
    "type": "keyword",
    "ignore_above": 8191,
}  # characters, which are at most 32,766 bytes of UTF-8, Lucene's limit
_STORED: Mapping = {"type": "keyword", "index": False, "doc_values": False}
_LONG: Mapping = {"type": "long"}
_DATE: Mapping = {"type": "date"}
_FLAG: Mapping = {"type": "boolean"}
_DOUBLE: Mapping = {"type": "double"}
_SOURCE: Mapping = {"type": "object", "enabled": False}
_FLATTENED: Mapping = {"type": "flattened", "ignore_above": 1024}
_KINDS: dict[str, Mapping] = {
    "keyword": _KEYWORD,
    "flattened": _FLATTENED,
    "text": {"type": "text", "norms": False},  # match_only_text is not in every build of the server
}
_LONG_TEXTS = (
    *("process.command_line", "process.parent.command_line", "url.original", "url.full", "url.path", "url.query"),
    *("user_agent.original", "http.request.referrer", "file.path", "file.target_path", "error.message"),
)
_SOURCE_ONLY = ("event.original", "error.stack_trace", "http.request.body.content", "http.response.body.content")
_SHOWN = (
    *("ecs.version", "event.created", "event.ingested", "log.syslog.hostname", "log.syslog.appname"),
    *("log.syslog.procid", "log.syslog.facility.code", "log.syslog.facility.name", "log.syslog.severity.code"),
)
"""Fields that are seldom searched. They have no index: a search scans their doc values."""

_ESPECIALLY: dict[str, Mapping] = {
    **dict.fromkeys(_LONG_TEXTS, _LONG_KEYWORD),
    **dict.fromkeys(_SOURCE_ONLY, _STORED),
}

_DYNAMIC: list[Mapping] = [
    # The object of a stream is one field: its members need no mappings, and their types cannot conflict.
    {"objects": {"match_mapping_type": "object", "mapping": _FLATTENED}},
    # A keyword takes any value. A numeric field would refuse the strings of other events.
    {"values": {"match_mapping_type": "*", "mapping": _KEYWORD}},
]


def mappings() -> Mapping:
    """The mappings of all documents, whatever their type."""
    properties: Mapping = {}
    for name, kind in TYPES.items():
        _place(properties, name.split("."), _mapping(name, kind))
    return {"date_detection": False, "dynamic_templates": _DYNAMIC, "properties": properties}


def attempts() -> Mapping:
    """The further mappings of the documents of closed minutes."""
    counts = dict.fromkeys(("success", "failure", "unknown", "attempts", "partition", "revision"), _LONG)
    about = dict.fromkeys(("service", "topic"), _KEYWORD)
    return {"properties": {"ogrewatch": {"properties": {"auth": {"properties": {**about, **counts}}}}}}


def alerts() -> Mapping:
    """Mappings and settings of the index of alerts."""
    about = dict.fromkeys(
        ("status", "verdict", "assignee", "acted_by", "level", "rule", "kind", "group", "previous", "samples", "tags"),
        _KEYWORD,
    )
    about |= dict.fromkeys(("revision", "count"), _LONG)
    about |= {
        "over": _FLAG,
        "silenced": _FLAG,
        "limit": _DOUBLE,
        "found": _DOUBLE,
        "acts": _SOURCE,
        "evidence": _SOURCE,
    }
    about |= dict.fromkeys(("comment", "runbook", "false_positives"), _KINDS["text"])
    window = {"start": _DATE, "end": _DATE, "seconds": _DOUBLE}
    about |= {"acted_at": _DATE, "window": {"properties": window}}
    found = mappings()
    properties = found["properties"].setdefault("ogrewatch", {"properties": {}})["properties"]
    properties["alert"] = {"properties": about}
    settings = {"auto_expand_replicas": "0-1", "refresh_interval": "1s", "mapping.ignore_malformed": True,
                "mapping.total_fields": {"limit": 2000, "ignore_dynamic_beyond_limit": True}}  # fmt: skip
    return {"mappings": found, "settings": {"index": settings}}


def _mapping(name: str, kind: str) -> Mapping:
    mapping = _ESPECIALLY.get(name) or _KINDS.get(kind) or {"type": kind}
    return {**mapping, "index": False} if name in _SHOWN else mapping


def _place(properties: Mapping, path: list[str], mapping: Mapping) -> None:
    for part in path[:-1]:
        properties = properties.setdefault(part, {"properties": {}})["properties"]
    properties[path[-1]] = mapping
