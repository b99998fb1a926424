"""Combines the answers of several count workers into one result. Pure functions: no I/O.

A worker adds up its partitions before it answers, so an answer is used whole or not at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from web.answers import Answer, Attacker, Attackers, Attempts, Place, Series, T

NAMES = 20
"""The most users, and the most hosts, that are listed for an address."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Login attempts by outcome."""

    success: int = 0
    failure: int = 0
    unknown: int = 0

    @property
    def attempts(self) -> int:
        """The sum of all outcomes."""
        return self.success + self.failure + self.unknown

    @property
    def ratio(self) -> float | None:
        """successes / (successes + failures), rounded to six digits; None when there are neither."""
        known = self.success + self.failure
        return round(self.success / known, 6) if known else None

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.success + other.success, self.failure + other.failure, self.unknown + other.unknown)


def disputed(answers: Iterable[Answer[T]]) -> set[int]:
    """Partitions that more than one answer covers: during a rebalance, or when a zombie has missed one."""
    claims = Counter(partition for answer in answers for partition in answer.partitions)
    return {partition for partition, count in claims.items() if count > 1}


def settle(answers: Iterable[Answer[T]], offsets: Mapping[tuple[str, int], int]) -> list[Answer[T]]:
    """Leave out answers until no partition is counted twice.

    `offsets` says how far a worker, by its URL, has counted a disputed partition. Kept first are answers that are
    behind others in the fewest partitions, then those that cover the most. Partitions that only a dropped answer
    covered are missing from the result.
    """
    furthest: dict[int, int] = {}
    for (_, partition), offset in offsets.items():
        furthest[partition] = max(offset, furthest.get(partition, -1))

    def rank(answer: Answer[T]) -> tuple[int, int, str]:
        behind = sum(
            offsets.get((answer.worker, number), -1) < furthest.get(number, -1) for number in answer.partitions
        )
        return behind, -len(answer.partitions), answer.worker

    kept: list[Answer[T]] = []
    taken: set[int] = set()
    for answer in sorted(answers, key=rank):
        if taken.isdisjoint(answer.partitions):
            kept.append(answer)
            taken |= answer.partitions
    return kept


def add_attempts(parts: Iterable[Attempts]) -> list[tuple[str, Counts]]:
    """Add up the counts of each name over several answers; names with most attempts come first."""
    rows: dict[str, Counts] = {}
    for part in parts:
        for name, row in part.rows.items():
            rows[name] = rows.get(name, Counts()) + Counts(*row)
    return sorted(rows.items(), key=lambda row: (-row[1].attempts, row[0]))


def rank_attackers(
    parts: Iterable[Attackers], rows: slice, sort: str = "broke_in", ascending: bool = False
) -> Attackers:
    """Some of the rows in an order of SORTS. Those that broke in come first in each.

    The counts of an address in several answers are added up, and the address counts once in the totals; only one that
    several workers count and none of them lists counts more than once.
    """
    parts = list(parts)
    listed = [row for part in parts for row in part.rows]
    by_address: dict[str, list[Attacker]] = {}
    for attacker in listed:
        by_address.setdefault(attacker.address, []).append(attacker)
    found = [add_attacker(of_one) for of_one in by_address.values()]
    found.sort(key=lambda row: (-row.failures, -row.last_seen, row.address))
    if sort != SORTS[0]:
        found.sort(key=_MEASURES[sort], reverse=not ascending)
    found.sort(key=lambda row: not row.broke_in)
    left_out = sum(part.total for part in parts) - len(listed)
    breaches_left_out = sum(part.broke_in_total for part in parts) - sum(row.broke_in for row in listed)
    breaches = sum(row.broke_in for row in found)
    return Attackers(found[rows], left_out + len(found), breaches_left_out + breaches)


_MEASURES: dict[str, Callable[[Attacker], Any]] = {
    "failures": lambda row: row.failures,
    "successes": lambda row: row.successes,
    "last_seen": lambda row: row.last_seen,
    "first_seen": lambda row: row.first_seen,
    "users": lambda row: row.user_count,
    "hosts": lambda row: row.host_count,
    "address": lambda row: row.address,
}
SORTS = ("broke_in", *_MEASURES)
"""What attackers can be sorted by; the first is that of failures."""


def add_series(parts: Iterable[Series]) -> dict[str, dict[int, Counts]]:
    """Add up the minutes of each service over several answers."""
    found: dict[str, dict[int, Counts]] = {}
    for part in parts:
        for name, minutes in part.items():
            rows = found.setdefault(name, {})
            for at, counts in minutes.items():
                rows[at] = rows.get(at, Counts()) + Counts(*counts)
    return found


def add_places(parts: Iterable[Mapping[str, Place]]) -> dict[str, Place]:
    """Add up the countries of several answers; an address that two workers count is one of each."""
    found: dict[str, Place] = {}
    for part in parts:
        for code, place in part.items():
            before = astuple(found[code]) if code in found else (0,) * len(astuple(place))
            found[code] = Place(*(old + new for old, new in zip(before, astuple(place), strict=True)))
    return found


def add_attacker(rows: Sequence[Attacker]) -> Attacker:
    """Add up the rows, at least one, of the same address in several answers.

    Two partitions may count one address: lines that get their address from an earlier line of their connection, such
    as those of LDAP, are in the partition of the connection.
    """
    if len(rows) == 1:
        return rows[0]
    users, users_more = _united([(row.users, row.user_count, row.users_more) for row in rows])
    hosts, hosts_more = _united([(row.hosts, row.host_count, row.hosts_more) for row in rows])
    minutes: dict[int, tuple[int, int]] = {}
    for at, good, bad in (minute for row in rows for minute in row.minutes):
        before = minutes.get(at, (0, 0))
        minutes[at] = before[0] + good, before[1] + bad
    return replace(
        max(rows, key=lambda row: row.last_seen),
        country=next((row.country for row in rows if row.country), ""),
        failures=sum(row.failures for row in rows),
        successes=sum(row.successes for row in rows),
        users=users[:NAMES],
        user_count=max(len(users), *(row.user_count for row in rows)),
        users_more=users_more,
        hosts=hosts[:NAMES],
        host_count=max(len(hosts), *(row.host_count for row in rows)),
        hosts_more=hosts_more,
        first_seen=min(row.first_seen for row in rows),
        last_success=max((row.last_success for row in rows if row.last_success), default=None),
        services=_summed(row.services for row in rows),
        minutes=tuple((at, *counts) for at, counts in sorted(minutes.items())),
    )


def _summed(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for name, number in part.items():
            found[name] = found.get(name, 0) + number
    return found


def _united(named: Iterable[tuple[Sequence[str], int, bool]]) -> tuple[tuple[str, ...], bool]:
    """Merge lists of (names, number, whether there are more), and say whether there may be names that no list has."""
    named = list(named)
    names = tuple(dict.fromkeys(name for listed, _, _ in named for name in listed))
    return names, any(more or number > len(listed) for listed, number, more in named)
