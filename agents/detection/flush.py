"""Writes the checkpoints of what was judged, and acknowledges the batches once what they changed is durable.

Checkpoints of all partitions are written together, step by step (`agents.detection.checkpoint`), and one flush after
the other. Judging goes on meanwhile. The broker is asked who owns a partition before anything is written of it, and
after the row: see `agents.state.owned_parts`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.detection.checkpoint import Checkpoint, DetectionStore, take
from agents.detection.rulebook import RuleBook
from agents.detection.state import DetectionState
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable
from agents.state.owned_parts import OwnedParts
from agents.transport import BatchApp, Outgoing

Part = ChangelogPartition[DetectionStore]


@dataclass(frozen=True, slots=True)
class FlushTuning:
    """When checkpoints are written."""

    gather_seconds: float = 0.5
    """Seconds for which changes are gathered: a group that changes often is written once for all of them."""
    max_pending_records: int = 30_000
    """Judged records after which a flush does not wait: the transport fetches nothing while too much is pending."""
    poll_seconds: float = 0.1
    """Seconds between checks whether something is due, and between questions to a broker that did not confirm."""
    clock_seconds: float = 5.0
    """Seconds between checks whether alerts are over, or have news to tell."""


TUNING = FlushTuning()


@dataclass(eq=False, slots=True)
class Pending:
    """What was judged of one partition and is not durable: events to acknowledge, since when (monotonic seconds)."""

    state: DetectionState
    part: Part
    events: list[Any] = field(default_factory=list)
    since: float = 0.0
    looked: float = 0.0

    def due(self, tuning: FlushTuning, hurry: bool, left: Callable[[int], Mapping[str, int]]) -> bool:
        """Tell whether a checkpoint is due; with `hurry` events are not left to gather."""
        moment = time.monotonic()
        if self.events and (hurry or moment - self.since >= tuning.gather_seconds):
            return True
        if self.state.inherited:
            return True
        if self.events or moment - self.looked < tuning.clock_seconds:
            return False
        self.looked = moment
        now = self.state.now(left(self.part.partition))
        self.state.expire(now)
        return bool(self.state.judge.dirty) or any(
            change.closed or change.alert.due(now, change.rule.suppress) for change in self.state.news.values()
        )


class Flusher:
    """Writes the checkpoints of an app's table. `prefix` is put before topic names; `published` is told of alerts."""

    def __init__(
        self,
        app: BatchApp,
        table: ChangelogTable[DetectionStore],
        prefix: str,
        book: RuleBook,
        published: Callable[[int], object] = lambda _: None,
        tuning: FlushTuning = TUNING,
    ) -> None:
        self._app, self._table, self._prefix, self._book, self._tuning = app, table, prefix, book, tuning
        self._published = published
        self._parts: dict[int, Pending] = {}
        self._owned = OwnedParts(app, table, tuning.poll_seconds)
        self._pending_records = 0

    def open(self, part: Part, state: DetectionState) -> None:
        """Begin to write checkpoints of a part that has just been recovered."""
        self._parts[part.partition] = Pending(state, part)

    def add(self, partition: int, event: Any, records: int) -> None:
        """Add a batch that was judged, to be acknowledged when it is durable."""
        pending = self._parts[partition]
        if not pending.events:
            pending.since = time.monotonic()
        pending.events.append(event)
        self._pending_records += records

    def owned(self) -> list[DetectionState]:
        """The states of the partitions that are owned, as far as is known."""
        return [one.state for one in self._parts.values() if self._owned.has(one.part)]

    async def run(self) -> None:
        """Flush for ever. Raises what goes wrong; nothing that is not durable was acknowledged."""
        while True:
            await asyncio.sleep(self._tuning.poll_seconds)
            self._parts = {number: one for number, one in self._parts.items() if self._owned.has(one.part)}
            self._owned.forget_moved()
            if not self._table.store.moving:
                await self.flush()

    async def flush(self) -> None:
        """Write the checkpoints that are due."""
        too_many = self._pending_records > self._tuning.max_pending_records
        hurry = too_many or self._app.rebalancing or self._app.should_stop
        chosen = [one for one in self._parts.values() if one.due(self._tuning, hurry, self._left)]
        if not chosen or not await self._owned.may_write({one.part for one in chosen}):
            return
        self._pending_records = 0
        taken = []
        for one in chosen:
            taken.append(self._take(one))
            await asyncio.sleep(0)
        await self._write(taken)

    def _take(self, one: Pending) -> tuple[Checkpoint, list[Any]]:
        """Take a checkpoint; without an await, so that all of it is true at one position."""
        events, one.events = one.events, []
        now = one.state.now(self._left(one.part.partition))
        one.state.expire(now)
        return take(one.state, one.part, self._prefix, self._book, now), events

    def _left(self, partition: int) -> dict[str, int]:
        """How many records are left to read of each log of a partition number."""
        return {tp.topic: account[2] for tp, account in self._app.accounts() if tp.partition == partition}

    async def _write(self, taken: list[tuple[Checkpoint, list[Any]]]) -> None:
        checkpoints = [checkpoint for checkpoint, _ in taken]
        await self._deliver([record for one in checkpoints for record in one.first])
        await self._deliver([record for one in checkpoints for record in one.row])
        for event in [event for _, events in taken for event in events]:
            event.ack()
        parts = await self._owned.proven({one.part for one in checkpoints})
        proven = [one for one in checkpoints if one.part in parts]
        await self._deliver([record for one in proven for record in one.last])
        self._published(sum(one.alerts for one in proven))

    async def _deliver(self, records: list[Outgoing]) -> None:
        """Send records, and return when all of them are durable."""
        await (await self._app.delivery.send(records))
