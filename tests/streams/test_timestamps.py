"""Tests times in messages: missing years and zones, clocks that go back, days that do not exist."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.base import MemoryState, StateStore, Stream
from streams.dispatch import Dispatcher
from streams.syslog.timestamps import ZONE, Clock, set_civil, set_instant, set_iso
from topics.event import Event

BERLIN = ZoneInfo("Europe/Berlin")


def micros(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp + "+00:00").timestamp()) * 1_000_000


def event_at(stamp: str, zone: ZoneInfo | None = None) -> Event:
    return {"timestamp": micros(stamp)} | ({ZONE: zone} if zone else {})


def told(event: Event) -> str:
    return datetime.fromtimestamp(event["timestamp"] / 1e6, UTC).replace(tzinfo=None).isoformat()


@pytest.mark.parametrize(
    ("at", "moment", "expected"),
    [
        ("2027-01-01T00:00:05", (12, 31, 23, 59, 59), "2026-12-31T23:59:59"),
        ("2026-12-31T23:59:58", (1, 1, 0, 0, 1), "2027-01-01T00:00:01"),
        ("2027-03-01T00:00:00", (2, 29, 12, 0, 0), "2024-02-29T12:00:00"),
        ("2026-11-24T12:00:00", (5, 5, 10, 0, 0), "2026-05-05T10:00:00"),
        ("2026-11-24T12:00:00", (11, 25, 23, 59, 59), "2026-11-25T23:59:59"),
        ("2026-11-24T12:00:00", (11, 26, 0, 0, 1), "2025-11-26T00:00:01"),
    ],
)
def test_without_a_year_it_is_the_latest_that_is_past(
    at: str, moment: tuple[int, int, int, int, int], expected: str
) -> None:
    event = event_at(at)
    assert set_civil(event, moment)
    assert told(event) == expected
    assert "extra" not in event


@pytest.mark.parametrize(
    ("zone", "expected", "noted"),
    [("", "2026-07-01T10:00:00", True), ("XYZ", "2026-07-01T10:00:00", True), ("UTC", "2026-07-01T12:00:00", False),
     ("-0330", "2026-07-01T15:30:00", False), ("CEST", "2026-07-01T10:00:00", False)],
)  # fmt: skip
def test_zones(zone: str, expected: str, noted: bool) -> None:
    for parts in (True, False):
        event = event_at("2026-07-01T10:00:01", BERLIN)
        if parts:
            assert set_civil(event, (7, 1, 12, 0, 0), 2026, "", zone)
        else:
            assert set_iso(event, "2026-07-01 12:00:00", zone)
        assert told(event) == expected
        assert event.get("extra", {}) == ({"event.timezone": "Europe/Berlin"} if noted else {})


@pytest.mark.parametrize(
    "stamp", ["2026-07-01T12:00:00Z", "2026-07-01 14:00:00+02:00", "2026-07-01T12:00:00.000-00:00"]
)
def test_a_stamp_with_an_offset_needs_no_zone(stamp: str) -> None:
    event = event_at("2026-07-01T00:00:00", BERLIN)
    assert set_iso(event, stamp)
    assert told(event) == "2026-07-01T12:00:00"
    assert "extra" not in event


@pytest.mark.parametrize(("fraction", "more"), [("", 0), ("5", 500_000), ("123456789", 123_456)])
def test_fractions(fraction: str, more: int) -> None:
    event = event_at("2026-07-01T00:00:00")
    assert set_civil(event, (7, 1, 0, 0, 0), 2026, fraction)
    assert event["timestamp"] == micros("2026-07-01T00:00:00") + more


def test_what_is_no_time_sets_nothing() -> None:
    event = event_at("2026-07-01T00:00:00", BERLIN)
    before = dict(event)
    assert not set_civil(event, (2, 30, 0, 0, 0))
    assert not set_civil(event, (2, 29, 0, 0, 0), 2026)
    assert not set_civil(event, (1, 1, 24, 0, 0), 2026)
    assert not set_civil(event, (1, 1, 0, 0, 0), 0)
    for text in ("", "soon", "2026-13-01T00:00:00", "2026-02-29 00:00:00", "24/Nov/2026"):
        assert not set_iso(event, text)
    values: list[Any] = [None, True, [], {}, -1, float("nan"), float("inf"), 1e21, "", "-5"]
    for nothing in values:
        assert not set_instant(event, nothing)
    assert event == before


@pytest.mark.parametrize(
    ("received", "stamp", "expected"),
    [
        ("2026-03-29T00:59:00", "Mar 29 02:30:00", "2026-03-29T01:30:00"),  # a gap: the clock was put forward
        ("2026-10-25T00:31:00", "Oct 25 02:30:00", "2026-10-25T00:30:00"),  # an hour there is twice: the first time
        ("2026-10-25T01:31:00", "Oct 25 02:30:00", "2026-10-25T01:30:00"),  # the second
    ],
)
def test_clocks_that_are_put_forward_and_back(received: str, stamp: str, expected: str) -> None:
    clock = Clock("Europe/Berlin")
    for _ in range(2):
        when = clock.bsd(stamp, micros(received))
        assert when is not None
        assert told({"timestamp": when}) == expected


def test_an_hour_that_there_is_twice_is_not_remembered() -> None:
    clock = Clock("Europe/Berlin")
    first = clock.bsd("Oct 25 02:30:00", micros("2026-10-25T00:30:00"))
    assert first is not None
    assert clock.bsd("Oct 25 02:30:00", micros("2026-10-25T01:30:00")) == first + 3_600_000_000


def _set(message: str, event: Event, state: StateStore) -> bool:
    return message.startswith("at ") and set_iso(event, message[3:])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_parsers_know_the_zone_and_leave_no_trace_of_it(zone: str) -> None:
    dispatcher = Dispatcher(zone, [Stream("x", ("x",), _set, sniff=lambda text: text.startswith("at "))])
    expected = "2026-07-01T12:00:00" if zone == "UTC" else "2026-07-01T10:00:00"
    for line in (b"at 2026-07-01 12:00:00", b"<13>Jul  1 00:00:00 h x: at 2026-07-01 12:00:00", b"other", b"{}", b""):
        event = dispatcher.parse(line, micros("2026-07-01T10:00:00"), MemoryState())
        assert ZONE not in event
        assert b"at " not in line or told(event) == expected
