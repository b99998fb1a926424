"""Events to bytes and back: Avro in the Confluent wire format (a zero byte, four of schema id, the body).

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

from io import BytesIO
from typing import Any

import orjson
from fastavro import schemaless_reader, schemaless_writer

from topics.event import Event
from topics.extra import restored, spilled
from topics.fields import TYPES, columns
from topics.schemas import head, kinds_by_id, parsed, schema_id

PREFIX = 5
"""Bytes before the Avro body."""

_COLUMNS = {kind: frozenset(f.column for f in columns(kind)) for kind in TYPES}
_PREFIXES = {kind: b"\0" + schema_id(kind).to_bytes(4, "big") for kind in TYPES}


class CodecError(ValueError):
    """Bytes that are no event: not the wire format, an unknown schema, or a torn body."""


def encode(kind: str, event: Event) -> bytes:
    """Write an event. Columns its type lacks, and `extra`, go out as the JSON object `extra`; `event` stays as it was.

    Raises `CodecError` when a value is of the wrong type for its column.
    """
    if not event.keys() <= _COLUMNS[kind]:
        event = spilled(event, _COLUMNS[kind])
    buffer = BytesIO()
    buffer.write(_PREFIXES[kind])
    try:
        if extra := event.get("extra"):
            event = {**event, "extra": orjson.dumps(extra).decode()}
        schemaless_writer(buffer, parsed(kind), event)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise CodecError(f"{kind}: {error}") from error
    return buffer.getvalue()


def decode(value: bytes) -> tuple[str, Event]:
    """Read an event: its type, and its columns. `extra` is a dictionary; what it held of columns that the type lacks
    is in those columns. Raises `CodecError`.
    """
    kind = kind_of_bytes(value)
    event = _read(value, parsed(kind))
    event["extra"] = read_extra(event["extra"])
    return kind, restored(event)


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
    """Read only what an event is counted by (`topics.fields.COUNTED`). Raises `CodecError`."""
    kind_of_bytes(value)
    return _read(value, head())


def is_attempt(value: bytes) -> bool:
    """Whether an encoded event is an authentication attempt, without decoding it: its first field says so."""
    return value[PREFIX : PREFIX + 1] != b"\0"


def kind_of_bytes(value: bytes) -> str:
    """The type of an encoded event, by its schema. Raises `CodecError`."""
    kind = kinds_by_id().get(int.from_bytes(value[1:PREFIX], "big")) if value[:1] == b"\0" else None
    if kind is None:
        raise CodecError("not an event of a known schema")
    return kind


def _read(value: bytes, schema: Any) -> Event:
    body = BytesIO(value)
    body.seek(PREFIX)
    try:
        event: Event = schemaless_reader(body, schema, None)  # type: ignore[assignment]
    except (EOFError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise CodecError(f"torn event: {error}") from error
    return event
