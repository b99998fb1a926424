"""Writes and reads the record headers in which a receiver notes who sent a raw record.

Only receivers write these headers: they refuse names that begin with `RESERVED` from senders. A record without them was
written to Kafka directly.
"""

from collections.abc import Iterable

from topics.event import Event
from topics.headers import Headers

SENDER = "ogrewatch.sender"
"""The address that the connection came from."""
IDENTITY = "ogrewatch.identity"
"""The proven identity of the sender: the name of a token or the subject of a certificate. It may be absent."""
ENDPOINT = "ogrewatch.endpoint"
"""Where the record was received: a path of the HTTP proxy, or a queue."""
CLAIMED = "ogrewatch.timestamp"
"""The time that the sender claims, milliseconds since 1970. The timestamp of a raw record is the broker's."""

RESERVED = "ogrewatch."

_FIELDS = {
    SENDER: "ogrewatch.ingest.address",
    IDENTITY: "ogrewatch.ingest.identity",
    ENDPOINT: "ogrewatch.ingest.endpoint",
    CLAIMED: "ogrewatch.ingest.timestamp",
}


def headers_of(sender: str, identity: str, endpoint: str) -> Headers:
    """The headers that say where a record came from; empty parts are left out."""
    named = ((SENDER, sender), (IDENTITY, identity), (ENDPOINT, endpoint))
    return [(name, text.encode("utf-8", "replace")) for name, text in named if text]


def put_received(event: Event, headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Copy the provenance headers into `extra`. They replace what the record itself says in these fields."""
    said = {_FIELDS[name]: value for name, value in headers if value and name in _FIELDS}
    if not said:
        return
    extra = event.setdefault("extra", {})
    for field in _FIELDS.values():
        extra.pop(field, None)
    extra.update({field: value.decode("utf-8", "backslashreplace") for field, value in said.items()})
