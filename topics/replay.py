"""A record that is sent again in, the record that it was out: with the place, time and headers it had at first.

Such records stand in the topic `REPLAY`, which only we may write. There they begin with a header that says where they
came from, and an event made of one has the identity of the first.

An event's raw place tells counting whether it met the event before (see `agents.counting.log`). One that comes long
after its neighbours would always seem known; so an event made of a record of `REPLAY` carries that record's own place
along, in a header of the typed record.
"""

from dataclasses import dataclass
from typing import Any

import orjson

Headers = list[tuple[str, bytes | None]]

_ORIGIN = "ogrewatch.origin"
_AGAIN = "ogrewatch.again"


@dataclass(frozen=True, slots=True)
class Original:
    """A consumed record as it was, `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def origin_header(topic: str, partition: int, offset: int, timestamp: int) -> tuple[str, bytes]:
    """What a record of `REPLAY` begins its headers with: where it stood, and when it came, milliseconds since 1970."""
    return _ORIGIN, orjson.dumps([topic, partition, offset, timestamp])


def original(record: Any) -> Any:
    """What a record of `REPLAY` was at first; the record itself when it does not say so."""
    if not record.headers or record.headers[0][0] != _ORIGIN:
        return record
    try:
        topic, partition, offset, timestamp = orjson.loads(record.headers[0][1])
    except ValueError:  # not by us
        return record
    return Original(topic, partition, offset, timestamp, record.key, record.value, list(record.headers[1:]))


def again_header(partition: int, offset: int) -> tuple[str, bytes]:
    """What goes with a typed event that was made of the record at this place of `REPLAY`."""
    return _AGAIN, b"%d %d" % (partition, offset)


def again(headers: Any) -> tuple[int, int] | None:
    """Partition and offset in `REPLAY` of what an event was made of; None for any other event."""
    for name, value in headers:
        if name == _AGAIN:
            partition, offset = value.split()
            return int(partition), int(offset)
    return None
