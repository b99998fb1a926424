"""Typed topics in, counts of authentication attempts out: by minute, service, address and user, exact, and answering.

A batch is acknowledged when the entries it changed and the row that says so are durable.
"""

import asyncio
import gc
from functools import partial
from typing import Any

from agents.counting.flush import Flusher
from agents.counting.partition_counts import InconsistentState, PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.peers import Endpoint
from agents.counting.recovery_check import RecoveryCheck
from agents.counting.server import Server
from agents.metrics import Metrics
from agents.runtime.app import role_app
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable, changelog_name
from agents.transport import Batch, BatchApp, ContinuityCheck, abort_process
from topics.avro.wire import UnknownSchema
from topics.catalogue import read_by

ROLE = "count"
TABLE = "counts"
_BATCH_BYTES = 64 << 20  # of records not acknowledged; all but those on their way to the agent are free already
_GARBAGE = 50_000, 20, 50  # entries are many and never in cycles: looking for those took a tenth of the time
GLANCE = 30.0
"""Seconds between looks at the topics: whether they are the same, and have as many partitions."""


class Counter:
    """Counts batches of the partitions that the app owns, in the entries of its `table`."""

    def __init__(self, app: BatchApp, settings: Settings) -> None:
        self._app, self._metrics = app, Metrics(ROLE)
        self._schemas = Schemas(settings)
        changelog = changelog_name(app, TABLE)
        self._recovery_check = RecoveryCheck(settings, app.conf.id, changelog)
        self._advice = f"To count anew, stop all count workers and delete topic {changelog} and group {app.conf.id}."
        self.table: ChangelogTable[PartitionStore] = ChangelogTable(
            app, TABLE, servers=settings.kafka, beside=read_by(ROLE, settings.prefix),
            replication=settings.replication, keep=settings.keep,
            make_store=partial(PartitionStore, settings), open_partition=self.open,
        )  # fmt: skip
        self.flusher = Flusher(app, self.table, settings.prefix)

    async def open(self, part: ChangelogPartition[PartitionStore]) -> None:
        """Look at a partition that was recovered, and count on. What is wrong with it ends the process."""
        try:
            await self._recovery_check.check(part.store)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")
        self.flusher.open(part)

    async def take(self, event: Any) -> None:
        """Count a batch, unless it belongs to an assignment that is over; blocks, but for what a registry must say."""
        while True:
            try:
                return self._take(event)
            except UnknownSchema as unknown:
                await self._schemas.learn(unknown)

    def _take(self, event: Any) -> None:
        message, batch = event.message, event.value
        part = self.table.store.parts.get(message.partition)
        if part is None or not part.recovered or message.generation_id != self._app.consumer_generation_id:
            return
        log = part.store.logs[message.topic]
        if 0 <= log.position < batch.after:
            abort_process(
                f"{ROLE}: {message.tp} continues after {batch.after}, but was counted up to {log.position} only"
            )
        records = len(batch)
        self._count(log, batch)
        batch.clear()  # free, long before they are acknowledged
        self.flusher.add(log, event, records)

    def _count(self, log: PartitionCounts, batch: Batch) -> None:
        counted, late, unnamed, dead = log.totals[0], log.late, log.unnamed, len(log.undecodable)
        try:
            log.count(batch)
        finally:
            self._metrics.counted(log.totals[0] - counted, log.late - late, log.unnamed - unnamed)
            if len(log.undecodable) > dead:
                self._metrics.dead_lettered(log.topic, len(log.undecodable) - dead)
        self._metrics.consumed(log.topic, len(batch))

    async def flush(self) -> None:
        """Flush for ever. What goes wrong ends the process."""
        try:
            await self.flusher.run()
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")
        except Exception as error:
            abort_process(f"{ROLE}: {error!r}")

    async def watch(self) -> None:
        """Look whether the topics are still the same, and as large; that they cannot be asked is no reason to stop."""
        logs = [log for part in self.table.store.recovered() for log in part.store.logs.values()]
        try:
            await self._recovery_check.watch(logs, self.table.partitions_there)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")


def make_app(settings: Settings) -> BatchApp:
    """The Faust app of the role. Takes a port for its queries, and names it to the group.

    Raises `BadSettings` where anybody could ask.
    """
    endpoint = Endpoint(settings)
    app = role_app(ROLE, settings, batch_bytes=_BATCH_BYTES, canonical_url=endpoint.url)
    counter, check_continuity = Counter(app, settings), ContinuityCheck()
    app.tables.add(counter.table)
    counter.table.add_dependency(Server(app, counter.table, settings, endpoint))

    async def count(stream: Any) -> None:
        gc.set_threshold(*_GARBAGE)
        flushing = asyncio.create_task(counter.flush())
        try:
            async for event in stream.events():
                check_continuity(event.message, event.value)
                await counter.take(event)
                await asyncio.sleep(0)
        finally:
            flushing.cancel()

    app.agent(app.batch_topic(*app.batch_topics), name=ROLE)(count)
    app.timer(GLANCE)(counter.watch)
    return app
