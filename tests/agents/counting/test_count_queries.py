"""What answers make of names that a minute had no room for."""

import asyncio

from count_kit import START, Attempt

from agents.counting import queries
from agents.counting.cardinality import BUDGET
from agents.counting.partition_store import PartitionStore
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition

SPAN = queries.Span(START, START + 60)


def crowded() -> list[ChangelogPartition[PartitionStore]]:
    part = ChangelogPartition("changelog", 0, PartitionStore(Settings(keep=600), 0, BUDGET // 2))
    log = part.store.logs["events.authentication"]
    log.resume()
    log.count(Attempt(0, n, 0, n, address=f"2001:db8::{n}", user="").record(n) for n in range(9))
    return [part]


def test_others_are_in_the_sum_under_their_own_name() -> None:
    rows, truncated = asyncio.run(queries.attempts(crowded(), SPAN, "address", 100))
    assert rows.pop(queries.UNNAMED)["failure"] == 5
    assert (len(rows), truncated) == (4, False)
    assert sum(row["failure"] for row in rows.values()) == 4


def test_others_are_no_attacker() -> None:
    found = asyncio.run(queries.attackers(crowded(), SPAN, 100))
    assert {attacker["address"] for attacker in found} == {f"2001:db8::{n}" for n in range(4)}
