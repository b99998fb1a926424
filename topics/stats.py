"""Closed minutes of authentication attempts: what the count role found out, in Avro; the metrics document of one.

A window is a difference: what was counted for one service in one minute since the window's previous revision. The sum
over all windows of a minute is therefore the minute's count, whatever arrived late, and Elasticsearch can just add.
Bytes are in the Confluent wire format, the schema's id made as in `topics.schemas`.
https://avro.apache.org/docs/1.12.0/specification/
"""

import hashlib
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import to_parsing_canonical_form

from topics.codec import PREFIX, CodecError
from topics.ecs import VERSION, iso

DATASET = "ogrewatch.auth"
MINUTE = 60
"""Seconds that a window covers."""


@dataclass(frozen=True, slots=True)
class AuthWindow:
    """What one partition of a typed topic adds to a minute of a service. `minute` is its start, seconds since 1970."""

    kind: str
    partition: int
    service: str
    minute: int
    revision: int
    success: int
    failure: int
    unknown: int

    @property
    def id(self) -> str:
        """The same whenever this window is sent again."""
        return f"{self.kind}-{self.partition}-{self.minute}-{self.revision}-{self.service}"


_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "AuthWindow",
    "namespace": "ogrewatch",
    "fields": [
        {"name": "kind", "type": "string", "doc": "Type of event, which names the topic that was counted."},
        {"name": "partition", "type": "int", "doc": "Its partition."},
        {"name": "service", "type": "string", "doc": "What was logged in to: sshd, ldap, sudo, web, ..."},
        {"name": "minute", "type": "long", "doc": "Start of the minute, seconds since 1970 UTC."},
        {"name": "revision", "type": "int", "doc": "1 when the minute closes, one more for what came late."},
        {"name": "success", "type": "long", "doc": "Attempts that got in, since the last revision."},
        {"name": "failure", "type": "long", "doc": "Attempts that did not."},
        {"name": "unknown", "type": "long", "doc": "Attempts without a verdict."},
    ],
}
_PARSED = parse_schema(_SCHEMA)
_ID = int.from_bytes(hashlib.sha256(to_parsing_canonical_form(_PARSED).encode()).digest()[:4], "big") >> 1
_HEAD = b"\0" + _ID.to_bytes(4, "big")


def encode(window: AuthWindow) -> bytes:
    """Write a window."""
    buffer = BytesIO()
    buffer.write(_HEAD)
    schemaless_writer(buffer, _PARSED, asdict(window))
    return buffer.getvalue()


def decode(value: bytes) -> AuthWindow:
    """Read a window. Raises `CodecError`."""
    if value[:PREFIX] != _HEAD:
        raise CodecError("not a window of attempts")
    try:
        fields: Any = schemaless_reader(BytesIO(value[PREFIX:]), _PARSED, None)
    except (EOFError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise CodecError(f"torn window: {error}") from error
    return AuthWindow(**fields)


def document(value: bytes) -> tuple[str, dict[str, Any]]:
    """The id and the document of an encoded window, for the data stream `metrics-ogrewatch.auth-<namespace>`.

    Raises `CodecError`.
    """
    window = decode(value)
    start, end = window.minute * 1_000_000, (window.minute + MINUTE) * 1_000_000
    about = {
        "kind": "metric",
        "module": "ogrewatch",
        "dataset": DATASET,
        "category": ["authentication"],
        "start": iso(start),
        "end": iso(end),
        "duration": MINUTE * 1_000_000_000,
    }
    return window.id, {
        "@timestamp": iso(start),
        "ecs": {"version": VERSION},
        "event": about,
        "ogrewatch": {"auth": _counts(window)},
    }


def _counts(window: AuthWindow) -> dict[str, Any]:
    return {
        "service": window.service,
        "success": window.success,
        "failure": window.failure,
        "unknown": window.unknown,
        "attempts": window.success + window.failure + window.unknown,
        "topic": window.kind,
        "partition": window.partition,
        "revision": window.revision,
    }
