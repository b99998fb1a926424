"""A record that is sent again in, the record that it was out: with the place, time and headers it had at first.

Such records stand in the topic `REPLAY`, which only we may write. There they begin with a header that says where they
came from, and an event made of one has the identity of the first.

An event's raw place tells counting whether it met the event before (see `agents.counting.partition_counts`). One that
comes long
after its neighbours would always seem known; so a typed record that was not counted when its neighbours were carries
another place along, which does ascend: that in `REPLAY` of what it was made of, or none when it was itself sent again.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from topics.catalogue import REPLAY
from topics.headers import Headers

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
    except (TypeError, ValueError):  # not by us
        return record
    if type(topic) is not str or {type(partition), type(offset), type(timestamp)} != {int}:
        return record
    return Original(topic, partition, offset, timestamp, record.key, record.value, list(record.headers[1:]))


def again_header(partition: int, offset: int) -> tuple[str, bytes]:
    """What goes with a typed event that was made of the record at this place of `REPLAY`."""
    return _AGAIN, b"%d %d" % (partition, offset)


def recount_header() -> tuple[str, bytes]:
    """What goes with a typed record that is sent again because it could not be counted."""
    return _AGAIN, b""


def not_again(headers: Headers) -> Headers:
    """The headers of a typed record that is sent again, without one that would have it counted again."""
    return [header for header in headers if header != recount_header()]


def counted_by(record: Any) -> tuple[tuple[str, int], int] | None:
    """The source and the place in it that tell whether a typed record was counted, where its raw place does not."""
    for name, value in record.headers:
        if name == _AGAIN and value:
            partition, offset = value.split()
            return (REPLAY.name, int(partition)), int(offset)
        if name == _AGAIN:
            return (record.topic, record.partition), record.offset
    return None
