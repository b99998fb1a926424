"""Counts login attempts by minute, service, address and user, exactly, and answers questions about them.

A batch is acknowledged when the entries that it changed and the row that vouches for them are durable.
"""

from functools import partial
from typing import Any

from agents.counting.flush import Flusher
from agents.counting.partition_counts import InconsistentState, PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.peers import Endpoint
from agents.counting.recovery_check import RecoveryCheck
from agents.counting.server import Server
from agents.metrics import Metrics
from agents.runtime.app import add_flushed_agent, role_app
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable, changelog_name
from agents.transport import Batch, BatchApp, abort_process
from topics.catalogue import read_by

ROLE = "count"
TABLE = "counts"
_BATCH_BYTES = 64 << 20  # bytes of records not acknowledged; what was counted of them is freed at once
GLANCE = 30.0
"""Seconds between checks that the topics are the same ones and have as many partitions."""


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
        """Check a recovered partition and start to count it. Ends the process if it is inconsistent."""
        try:
            await self._recovery_check.check(part.store)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")
        self.flusher.open(part)

    async def take(self, event: Any) -> None:
        """Count a batch, unless it belongs to an assignment that is over. Waits only for the schema registry."""
        await self._schemas.known(partial(self._take, event))

    async def _take(self, event: Any) -> None:
        message, batch = event.message, event.value
        if (part := self.table.store.part_of(message)) is None:
            return
        counts = part.store.by_topic[message.topic]
        if 0 <= counts.position < batch.after:
            abort_process(
                f"{ROLE}: {message.tp} continues after {batch.after}, but was counted up to {counts.position} only"
            )
        records = len(batch)
        self._count(counts, batch)
        batch.clear()  # frees the records long before they are acknowledged
        self.flusher.add(counts, event, records)

    def _count(self, counts: PartitionCounts, batch: Batch) -> None:
        counted, late, unnamed, dead = counts.totals[0], counts.late, counts.unnamed, len(counts.undecodable)
        try:
            counts.count(batch)
        finally:
            self._metrics.counted(counts.totals[0] - counted, counts.late - late, counts.unnamed - unnamed)
            if len(counts.undecodable) > dead:
                self._metrics.dead_lettered(counts.topic, len(counts.undecodable) - dead)
        self._metrics.consumed(counts.topic, len(batch))

    async def flush(self) -> None:
        """Flush for ever. Any error ends the process."""
        try:
            await self.flusher.run()
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")
        except Exception as error:
            abort_process(f"{ROLE}: {error!r}")

    async def watch(self) -> None:
        """End the process if topics were replaced or have other partitions; go on if Kafka does not answer."""
        partitions = [counts for part in self.table.store.recovered() for counts in part.store.by_topic.values()]
        try:
            await self._recovery_check.watch(partitions, self.table.partitions_there)
        except InconsistentState as error:
            abort_process(f"{ROLE}: {error}. {self._advice}")


def make_app(settings: Settings) -> BatchApp:
    """Make the Faust app of the role. It listens on a port for queries, and tells the group which.

    Raises `BadSettings` where anybody could ask, `OSError` when no port is free.
    """
    endpoint = Endpoint(settings)
    app = role_app(ROLE, settings, batch_bytes=_BATCH_BYTES, canonical_url=endpoint.url)
    counter = Counter(app, settings)
    app.tables.add(counter.table)
    counter.table.add_dependency(Server(app, counter.table, settings, endpoint))
    add_flushed_agent(app, ROLE, counter.take, counter.flush)
    app.timer(GLANCE)(counter.watch)
    return app
