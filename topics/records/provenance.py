"""Who sent a raw record, as the way in saw it: Kafka record headers in, fields of the event out.

The headers are written by our own ways in and by nobody who sends through them: names that begin with `RESERVED` are
refused there. A record without them came straight to Kafka.
"""

from collections.abc import Iterable

from topics.event import Event
from topics.headers import Headers

SENDER = "ogrewatch.sender"
"""Address the connection came from."""
IDENTITY = "ogrewatch.identity"
"""Who the sender proved to be: the name of a token, or the subject of a certificate. Absent when nobody asked."""
ENDPOINT = "ogrewatch.endpoint"
"""Where the record came in: a path of the HTTP proxy, or a queue."""
CLAIMED = "ogrewatch.timestamp"
"""When the sender says that it was, milliseconds since 1970; the broker dates raw records by its own clock."""

RESERVED = "ogrewatch."

_FIELDS = {
    SENDER: "ogrewatch.ingest.address",
    IDENTITY: "ogrewatch.ingest.identity",
    ENDPOINT: "ogrewatch.ingest.endpoint",
    CLAIMED: "ogrewatch.ingest.timestamp",
}


def headers_of(sender: str, identity: str, endpoint: str) -> Headers:
    """The headers of a record; what is empty is left out."""
    named = ((SENDER, sender), (IDENTITY, identity), (ENDPOINT, endpoint))
    return [(name, text.encode("utf-8", "replace")) for name, text in named if text]


def put_received(event: Event, headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Put what our headers say among the event's extra fields, in place of what the record itself says there."""
    said = {_FIELDS[name]: value for name, value in headers if value and name in _FIELDS}
    if not said:
        return
    extra = event.setdefault("extra", {})
    for field in _FIELDS.values():
        extra.pop(field, None)
    extra.update({field: value.decode("utf-8", "backslashreplace") for field, value in said.items()})
