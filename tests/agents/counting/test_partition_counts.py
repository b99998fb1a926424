"""What is counted of a partition: each event once, in its minute, unless that is too old."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from count_kit import START, Attempt, Stored

from agents.counting.buckets import MORE_HOSTS, MORE_USERS, NAMES, OTHERS, Source, State
from agents.counting.cardinality import BUDGET, LIMIT
from agents.counting.partition_counts import InconsistentState, PartitionCounts
from topics.avro.attempt_header import LONGEST
from topics.records.replay import recount_header, replay_position_header

KEEP = 600.0


def counts(attempts: Iterable[Attempt] = (), budget: int = BUDGET) -> PartitionCounts:
    made = PartitionCounts("events.authentication", "authentication", ord("a"), 0, KEEP, budget)
    made.resume()
    made.count(attempt.record(offset) for offset, attempt in enumerate(attempts))
    return made


def source(made: PartitionCounts, minute: int = 0, address: str = "203.0.113.9") -> Source:
    return made.minutes[START + 60 * minute].addresses[address]


def test_a_record_read_again_is_not_counted_again() -> None:
    attempts = [Attempt(0, n, 0, n) for n in range(5)]
    made = counts(attempts)
    made.count(attempt.record(offset) for offset, attempt in enumerate(attempts))
    assert made.totals == [5, 5, 5]


def test_an_event_written_again_is_not_counted_again() -> None:
    first = [Attempt(0, 3, 0, 1), Attempt(1, 0, 0, 1), Attempt(0, 5, 0, 2)]
    made = counts([*first, *first, Attempt(1, 1, 0, 3)])
    assert made.totals[0] == 4
    assert made.position == 6


def test_an_event_stands_for_as_many_attempts_as_it_says() -> None:
    made = counts([Attempt(0, 0, 0, 1, number=7), Attempt(0, 1, 0, 1, "success"), Attempt(0, 2, 0, 1, "")])
    entry = source(made)
    assert (entry.failure, entry.success, entry.unknown) == (7, 1, 1)
    assert made.totals == [9, 9, 9]


@pytest.mark.parametrize(
    ("arrival", "late"), [(60 + KEEP - 0.001, 0), (60 + KEEP, 1)], ids=["in its last moment", "a moment later"]
)
def test_a_minute_takes_attempts_until_it_expires(arrival: float, late: int) -> None:
    made = counts([Attempt(0, 0, 0, 0), Attempt(0, 1, 0, arrival)])
    assert made.late == late
    assert made.totals[0] == 2 - late
    assert made.expired[0] == late  # the first attempt went with its minute
    assert (START in made.expiring) == bool(late)


def test_time_is_that_of_the_stream_not_of_one_event() -> None:
    made = counts([Attempt(0, 0, 20, 20 * 60), Attempt(1, 0, 0, 5)])
    assert made.late == 1


def test_what_claims_to_be_far_ahead_is_not_kept() -> None:
    made = counts([Attempt(0, 0, 10, 0), Attempt(0, 1, 11, 0)])
    assert (made.totals[0], made.late) == (1, 1)


def test_what_is_no_event_is_left_over() -> None:
    made = counts()
    made.count([Stored(0, START * 1000, b"", b"\0junk!"), Attempt(0, 0, 0, 1).record(1), Stored(2, 0, b"", None)])
    assert [record.offset for record, _ in made.undecodable] == [0]
    assert (made.totals[0], made.position) == (1, 2)


def test_names_are_bounded_in_number_and_length() -> None:
    made = counts(Attempt(0, n, 0, n, user=f"u{n}" + "x" * 1_000, host=f"h{n}") for n in range(NAMES + 1))
    entry = source(made)
    assert len(entry.users) == len(entry.hosts) == NAMES
    assert entry.more == MORE_USERS | MORE_HOSTS
    assert {len(user) for user in entry.users} == {LONGEST}


def test_a_table_that_does_not_add_up_is_refused() -> None:
    made = counts([Attempt(0, n, 0, n) for n in range(5)])
    made.verified = False
    made.verify()
    source(made).failure -= 1
    made.verified = False
    with pytest.raises(
        InconsistentState, match=r"holds \[5, 4, 5\] attempts .* where \[5, 5, 5\] were counted up to offset 4"
    ):
        made.verify()


def test_time_goes_by_when_lines_came_and_not_by_when_their_events_did() -> None:
    backlog = [replace(Attempt(0, n, n, n * 60).record(n), timestamp=(START + 30 * 86_400) * 1000) for n in (0, 1)]
    made = counts([])
    made.count(backlog)
    assert (made.totals[0], made.late) == (2, 0)
    assert made.newest == (START + 60) * 1000


def test_what_was_sent_again_is_counted_once_however_late_it_comes() -> None:
    made = counts([Attempt(0, 9, 0, 1)])
    late = [Stored(n, 0, b"", Attempt(0, n, 0, 1).value, [replay_position_header(3, 40 + n)]) for n in (1, 2)]
    written_again = [replace(record, offset=record.offset + 2) for record in late]
    made.count([*late, *written_again])
    assert made.totals[0] == 3
    assert made.raw["raw.syslog", 0] == 9


def test_what_could_not_be_counted_is_counted_when_it_is_sent_again() -> None:
    made = counts([Attempt(0, 9, 0, 1)])
    made.count(Stored(n, 0, b"", Attempt(0, n, 0, 1).value, [recount_header()]) for n in (1, 2))
    assert made.totals[0] == 3
    made.count([Attempt(0, 9, 0, 1).record(3), Attempt(0, 10, 0, 1).record(4)])
    assert made.totals[0] == 4


def test_a_header_that_is_not_ours_is_left_over() -> None:
    made = counts()
    made.count([replace(Attempt(0, 1, 0, 1).record(0), headers=[(replay_position_header(0, 0)[0], b"junk")])])
    assert (made.totals[0], len(made.undecodable)) == (0, 1)


def test_how_far_what_was_sent_again_was_counted_outlives_a_worker() -> None:
    again = Stored(1, 0, b"", Attempt(0, 1, 0, 1).value, [replay_position_header(3, 41)])
    made = counts([Attempt(0, 9, 0, 1)])
    made.count([again])
    successor = PartitionCounts(made.topic, made.kind, made.code, 0, KEEP)
    successor.minutes = made.minutes
    row = made.checkpoint()
    row.position = made.position
    successor.row = State.load(row.payload())
    successor.row.position = row.position
    successor.resume()
    successor.count([replace(again, offset=2)])
    assert successor.totals[0] == 2


def test_a_minute_takes_so_many_names_and_counts_the_others_together() -> None:
    made = counts(Attempt(0, n, 0, 1, user=f"u{n % (LIMIT + 3)}", service=f"s{n % 2}") for n in range(LIMIT + 10))
    minute = made.minutes[START]
    assert len(minute.users) == LIMIT + 1
    assert (minute.users[OTHERS].failure, minute.users["u0"].failure) == (3, 2)
    assert made.unnamed == 3
    assert made.totals == [LIMIT + 10] * 3
    assert minute.sums() == made.totals


def test_others_have_no_users_and_hosts() -> None:
    made = counts((Attempt(0, n, 0, 1, address=f"2001:db8::{n}") for n in range(9)), budget=2)
    others = made.minutes[START].addresses[OTHERS]
    assert (others.failure, others.users, others.hosts, others.first) == (6, (), (), 0)


def test_names_are_told_apart_again_when_minutes_expire() -> None:
    first = [Attempt(0, n, 0, 1, user=f"u{n}") for n in range(9)]
    made = counts([*first, Attempt(0, 9, 1, 60 + KEEP, user="late")], budget=2)
    assert made.weight == 2
    assert set(made.minutes[START + 60].users) == {"late"}


def test_a_long_name_costs_more() -> None:
    assert counts([Attempt(0, 0, 0, 1, user="x" * LONGEST)]).weight == 6
