"""Answers questions about the counts of recovered partitions. Times are epoch seconds; `until` is excluded.

Answers show what is counted at this moment. Counting goes on during long ones, so that minutes within one answer may be
some milliseconds apart.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from agents.counting.buckets import ADDRESS, SERVICE, USER, Minute
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.state.changelog import ChangelogPartition

DIMENSIONS = {"service": SERVICE, "address": ADDRESS, "user": USER}
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
    async for _, minute in minutes(parts, span):
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


async def series(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, limit: int
) -> tuple[dict[str, list[list[int]]], bool]:
    """Return attempts by service and minute: [minute, successes, failures, unknown], ascending; and whether services
    with few attempts were left out."""
    found: dict[str, dict[int, list[int]]] = {}
    async for time, minute in minutes(parts, span):
        for name, entry in minute.services.items():
            row = found.setdefault(name, {}).setdefault(time, [0, 0, 0])
            row[0] += entry.success
            row[1] += entry.failure
            row[2] += entry.unknown
    most = nlargest(limit, found.items(), key=lambda item: sum(map(sum, item[1].values())))
    return {name: [[time, *row] for time, row in sorted(rows.items())] for name, rows in most}, len(most) < len(found)


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


async def minutes(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span) -> AsyncIterator[tuple[int, Minute]]:
    """Yield the minutes of a span with their starts, and let other tasks run between them."""
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
