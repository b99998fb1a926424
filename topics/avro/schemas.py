"""Makes the Avro schemas of the typed topics from the columns. https://avro.apache.org/docs/1.12.0/specification/"""

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
    """The Avro schema of a type of event, as JSON. Each field names its ECS field."""
    return record(f"{kind.title()}Event", columns(kind))


@cache
def parsed(kind: str) -> Any:
    """The schema of a type of event, parsed for fastavro."""
    return parse_schema(schema_of(kind))


@cache
def head() -> Any:
    """The schema of the first columns, which all types have in common. With it, events of any type can be read."""
    return parse_schema(record("EventHead", COUNTED))


def record(name: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    """The schema of an Avro record with these columns."""
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
"""Names and types of the first columns, which all types have in common."""
