"""What answers make of names beyond the limit of their minute."""

import asyncio

from count_kit import START, Attempt

from agents.counting import queries
from agents.counting.cardinality import BUDGET
from agents.counting.partition_store import PartitionStore
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition

SPAN = queries.Span(START, START + 60)
OUTCOMES = ("failure", "success", "success")
"""Of somebody who mistypes."""


def crowded() -> list[ChangelogPartition[PartitionStore]]:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=600), 0, BUDGET // 2))
    counts = part.store.by_topic["events.authentication"]
    counts.resume()
    counts.count(Attempt(0, n, 0, n, address=f"2001:db8::{n}", user="").record(n) for n in range(9))
    return [part]


def test_others_are_in_the_sum_under_their_own_name() -> None:
    rows, truncated = asyncio.run(queries.attempts(crowded(), SPAN, "address", 100))
    assert rows.pop(queries.UNNAMED)["failure"] == 5
    assert (len(rows), truncated) == (4, False)
    assert sum(row["failure"] for row in rows.values()) == 4


def test_others_are_no_attacker() -> None:
    found = asyncio.run(queries.attackers(crowded(), SPAN, 100))
    assert {attacker["address"] for attacker in found["attackers"]} == {f"2001:db8::{n}" for n in range(4)}


def test_who_broke_in_is_first_among_ten_thousand_louder_ones() -> None:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=600), 0))
    counts = part.store.by_topic["events.authentication"]
    counts.resume()
    loud = [Attempt(0, n, n % 5, n % 60, address=f"2001:db8::{n:x}", number=7 + n % 3) for n in range(10_000)]
    guesses = [Attempt(0, 10_000 + n, n, 0, address="203.0.113.9") for n in range(3)]
    guesses += [Attempt(0, 10_003, 3, 0, address="203.0.113.9", number=3)]
    got_in = Attempt(0, 10_004, 4, 0, "success", address="203.0.113.9")
    clerk = [Attempt(0, 10_005 + n, 4, 0, outcome, address="203.0.113.8") for n, outcome in enumerate(OUTCOMES)]
    counts.count(attempt.record(n) for n, attempt in enumerate([*loud, *guesses, got_in, *clerk]))
    found = asyncio.run(queries.attackers([part], queries.Span(START, START + 300), 50))
    first, second = found["attackers"][:2]
    assert (first["address"], first["failures"], first["successes"]) == ("203.0.113.9", 6, 1)
    assert (second["failures"], len(found["attackers"])) == (9, 50)
    assert (found["total"], found["broke_in_total"]) == (10_002, 1)
