"""Events to bytes and back: Avro in the Confluent wire format (see `topics.avro.wire`).

Events that were written with another version's schema are read, too: all functions take them for what they would be
today. https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
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
"""The numbers of events' schemas."""

_COLUMNS = {kind: frozenset(f.column for f in columns(kind)) for kind in TYPES}
_ENCODERS = {kind: Encoder(columns(kind)) for kind in TYPES}
_FIRST, _TODAY, _NONE = EVENTS.first, EVENTS.today, EVENTS.zeros


def encode(kind: str, event: Event) -> bytes:
    """Write an event. Columns its type lacks, and `extra`, go out as the JSON object `extra`; `event` stays as it was.

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
    """Read an event: its type, and its columns. `extra` is a dictionary; what it held of columns that the type lacks
    is in those columns. Raises `CodecError`, and `UnknownSchema` when a registry is to be asked first.
    """
    kind, value = current(value)
    event = _read(value, parsed(kind))
    event["extra"] = read_extra(event["extra"])
    return kind, from_overflow(event)


def read_extra(text: str | bytes) -> dict[str, Any]:
    """The object that the column `extra` holds. Raises `CodecError`."""
    try:
        found = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError as error:
        raise CodecError(f"torn extra: {error}") from error
    if not isinstance(found, dict):
        raise CodecError("extra is no object")
    return found


def decode_head(value: bytes) -> Event:
    """Read only what an event is counted by (`topics.fields.COUNTED`). Raises as `decode` does."""
    if value[:PREFIX] not in _TODAY:
        writer = EVENTS.writer(value)
        if writer.plain[: len(HEAD)] != HEAD:
            value = _translated(value, writer)
    return _read(value, head())


def is_attempt(value: bytes) -> bool:
    """Whether an encoded event may be an authentication attempt, without decoding it: its first field says so.

    Those of other versions' schemas may all be.
    """
    return value[: PREFIX + 1] not in _NONE


def current(value: bytes) -> tuple[str, bytes]:
    """The type of an encoded event, and the event as today's schema encodes it, which most are. Raises as `decode`."""
    kind = _TODAY.get(value[:PREFIX])
    if kind is not None:
        return kind, value
    writer = EVENTS.writer(value)
    return writer.name, value if value[:PREFIX] in _TODAY else _translated(value, writer)


def _translated(value: bytes, writer: WriterSchema) -> bytes:
    """What another version wrote, as today's would have: what has no column any more goes into `extra`."""
    event = _read(value, writer.schema, writer.reader)
    extra = read_extra(event["extra"])
    for field in writer.fields:
        name = field["name"]
        if event[name] == field.get("default"):
            del event[name]  # absent then; what means absent may be another value now
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
