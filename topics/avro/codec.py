"""Encodes and decodes events: Avro in the Confluent wire format (see `topics.avro.wire`).

Events that were written with the schema of another version are read, too: every function treats them as the events
that they would be today. https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
"""

import struct
from io import BytesIO
from typing import Any

import orjson
from fastavro import schemaless_reader
from fastavro.read import SchemaResolutionError

from topics.avro.encoder import Encoder
from topics.avro.overflow import from_overflow, to_overflow
from topics.avro.schemas import HEAD, head, parsed, schema_of
from topics.avro.wire import PREFIX, CodecError, SchemaIds, UnknownSchema, WriterSchema
from topics.event import Event
from topics.fields import TYPES, columns

__all__ = [
    "EVENTS",
    "PREFIX",
    "CodecError",
    "UnknownSchema",
    "current",
    "decode",
    "decode_head",
    "encode",
    "is_attempt",
    "read_extra",
]

EVENTS = SchemaIds({kind: schema_of(kind) for kind in TYPES})
"""The ids of the schemas of events."""

_COLUMNS = {kind: frozenset(f.column for f in columns(kind)) for kind in TYPES}
_ENCODERS = {kind: Encoder(columns(kind)) for kind in TYPES}
_FIRST, _TODAY, _NONE = EVENTS.first, EVENTS.today, EVENTS.zeros


def encode(kind: str, event: Event) -> bytes:
    """Encode an event, which is not changed. Columns that its type lacks are encoded as part of `extra`.

    Raises `CodecError` when a value is of the wrong type for its column.
    """
    first, encoder = _FIRST[kind], _ENCODERS[kind]
    try:
        try:
            return encoder.write(first, event)
        except KeyError:
            return encoder.write(first, to_overflow(event, _COLUMNS[kind]))
    except (TypeError, ValueError, OverflowError, AttributeError, struct.error) as error:
        raise CodecError(f"{kind}: {error}") from error


def decode(value: bytes) -> tuple[str, Event]:
    """Decode an event to its type and its columns. `extra` is a dictionary; columns that the type lacks are restored
    from it. Raises `CodecError`, and `UnknownSchema` when a registry has to be asked first.
    """
    kind, value = current(value)
    event = _read(value, parsed(kind))
    event["extra"] = read_extra(event["extra"])
    return kind, from_overflow(event)


def read_extra(text: str | bytes) -> dict[str, Any]:
    """Parse the column `extra`, a JSON object or "". Raises `CodecError`."""
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError as error:
        raise CodecError(f"torn extra: {error}") from error
    if not isinstance(found, dict):
        raise CodecError("extra is no object")
    return found


def decode_head(value: bytes) -> Event:
    """Decode only the columns that counting needs (`topics.fields.COUNTED`). Raises as `decode` does."""
    if value[:PREFIX] not in _TODAY:
        writer = EVENTS.writer(value)
        if writer.plain[: len(HEAD)] != HEAD:
            value = _translated(value, writer)
    return _read(value, head())


def is_attempt(value: bytes) -> bool:
    """Whether an encoded event may be a login attempt. Only its first column is looked at.

    Every event with the schema of another version may be one.
    """
    return value[: PREFIX + 1] not in _NONE


def current(value: bytes) -> tuple[str, bytes]:
    """The type of an encoded event, and the event in today's schema. Raises as `decode` does."""
    kind = _TODAY.get(value[:PREFIX])
    if kind is not None:
        return kind, value
    writer = EVENTS.writer(value)
    return writer.name, value if value[:PREFIX] in _TODAY else _translated(value, writer)


def _translated(value: bytes, writer: WriterSchema) -> bytes:
    """Encode an event of another version in today's schema. Fields that have no column any more go into `extra`."""
    event = _read(value, writer.schema, writer.reader)
    extra = read_extra(event["extra"])
    for field in writer.fields:
        name = field["name"]
        if event[name] == field.get("default"):
            del event[name]  # the column was absent, and another value may stand for that now
        elif name not in _COLUMNS[writer.name]:
            extra.setdefault(field.get("ecs", name), event.pop(name))
    return encode(writer.name, from_overflow({**event, "extra": extra}))


def _read(value: bytes, schema: Any, reader: Any = None) -> Event:
    body = BytesIO(value)
    body.seek(PREFIX)
    try:
        event: Event = schemaless_reader(body, schema, reader)  # type: ignore[assignment]
    except (EOFError, ValueError, IndexError, OverflowError, MemoryError, SchemaResolutionError) as error:
        raise CodecError(f"torn event: {error}") from error
    return event
