"""Avro schemas of the typed topics, made from the columns. https://avro.apache.org/docs/1.12.0/specification/"""

import json
from functools import cache
from typing import Any

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

from topics.fields import COUNTED, Field, Kind, columns

_AVRO: dict[Kind, Any] = {
    "string": "string",
    "int": "int",
    "long": "long",
    "double": "double",
    "strings": {"type": "array", "items": "string"},
}


def schema_of(kind: str) -> dict[str, Any]:
    """The Avro schema of a type of event, as JSON; each field names its ECS field."""
    return record(f"{kind.title()}Event", columns(kind))


@cache
def parsed(kind: str) -> Any:
    """The schema as fastavro takes it."""
    return parse_schema(schema_of(kind))


@cache
def head() -> Any:
    """The schema of what all events begin with. A reader that stops there reads any type."""
    return parse_schema(record("EventHead", COUNTED))


def record(name: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    """An Avro record of these columns."""
    described = [
        {
            "name": f.column,
            "type": _AVRO[f.kind],
            "default": f.absent,
            "doc": f.doc,
            **({"ecs": f.ecs} if f.ecs else {}),
        }
        for f in fields
    ]
    return {"type": "record", "name": name, "namespace": "ogrewatch", "fields": described}


HEAD: list[dict[str, Any]] = json.loads(to_parsing_canonical_form(head()))["fields"]
"""Names and types of what all events begin with."""
