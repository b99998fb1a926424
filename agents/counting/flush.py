"""Writes the checkpoints of what was counted, and acknowledges the batches once what they changed is durable.

Checkpoints of all partitions are written together, step by step, and one flush after the other. Counting goes on
meanwhile, and queries read what is counted, not what is written.

The broker is asked who owns a partition before anything is written of it (`agents.state.owned_parts`), and again after
outbox and row are durable, before windows, sent notes and erasures are sent.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from agents.counting.checkpoint import Checkpoint, resume, take
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.windows import Window, due
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable
from agents.state.owned_parts import OwnedParts
from agents.transport import BatchApp, Outgoing
from topics.records.deadletter import letter


@dataclass(frozen=True, slots=True)
class FlushTuning:
    """When checkpoints are written."""

    gather_seconds: float = 0.5
    """Seconds for which changes are gathered: an entry that changes often is written once for all of them."""
    max_pending_records: int = 15_000
    """Counted records after which a flush does not wait: the transport fetches nothing while too much is pending."""
    poll_seconds: float = 0.1
    """Seconds between checks whether something is due, and between questions to a broker that did not confirm."""
    idle_seconds: float = 10.0
    """Seconds without records after which the minutes of a partition close by the clock instead of by arrivals."""


TUNING = FlushTuning()


@dataclass(eq=False, slots=True)
class PendingPartition:
    """What was counted and is not durable: events to acknowledge since `since`, and windows that a predecessor decided.

    `last_batch` and `since` are monotonic seconds; `inherited` are the predecessor's windows.
    """

    counts: PartitionCounts
    part: ChangelogPartition[PartitionStore]
    tuning: FlushTuning
    last_batch: float
    since: float = 0.0
    events: list[Any] = field(default_factory=list)
    inherited: list[Window] = field(default_factory=list)

    def now(self) -> int:
        """Return the time of the stream in milliseconds. It is the clock's once no records have come for a while, or
        when arrivals claim as late a time.
        """
        clock, known = int(time.time() * 1000), self.counts.time
        idle = time.monotonic() - self.last_batch > self.tuning.idle_seconds
        return clock if idle else max(known.now, min(known.latest, clock))

    def due(self, hurry: bool) -> bool:
        """Tell whether a checkpoint is due; with `hurry` events are not left to gather."""
        if self.events and (hurry or time.monotonic() - self.since >= self.tuning.gather_seconds):
            return True
        return bool(self.inherited) or due(self.counts, self.now())


@dataclass(frozen=True, slots=True)
class _Pending:
    checkpoint: Checkpoint
    letters: list[Outgoing]
    events: list[Any]


class Flusher:
    """Writes the checkpoints of an app's table. `prefix` is put before topic names."""

    def __init__(
        self, app: BatchApp, table: ChangelogTable[PartitionStore], prefix: str, tuning: FlushTuning = TUNING
    ) -> None:
        self._app, self._table, self._prefix, self._tuning = app, table, prefix, tuning
        self._partitions: dict[PartitionCounts, PendingPartition] = {}
        self._owned = OwnedParts(app, table, tuning.poll_seconds)
        self._pending_records = 0

    def open(self, part: ChangelogPartition[PartitionStore]) -> None:
        """Begin to write checkpoints of a part that has just been recovered."""
        for counts in part.store.by_topic.values():
            self._partitions[counts] = PendingPartition(
                counts, part, self._tuning, time.monotonic(), inherited=resume(counts)
            )

    def add(self, counts: PartitionCounts, event: Any, records: int) -> None:
        """Add a batch that was counted, to be acknowledged when it is durable."""
        partition = self._partitions[counts]
        partition.last_batch = time.monotonic()
        if not partition.events:
            partition.since = partition.last_batch
        partition.events.append(event)
        self._pending_records += records

    async def run(self) -> None:
        """Flush for ever. Raises what goes wrong; nothing that is not durable was acknowledged."""
        while True:
            await asyncio.sleep(self._tuning.poll_seconds)
            self._partitions = {counts: one for counts, one in self._partitions.items() if self._owned.has(one.part)}
            self._owned.forget_moved()
            if not self._table.store.moving:
                await self.flush()

    async def flush(self) -> None:
        """Write the checkpoints that are due."""
        too_many = self._pending_records > self._tuning.max_pending_records
        hurry = too_many or self._app.rebalancing or self._app.should_stop
        chosen = [partition for partition in self._partitions.values() if partition.due(hurry)]
        if not chosen or not await self._owned.may_write({partition.part for partition in chosen}):
            return
        self._pending_records = 0
        pending = []
        for partition in chosen:
            pending.append(self._take(partition))
            await asyncio.sleep(0)
        await self._write(pending)

    def _take(self, partition: PendingPartition) -> _Pending:
        """Take a checkpoint; without an await, so that all of it is true at one position."""
        counts = partition.counts
        events, partition.events = partition.events, []
        inherited, partition.inherited = partition.inherited, []
        found, counts.undecodable = counts.undecodable, []
        letters = [letter(self._prefix, "count", record, "decoding", text) for record, text in found]
        return _Pending(take(counts, partition.part, partition.now(), inherited), letters, events)

    async def _write(self, pending: list[_Pending]) -> None:
        await self._deliver([record for p in pending for record in (*p.letters, *p.checkpoint.entries)])
        await self._deliver([record for p in pending for record in p.checkpoint.row])
        for event in [event for p in pending for event in p.events]:
            event.ack()
        proven = await self._owned.proven({p.checkpoint.part for p in pending})
        last = [p.checkpoint.last(self._prefix) for p in pending if p.checkpoint.part in proven]
        await self._deliver([record for records in last for record in records])

    async def _deliver(self, records: list[Outgoing]) -> None:
        """Send records, and return when all of them are durable."""
        await (await self._app.delivery.send(records))
