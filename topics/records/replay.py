"""Restores records that are sent again to what they were: their topic, partition, offset, time and headers.

Such records are in the topic `REPLAY`, which only Ogrewatch may write. Their first header says where they came from,
and an event made of one has the identity of the event at first.

The raw position of an event tells the count role whether it met the event before (see
`agents.counting.partition_counts`), as raw positions ascend. An event that comes long after its neighbours would always
seem to be counted. So a typed record that was not counted with its neighbours has a header with another position that
does ascend: that of its record in `REPLAY`, or its own position in the typed topic when it was itself sent again.
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
    """A consumed record as it was at first. `timestamp` is in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def origin_header(topic: str, partition: int, offset: int, timestamp: int) -> tuple[str, bytes]:
    """The first header of a record in `REPLAY`: where it was at first, and when it came, milliseconds since 1970."""
    return _ORIGIN, orjson.dumps([topic, partition, offset, timestamp])


def original(record: Any) -> Any:
    """What a record of `REPLAY` was at first. A record without a valid origin header is returned as it is."""
    if not record.headers or record.headers[0][0] != _ORIGIN:
        return record
    try:
        topic, partition, offset, timestamp = orjson.loads(record.headers[0][1])
    except (TypeError, ValueError):  # somebody else wrote the header
        return record
    if type(topic) is not str or {type(partition), type(offset), type(timestamp)} != {int}:
        return record
    return Original(topic, partition, offset, timestamp, record.key, record.value, list(record.headers[1:]))


def replay_position_header(partition: int, offset: int) -> tuple[str, bytes]:
    """The header of a typed event that was made of the record at this position of `REPLAY`."""
    return _AGAIN, b"%d %d" % (partition, offset)


def recount_header() -> tuple[str, bytes]:
    """The header of a typed record that is sent again because it could not be counted."""
    return _AGAIN, b""


def without_recount_header(headers: Headers) -> Headers:
    """The headers without the one of `recount_header`, which would have a typed record counted again."""
    return [header for header in headers if header != recount_header()]


def counting_position(record: Any) -> tuple[tuple[str, int], int] | None:
    """The source and the offset that tell whether a typed record was counted; None if its raw position tells."""
    for name, value in record.headers:
        if name == _AGAIN and value:
            partition, offset = value.split()
            return (REPLAY.name, int(partition)), int(offset)
        if name == _AGAIN:
            return (record.topic, record.partition), record.offset
    return None
