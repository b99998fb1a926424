"""Tests which position a replayed record is counted by, and that only a record not counted yet is counted."""

from dataclasses import dataclass

import pytest

from topics.catalogue import REPLAY
from topics.headers import Headers
from topics.records.replay import (
    counting_position,
    origin_header,
    original,
    recount_header,
    replay_position_header,
    without_recount_header,
)

_PLACE = ("events.web", 3), 70
_OTHER: tuple[str, bytes | None] = ("traceparent", b"00")


@dataclass
class Record:
    headers: Headers
    topic: str = "events.web"
    partition: int = 3
    offset: int = 70
    timestamp: int = 5
    key: bytes | None = None
    value: bytes | None = b"line"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([_OTHER], None),
        ([replay_position_header(2, 9), _OTHER], ((REPLAY.name, 2), 9)),
        ([recount_header(), _OTHER], _PLACE),
        ([recount_header(), replay_position_header(2, 9)], _PLACE),
        (without_recount_header([recount_header(), _OTHER]), None),
        (without_recount_header([recount_header(), replay_position_header(2, 9), _OTHER]), ((REPLAY.name, 2), 9)),
    ],
)
def test_a_place_to_be_counted_by(headers: Headers, expected: object) -> None:
    assert counting_position(Record(headers)) == expected


def test_an_origin_gives_the_record_back() -> None:
    first = original(Record([origin_header("raw.syslog", 1, 12, 34), _OTHER], topic=REPLAY.name))
    assert (first.topic, first.partition, first.offset, first.timestamp) == ("raw.syslog", 1, 12, 34)
    assert (first.value, first.headers) == (b"line", [_OTHER])


@pytest.mark.parametrize("headers", [[], [_OTHER], [(origin_header("a", 0, 0, 0)[0], b"{torn")]])
def test_what_names_no_origin_stays_what_it_is(headers: Headers) -> None:
    record = Record(headers)
    assert original(record) is record
