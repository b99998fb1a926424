"""Judges events by rules, exactly once, and publishes alerts.

A batch is acknowledged when what it changed is durable: groups, positions and the alerts that were decided.
"""

import asyncio
import logging
from functools import partial
from typing import Any

from agents.counting.partition_counts import InconsistentState
from agents.counting.recovery_check import RecoveryCheck
from agents.detection.checkpoint import DetectionStore, resume
from agents.detection.flush import Flusher
from agents.detection.rulebook import RuleBook
from agents.detection.state import DetectionState
from agents.metrics import Metrics
from agents.runtime.app import add_flushed_agent, role_app
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable, changelog_name
from agents.transport import BatchApp, abort_process
from topics.catalogue import read_by

ROLE = "detect"
TABLE = "groups"
_BATCH_BYTES = 64 << 20  # bytes of records not acknowledged
_KEEP = 7 * 86_400.0  # seconds: the longest span of a correlation
GLANCE = 30.0
"""Seconds between checks that the topics are the same ones and have as many partitions."""

_log = logging.getLogger("ogrewatch.detect")


class Detector:
    """Judges batches of the partitions that the app owns, in the states of its `table`."""

    def __init__(self, app: BatchApp, settings: Settings) -> None:
        self._app, self._prefix, self._metrics = app, settings.prefix, Metrics(ROLE)
        self._schemas, self.book = Schemas(settings), RuleBook(settings)
        changelog = changelog_name(app, TABLE)
        self._recovery_check = RecoveryCheck(settings, app.conf.id, changelog)
        self._advice = f"To judge anew, stop all detect workers and delete topic {changelog} and group {app.conf.id}."
        self.table: ChangelogTable[DetectionStore] = ChangelogTable(
            app, TABLE, servers=settings.kafka, beside=read_by(ROLE, settings.prefix),
            replication=settings.replication, keep=_KEEP, make_store=DetectionStore, open_partition=self.open,
        )  # fmt: skip
        self.flusher = Flusher(app, self.table, settings.prefix, self.book, self._metrics.alerted)
        self._starting = asyncio.Lock()

    async def open(self, part: ChangelogPartition[DetectionStore]) -> None:
        """Check a recovered partition and start to judge it. Ends the process if it is inconsistent."""
        async with self._starting:
            if not self.book.current.version:
                await self.book.start()
        state = resume(part.store, self._prefix, self.book)
        try:
            await self._recovery_check.check(part.store)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")
        self.flusher.open(part, state)

    async def take(self, event: Any) -> None:
        """Judge a batch, unless it belongs to an assignment that is over. Waits only for the schema registry."""
        await self._schemas.known(partial(self._take, event))

    async def _take(self, event: Any) -> None:
        message, batch = event.message, event.value
        if (part := self.table.store.part_of(message)) is None:
            return
        state = part.store.state
        assert state is not None, "it was opened"
        log = state.logs[message.topic]
        if 0 <= log.position < batch.after:
            abort_process(f"{ROLE}: {message.tp} continues after {batch.after}, but was judged up to {log.position}")
        before = self._totals(state)
        state.take(message.topic, batch)
        self._metrics.consumed(message.topic, len(batch))
        self._metrics.judged(*(now - then for now, then in zip(self._totals(state), before, strict=True)))
        records = len(batch)
        batch.clear()  # frees the records long before they are acknowledged
        self.flusher.add(message.partition, event, records)

    @staticmethod
    def _totals(state: DetectionState) -> tuple[int, int, int, int]:
        judge = state.judge
        return (state.judged, state.matched, judge.late.total(), judge.evicted.total())

    async def flush(self) -> None:
        """Flush for ever. Any error ends the process."""
        try:
            await asyncio.gather(self.flusher.run(), self.book.watch())
        except Exception as error:
            _log.exception("what was judged cannot be saved")
            abort_process(f"{ROLE}: {error!r}")

    async def watch(self) -> None:
        """End the process if topics were replaced or have other partitions; go on if Kafka does not answer."""
        states = self.flusher.owned()
        self._metrics.groups(sum(len(state.judge.groups) for state in states), self.book.current.version)
        logs = [log for state in states for log in state.logs.values()]
        try:
            await self._recovery_check.watch(logs, self.table.partitions_there)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")


def make_app(settings: Settings) -> BatchApp:
    """Make the Faust app of the role."""
    app = role_app(ROLE, settings, batch_bytes=_BATCH_BYTES)
    detector = Detector(app, settings)
    app.tables.add(detector.table)
    add_flushed_agent(app, ROLE, detector.take, detector.flush, detector.book.close)
    app.timer(GLANCE)(detector.watch)
    return app
