"""The columns of the typed topics in, the mappings of the documents made of them out.

https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from typing import Any

from topics.fields import FIELDS, Field

Mapping = dict[str, Any]

_KEYWORD: Mapping = {"type": "keyword", "ignore_above": 1024}
_LONG_KEYWORD: Mapping = {"type": "keyword", "ignore_above": 8191}  # 32766 bytes, Lucene's limit, of UTF-8
_KINDS: dict[str, Mapping] = {
    "string": _KEYWORD,
    "strings": _KEYWORD,
    "int": {"type": "long"},
    "long": {"type": "long"},
    "double": {"type": "double"},
}
_DATE: Mapping = {"type": "date"}
_IP: Mapping = {"type": "ip"}
_LONG: Mapping = {"type": "long"}
_ESPECIALLY: dict[str, Mapping] = {
    "@timestamp": _DATE,
    "event.created": _DATE,
    "event.ingested": _DATE,
    "message": {"type": "text", "norms": False},  # match_only_text is not in every build of the server
    "event.original": {"type": "keyword", "index": False, "doc_values": False},
    "process.command_line": _LONG_KEYWORD,
    "url.original": _LONG_KEYWORD,
    "url.path": _LONG_KEYWORD,
    "url.query": _LONG_KEYWORD,
    "user_agent.original": _LONG_KEYWORD,
    "source.geo.location": {"type": "geo_point"},
    "destination.geo.location": {"type": "geo_point"},
    "log.syslog.facility.code": _LONG,
    "log.syslog.severity.code": _LONG,
    "related.ip": _IP,
}
_DERIVED = (
    *("ecs.version", "host.name", "event.module", "related.user", "related.hosts"),
    *("source.address", "source.geo.continent_name", "destination.address", "destination.geo.continent_name"),
    *("log.syslog.facility.name", "log.syslog.severity.name"),
    *("log.syslog.hostname", "log.syslog.appname", "log.syslog.procid"),
)
_NOT_STORED = ("ogrewatch.raw.", "source.geo.location.", "destination.geo.location.")

_DYNAMIC: list[Mapping] = [
    # An object nobody described must not use up the limit of fields, nor clash with its namesake of another source.
    {"objects": {"match_mapping_type": "object", "mapping": {"type": "flattened", "ignore_above": 1024}}},
    {"strings": {"match_mapping_type": "string", "mapping": _KEYWORD}},
]


def mappings() -> Mapping:
    """The mappings of every document, whatever its type."""
    properties: Mapping = {}
    for name, mapping in _flat().items():
        _place(properties, name.split("."), mapping)
    return {"date_detection": False, "dynamic_templates": _DYNAMIC, "properties": properties}


def _flat() -> dict[str, Mapping]:
    columns = {f.ecs: _of_column(f) for f in FIELDS.values() if not f.ecs.startswith(_NOT_STORED)}
    return columns | dict.fromkeys(_DERIVED, _KEYWORD) | _ESPECIALLY


def _of_column(column: Field) -> Mapping:
    return _IP if column.ecs.endswith(".ip") else _KINDS[column.kind]


def _place(properties: Mapping, path: list[str], mapping: Mapping) -> None:
    for part in path[:-1]:
        properties = properties.setdefault(part, {"properties": {}})["properties"]
    properties[path[-1]] = mapping
