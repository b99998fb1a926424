"""Windows as people write them: which minutes they cover, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from workers_kit import NOON

from web.windows import BadWindow, between, iso, parse

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "now", "since", "until"),
    [
        ("5m", NOON + 30, NOON - 300, NOON + 60),
        ("5m", NOON, NOON - 300, NOON + 60),
        ("90s", NOON + 29.9, NOON - 120, NOON + 60),
        ("90s", NOON + 30, NOON - 60, NOON + 60),
        ("1h", NOON + 59.9, NOON - 3600, NOON + 60),
        ("24h", NOON, NOON - DAY, NOON + 60),
        ("1d", NOON, NOON - DAY, NOON + 60),
    ],
)
def test_every_minute_that_is_touched_is_covered(text: str, now: float, since: int, until: int) -> None:
    window = parse(text, now, DAY)
    assert (window.since, window.until) == (since, until)


@pytest.mark.parametrize("text", ["", "0m", "5", "m", "-5m", "5 m", "5w", "1.5h", "٥m", "5m\n", "99999999m"])
def test_what_is_no_window_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadWindow, match="is no length of time such as 90s, 5m, 1h or 24h"):
        parse(text, NOON, DAY)


def test_a_window_is_no_longer_than_a_year() -> None:
    assert parse("366d", NOON).seconds == 366 * DAY
    with pytest.raises(BadWindow, match="367d is longer than 366 days"):
        parse("367d", NOON)


def test_the_count_workers_have_what_they_keep() -> None:
    assert parse("24h", NOON).is_live(NOON, DAY)
    assert not parse("25h", NOON).is_live(NOON, DAY)
    recent, old = iso(NOON - 3600), iso(NOON - 2 * DAY)
    assert between(recent, "", NOON).is_live(NOON, DAY)
    assert not between(old, iso(NOON - DAY - 600), NOON).is_live(NOON, DAY)


@pytest.mark.parametrize(
    ("begin", "end", "since", "until"),
    [
        ("2025-11-25T12:00:00Z", "2025-11-25T12:05:00Z", NOON, NOON + 300),
        ("2025-11-25T13:00:30+01:00", "2025-11-25 12:05:01", NOON, NOON + 360),
        ("2025-11-25", "", NOON - 12 * 3600, NOON + 60),
    ],
)
def test_a_window_lies_between_two_times(begin: str, end: str, since: int, until: int) -> None:
    window = between(begin, end, NOON + 1)
    assert (window.since, window.until, window.fixed) == (since, until, True)


@pytest.mark.parametrize(
    ("begin", "end"),
    [("x", ""), ("", "2025-11-25"), ("2025-11-26", ""), ("0001-01-01", ""), ("2023-01-01", "2025-01-01")],
)
def test_what_is_no_pair_of_times_is_refused(begin: str, end: str) -> None:
    with pytest.raises(BadWindow):
        between(begin, end, NOON)


@given(st.integers(1, DAY), st.floats(1e9, 2e9))
def test_the_time_asked_for_lies_within_and_no_whole_minute_lies_without(seconds: int, now: float) -> None:
    window = parse(f"{seconds}s", now, DAY)
    assert window.since % 60 == window.until % 60 == 0
    assert window.since <= now - seconds < window.since + 60
    assert window.until - 60 <= now < window.until


def test_times_are_iso_8601() -> None:
    assert iso(NOON) == "2025-11-25T12:00:00Z"
    assert iso(NOON + 0.25) == "2025-11-25T12:00:00.250Z"
