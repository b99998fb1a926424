"""Writes the checkpoints of what was counted, and acknowledges the batches once what they changed is durable.

Checkpoints of all logs are written together, one step after the other, one round after the other. Counting goes on
meanwhile, and queries read what is counted, not what is written.

A worker that was stopped for longer than its session has a successor and does not know it. Only the broker can tell,
and it is asked twice, by a commit under the worker's own generation:

- when a part was recovered, before anything is written of it: so what its owner goes by is what was durable before any
  later owner began;
- when outbox and row are durable, before windows, notes and erasures are sent: so every later owner finds them, and
  whatever is sent now, however late it arrives, is what a later owner sends, too.

What the broker does not confirm loses against what the successor writes (see `checkpoint`).
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
from agents.transport import BatchApp, Outgoing
from topics.records.deadletter import letter

AGE = 0.5
"""Seconds for which changes gather."""
_MAX_PENDING_RECORDS = 15_000  # records that are too many to wait: fetching stops when too much is unacknowledged
_TICK = 0.1  # seconds between looks
_IDLE = 10.0  # seconds without records after which a log's minutes close by the clock


@dataclass(eq=False, slots=True)
class PendingPartition:
    """What a log has been given and not made durable: events to acknowledge, and windows that a predecessor decided."""

    log: PartitionCounts
    part: ChangelogPartition[PartitionStore]
    heard: float
    since: float = 0.0
    events: list[Any] = field(default_factory=list)
    owed: list[Window] = field(default_factory=list)

    def now(self) -> int:
        """The log's time in milliseconds; the clock's, when nothing comes any more, or what comes claims that time."""
        clock, known = int(time.time() * 1000), self.log.time
        return clock if time.monotonic() - self.heard > _IDLE else max(known.now, min(known.latest, clock))

    def due(self, hurry: bool) -> bool:
        """Whether a checkpoint is worth while."""
        if self.events and (hurry or time.monotonic() - self.since >= AGE):
            return True
        return bool(self.owed) or due(self.log, self.now())


@dataclass(frozen=True, slots=True)
class _Pending:
    checkpoint: Checkpoint
    letters: list[Outgoing]
    events: list[Any]


class Flusher:
    """Writes the checkpoints of an app's table."""

    def __init__(self, app: BatchApp, table: ChangelogTable[PartitionStore], prefix: str) -> None:
        self._app, self._table, self._prefix = app, table, prefix
        self._accounts: dict[PartitionCounts, PendingPartition] = {}
        self._confirmed: set[ChangelogPartition[PartitionStore]] = set()
        self._pending_records = 0

    def open(self, part: ChangelogPartition[PartitionStore]) -> None:
        """Begin with the logs of a part that has just been recovered."""
        for log in part.store.logs.values():
            self._accounts[log] = PendingPartition(log, part, time.monotonic(), owed=resume(log))

    def add(self, log: PartitionCounts, event: Any, records: int) -> None:
        """Take a batch that was counted; it will be acknowledged."""
        account = self._accounts[log]
        account.heard = time.monotonic()
        if not account.events:
            account.since = account.heard
        account.events.append(event)
        self._pending_records += records

    async def run(self) -> None:
        """Flush for ever. Raises what goes wrong; nothing that is not durable was acknowledged."""
        while True:
            await asyncio.sleep(_TICK)
            self._accounts = {log: account for log, account in self._accounts.items() if self._owns(account.part)}
            self._confirmed = set(filter(self._owns, self._confirmed))
            if not self._table.store.moving:
                await self.flush()

    async def flush(self) -> None:
        """Make durable what is due."""
        hurry = self._pending_records > _MAX_PENDING_RECORDS or self._app.rebalancing or self._app.should_stop
        chosen = [account for account in self._accounts.values() if account.due(hurry)]
        if not chosen or not await self._may_write({account.part for account in chosen}):
            return
        self._pending_records = 0
        pending = []
        for account in chosen:
            pending.append(self._take(account))
            await asyncio.sleep(0)
        await self._write(pending)

    async def _may_write(self, parts: set[ChangelogPartition[PartitionStore]]) -> bool:
        """Whether the broker has confirmed, since they were recovered, that these parts are this worker's."""
        unconfirmed = parts - self._confirmed
        if unconfirmed and not await self._confirm(unconfirmed):
            return False
        self._confirmed |= unconfirmed
        return True

    def _take(self, account: PendingPartition) -> _Pending:
        """Without an await, so that all of it is true at one position."""
        events, account.events = account.events, []
        owed, account.owed = account.owed, []
        found, account.log.undecodable = account.log.undecodable, []
        letters = [letter(self._prefix, "count", record, "decoding", text) for record, text in found]
        return _Pending(take(account.log, account.part, account.now(), owed), letters, events)

    async def _write(self, pending: list[_Pending]) -> None:
        await self._deliver([record for p in pending for record in (*p.letters, *p.checkpoint.entries)])
        await self._deliver([record for p in pending for record in p.checkpoint.row])
        for event in [event for p in pending for event in p.events]:
            event.ack()
        pending = await self._proven(pending)
        await self._deliver([record for p in pending for record in p.checkpoint.last(self._prefix)])

    async def _deliver(self, records: list[Outgoing]) -> None:
        """Return when everything is durable."""
        await (await self._app.delivery.send(records))

    async def _proven(self, pending: list[_Pending]) -> list[_Pending]:
        """What this worker still owned when all of it was durable; asks until the broker says so, or it has moved."""
        while pending := [p for p in pending if self._owns(p.checkpoint.part)]:
            if await self._confirm({p.checkpoint.part for p in pending}):
                break
            await asyncio.sleep(_TICK)
        return pending

    async def _confirm(self, parts: set[ChangelogPartition[PartitionStore]]) -> bool:
        """Ask the broker whether this worker owns parts, unless it knows that it does not."""
        store = self._table.store
        if store.moving or not all(map(self._owns, parts)):
            return False
        return await self._app.commit_as_owner(store.generation, {part.partition for part in parts})

    def _owns(self, part: ChangelogPartition[PartitionStore]) -> bool:
        return self._table.store.parts.get(part.partition) is part
