"""Time of a stream: no record alone moves it by days, and a stream that rested for days goes on."""

from itertools import pairwise

import orjson
from count_kit import START, Attempt
from hypothesis import example, given
from hypothesis import strategies as st

from agents.counting.buckets import State
from agents.counting.partition_counts import PartitionCounts
from agents.counting.stream_time import STEP, WITNESSES, StreamTime

DAY = 86_400
KEEP = float(DAY)
gaps = st.lists(st.integers(0, 600), min_size=2, max_size=60)


def counts(attempts: list[Attempt]) -> PartitionCounts:
    made = PartitionCounts("events.authentication", "authentication", ord("a"), 0, KEEP)
    made.resume()
    made.count(attempt.record(offset) for offset, attempt in enumerate(attempts))
    return made


def stream(seconds: list[int], begin: int = 0, raw: int = 0) -> list[Attempt]:
    """Attempts that arrive so many seconds after each other."""
    arrivals = [begin + sum(seconds[: number + 1]) for number in range(len(seconds))]
    return [Attempt(raw, number, arrival // 60, arrival) for number, arrival in enumerate(arrivals)]


@given(gaps, st.data())
def test_a_record_of_a_wrong_clock_expires_nothing_and_makes_nothing_late(
    seconds: list[int], data: st.DataObject
) -> None:
    attempts = stream(seconds)
    ahead = data.draw(st.integers(3_601, 30 * DAY))
    place, times = data.draw(st.integers(0, len(attempts))), data.draw(st.integers(1, 5))
    wrong = Attempt(1, 0, 0, attempts[-1].arrival + ahead)
    made = counts([*attempts[:place], *[wrong] * times, *attempts[place:], Attempt(0, 10_000, 0, attempts[-1].arrival)])
    assert (made.late, made.expired, made.expiring) == (0, [0, 0, 0], {})
    assert made.totals[0] == len(attempts) + 2
    assert made.newest == int((START + attempts[-1].arrival) * 1000)


@example([0, 0], [0, 0], 86_460)
@given(gaps, gaps, st.integers(3_601, 30 * DAY))
def test_a_stream_that_rested_goes_on_and_nothing_is_late(before: list[int], after: list[int], rest: int) -> None:
    first = stream([0, *before])
    second = stream([rest, *after, 60, 1], int(first[-1].arrival), raw=1)
    made = counts([*first, *second])
    assert made.late == 0
    assert made.totals[0] == len(first) + len(second)
    again = stream([3_601 + rest, 1, 59, 1], int(second[-1].arrival), raw=2)  # at the latest now it is believed
    made.count(attempt.record(len(first) + len(second) + n) for n, attempt in enumerate(again))
    assert (made.late, made.totals[0]) == (0, len(first) + len(second) + len(again))
    assert made.newest == int((START + again[-1].arrival) * 1000)


def test_a_rest_of_three_days_ends_with_the_second_minute() -> None:
    known = [Attempt(0, n, 0, n) for n in range(3)]
    woken = [Attempt(0, 3 + n, 3 * 1440 + n // 2, 3 * DAY + 30 * n) for n in range(4)]
    made = counts([*known, *woken[:2]])
    assert (made.newest, made.late) == ((START + 2) * 1000, 0)
    assert START in made.minutes
    made.count(attempt.record(5 + n) for n, attempt in enumerate(woken[2:]))
    assert (made.newest, made.late, made.totals[0]) == ((START + 3 * DAY + 90) * 1000, 0, 7)
    assert START in made.expiring


def test_claims_do_not_count_while_records_of_now_come_between() -> None:
    time = StreamTime()
    for number in range(100):
        time.note(START * 1000 + number)
        time.note((START + 2 * DAY + 60 * number) * 1000)
    assert time.now == START * 1000 + 99


def test_what_comes_from_long_ago_refutes_no_claim() -> None:
    time = StreamTime()
    for arrival in (0, 1, 2 * DAY, -DAY, 2 * DAY + 30, -DAY, 2 * DAY + 60):
        time.note((START + arrival) * 1000)
    assert time.now == (START + 2 * DAY + 60) * 1000


@given(st.lists(st.integers(START, START + 9 * DAY), max_size=30), st.data())
def test_time_is_the_same_whoever_goes_on(arrivals: list[int], data: st.DataObject) -> None:
    straight, handed_on = StreamTime(), StreamTime()
    for arrival in arrivals:
        moved = straight.note(arrival * 1000)
        assert handed_on.note(arrival * 1000) == moved
        if data.draw(st.booleans()):
            handed_on = StreamTime.load(handed_on.now, orjson.loads(orjson.dumps(handed_on.dump())))
    for name in StreamTime.__slots__:
        assert getattr(straight, name) == getattr(handed_on, name)


@given(st.lists(st.integers(START, START + 9 * DAY), min_size=2, max_size=30))
def test_time_never_goes_back_and_never_leaps_alone(arrivals: list[int]) -> None:
    time, seen = StreamTime(), []
    for arrival in arrivals:
        settled = time.note(arrival * 1000)
        seen.append((settled, time.now))
    for (was_settled, before), (_, after) in pairwise(seen):
        assert after >= before or not was_settled
        if was_settled and after > before + STEP:
            assert sum(arrival * 1000 >= after for arrival in arrivals) >= WITNESSES


def test_rows_of_earlier_versions_say_what_time_it_is() -> None:
    old = State({"newest": START * 1000, "floor": START - DAY, "keep": KEEP, "late": 3, "totals": [0, 0, 0],
                 "expired": [0, 0, 0], "raw": {"raw.syslog": {"0": 7}}, "ids": {}})  # fmt: skip
    old.position = 41
    made = PartitionCounts("events.authentication", "authentication", ord("a"), 0, KEEP)
    made.row = old
    made.resume()
    assert (made.position, made.newest, made.floor, made.late) == (41, START * 1000, START - DAY, 3)
    assert not made.time.unsure
