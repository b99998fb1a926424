"""Answers questions about the counts of recovered partitions. Times are epoch seconds; `until` is excluded.

Answers show what is counted at this moment. Counting goes on during long ones, so that minutes within one answer may be
some milliseconds apart.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from agents.counting.break_in import broke_in
from agents.counting.buckets import ADDRESS, MORE_HOSTS, MORE_USERS, SERVICE, USER, Minute, Source
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.state.changelog import ChangelogPartition

DIMENSIONS = {"service": SERVICE, "address": ADDRESS, "user": USER}
NAMES = 20
"""Most users, and most hosts, that an answer lists."""
UNNAMED = "(others)"
"""How answers name those that were beyond the limit of names of their minute."""
_YIELD_ENTRIES = 5_000  # entries read before other tasks may run: about a millisecond


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes from `since` to before `until`."""

    since: int
    until: int


async def attempts(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, by: str, limit: int
) -> tuple[dict[str, Any], bool]:
    """Return attempts by outcome for each service, address or user, at most `limit`, and whether some were left out."""
    sums: dict[str, list[int]] = {}
    async for _, minute in _minutes(parts, span):
        for name, entry in minute.tables[DIMENSIONS[by]].items():
            key = name or UNNAMED
            row = sums.get(key)
            if row is None:
                sums[key] = [entry.success, entry.failure, entry.unknown]
            else:
                row[0] += entry.success
                row[1] += entry.failure
                row[2] += entry.unknown
    most = nlargest(limit, sums.items(), key=lambda item: sum(item[1]))
    rows = {key: {"success": row[0], "failure": row[1], "unknown": row[2]} for key, row in most}
    return rows, len(rows) < len(sums)


async def attackers(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, limit: int) -> dict[str, Any]:
    """Return at most `limit` addresses that failed, their number (`total`), and how many got in (`broke_in_total`).

    Those that guessed and got in come first, so that no number of louder ones hides them; then those with most
    failures, then the latest.
    """
    parts = list(parts)
    failed = {key: row for key, row in (await _sums(parts, span)).items() if row.failures}
    chosen = nlargest(limit, failed, key=lambda key: failed[key].rank())
    rows = await _rows(parts, span, chosen)
    breaches = sum(broke_in(row.failures, row.successes) for row in failed.values())
    return {"attackers": rows, "total": len(failed), "broke_in_total": breaches}


async def _sums(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span) -> dict[str, "_Sums"]:
    """Return what ranks each address: less than an answer has, since there may be hundreds of thousands."""
    sums: dict[str, _Sums] = {}
    async for _, minute in _minutes(parts, span):
        for key, entry in minute.addresses.items():
            if not key:
                continue
            row = sums.get(key)
            if row is None:
                row = sums[key] = _Sums()
            row.failures += entry.failure
            row.successes += entry.success
            if entry.last > row.last:
                row.last = entry.last
    return sums


async def _rows(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, chosen: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the rows of the chosen addresses, highest rank first."""
    found = {key: _Attacker(address=key) for key in chosen}
    async for time, minute in _minutes(parts, span):
        if len(found) < len(minute.addresses):
            hits: Iterable[str] = (key for key in found if key in minute.addresses)
        else:
            hits = (key for key in minute.addresses if key in found)
        for key in hits:
            found[key].add(time, minute.addresses[key])
    return [attacker.row() for attacker in sorted(found.values(), key=_Attacker.rank, reverse=True)]


async def attacker(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, address: str
) -> dict[str, Any] | None:
    """Return one address and its minutes (start, successes, failures), None if nothing is known of it."""
    found = _Attacker(address=address)
    async for time, minute in _minutes(parts, span):
        if (entry := minute.addresses.get(address)) is not None:
            found.add(time, entry)
    if not found.minutes:
        return None
    return {**found.row(), "minutes": [[time, *counts] for time, counts in sorted(found.minutes.items())]}


def state(parts: Iterable[ChangelogPartition[PartitionStore]]) -> dict[str, Any]:
    """Return the progress of each part: offsets, attempts counted, late attempts, the latest arrival."""
    return {str(part.partition): _state(part) for part in parts}


def _state(part: ChangelogPartition[PartitionStore]) -> dict[str, Any]:
    partitions = part.store.by_topic.values()
    return {
        "offset": sum(counts.position + 1 for counts in partitions),
        "offsets": {counts.topic: counts.position for counts in partitions},
        "total": sum(counts.totals[0] for counts in partitions),
        "late": sum(counts.late for counts in partitions),
        "recovered": part.recovered,
        "newest": max(counts.newest for counts in partitions) / 1000,
    }


async def _minutes(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span
) -> AsyncIterator[tuple[int, Minute]]:
    read = 0
    for counts, time in list(_times(parts, span)):
        if (minute := counts.minutes.get(time)) is not None:
            yield time, minute
            read += len(minute.addresses) + len(minute.users)
        if read > _YIELD_ENTRIES:
            read = 0
            await asyncio.sleep(0)


def _times(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span) -> Iterator[tuple[PartitionCounts, int]]:
    for part in parts:
        for counts in part.store.by_topic.values():
            for time in sorted(time for time in counts.minutes if span.since <= time < span.until):
                yield counts, time


@dataclass(slots=True)
class _Sums:
    """The counts of one address over several minutes; `last` in microseconds."""

    failures: int = 0
    successes: int = 0
    last: int = 0

    def rank(self) -> tuple[bool, int, int]:
        """Higher is worse: those that broke in, then those that failed most, then the latest."""
        return broke_in(self.failures, self.successes), self.failures, self.last


@dataclass(slots=True)
class _Attacker(_Sums):
    """What an answer says of one address."""

    address: str = ""
    country: str = ""
    users: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    more: int = 0
    first: int = 0
    minutes: dict[int, list[int]] = field(default_factory=dict)

    def add(self, minute: int, entry: Source) -> None:
        self.failures += entry.failure
        self.successes += entry.success
        self.users.update(dict.fromkeys(entry.users))
        self.hosts.update(dict.fromkeys(entry.hosts))
        self.more |= entry.more
        self.country = entry.country or self.country
        self.first = min(self.first, entry.first) if self.first else entry.first
        self.last = max(self.last, entry.last)
        counts = self.minutes.setdefault(minute, [0, 0])
        counts[0] += entry.success
        counts[1] += entry.failure

    def row(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "country": self.country,
            "failures": self.failures,
            "successes": self.successes,
            "users": list(self.users)[:NAMES],
            "user_count": len(self.users),
            "users_more": bool(self.more & MORE_USERS),
            "hosts": list(self.hosts)[:NAMES],
            "host_count": len(self.hosts),
            "hosts_more": bool(self.more & MORE_HOSTS),
            "first_seen": self.first / 1_000_000,
            "last_seen": self.last / 1_000_000,
        }
