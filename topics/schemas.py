"""Avro schemas of the typed topics, made from the columns. https://avro.apache.org/docs/1.12.0/specification/

Without a Schema Registry a schema's id is the start of its canonical form's SHA-256: the same wherever this version
runs, another one as soon as the schema changes.
"""

import hashlib
import json
from functools import cache
from typing import Any

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

from topics.fields import COUNTED, TYPES, Field, Kind, columns

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


@cache
def schema_id(kind: str) -> int:
    """The schema's number in the wire format: 31 bits."""
    canonical = to_parsing_canonical_form(parsed(kind)).encode()
    return int.from_bytes(hashlib.sha256(canonical).digest()[:4], "big") >> 1


@cache
def kinds_by_id() -> dict[int, str]:
    """Which type of event a schema number stands for."""
    return {schema_id(kind): kind for kind in TYPES}


def as_json(kind: str) -> str:
    """The schema's text, for people and for other readers of the topics."""
    return json.dumps(schema_of(kind), indent=2)


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
