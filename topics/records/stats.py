"""Encodes closed minutes of login attempts in Avro, and renders them as metrics documents.

A window is a difference: the attempts counted for one service in one minute since the previous revision of that window.
The sum over all windows of a minute is the count of the minute, however late events arrived, and Elasticsearch only has
to add. Windows are in the Confluent wire format (see `topics.avro.wire`); those of other versions are read, too.
https://avro.apache.org/docs/1.12.0/specification/
"""

from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from topics.avro.wire import PREFIX, CodecError, SchemaIds
from topics.documents.ecs import VERSION, iso

DATASET = "ogrewatch.auth"
MINUTE = 60
"""The length of a window in seconds."""


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
        """The identity of the window, the same whenever it is sent again."""
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
ATTEMPTS = "attempts"
WINDOWS = SchemaIds({ATTEMPTS: _SCHEMA})
"""The ids of the schema of windows."""


def encode(window: AuthWindow) -> bytes:
    """Encode a window."""
    buffer = BytesIO()
    buffer.write(WINDOWS.first[ATTEMPTS])
    schemaless_writer(buffer, _PARSED, asdict(window))
    return buffer.getvalue()


def decode(value: bytes) -> AuthWindow:
    """Decode a window. Raises `CodecError`, and `UnknownSchema` when a registry has to be asked first."""
    written = _PARSED if value[:PREFIX] in WINDOWS.today else WINDOWS.writer(value).schema
    try:
        found: Any = schemaless_reader(BytesIO(value[PREFIX:]), written, None if written is _PARSED else _PARSED)
    except (EOFError, ValueError, IndexError, OverflowError, MemoryError, SchemaResolutionError) as error:
        raise CodecError(f"torn window: {error}") from error
    return AuthWindow(**found)


def document(value: bytes) -> tuple[str, dict[str, Any]]:
    """The id and the document of an encoded window, for the data stream `metrics-ogrewatch.auth-<namespace>`.

    Raises as `decode` does.
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
