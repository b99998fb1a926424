"""Turns raw lines into typed events. A batch is acknowledged when everything made of it was delivered."""

import asyncio
from collections import Counter
from operator import attrgetter
from typing import Any

from agents.metrics import Metrics
from agents.pipeline import Pipeline
from agents.runtime.app import role_app
from agents.runtime.canary import LineCanary
from agents.runtime.failure_limit import FailureLimit, LimitExceeded
from agents.runtime.paused_partitions import AGAIN, PausedPartitions
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.state.changelog_table import ChangelogTable, changelog_name
from agents.state.correlation import BatchState
from agents.state.correlation_store import CorrelationStore
from agents.state.topic_guard import TopicGuard
from agents.transport import BatchApp, ContinuityCheck, Outgoing, abort_process
from topics.catalogue import DEADLETTER, REPLAY, read_by

ROLE = "normalize"
_TABLE = "joins"  # names the changelog topic
_CHECK_INTERVAL = 30.0  # seconds between checks of the GeoIP files and the topics
_KEEP = 86_400.0  # seconds for which correlation state is kept
_PAUSE = 0.05  # seconds between checks whether there was a commit


class Normalizer:
    """Makes events of batches, in their order, and acknowledges each when they are delivered."""

    def __init__(
        self, app: BatchApp, table: ChangelogTable[CorrelationStore], topics: TopicGuard, settings: Settings
    ) -> None:
        self.pipeline = Pipeline(settings)
        self._app, self._table, self._topics = app, table, topics
        self._raw = read_by(ROLE, settings.prefix)
        self._dead, self._replay = settings.prefix + DEADLETTER.name, settings.prefix + REPLAY.name
        self._metrics = Metrics(ROLE)
        self._failure_limit = FailureLimit(ROLE, settings, LineCanary(self.pipeline, settings))
        self._paused, self._turn = PausedPartitions(ROLE, self._metrics), asyncio.Lock()
        self._going = set[asyncio.Task[None]]()

    async def take(self, event: Any) -> None:
        """Process a batch, unless its assignment is over. Waits only while too much is not delivered yet.

        The next batch is parsed while this one is delivered. A partition whose records cannot be processed is paused.
        """
        async with self._turn:
            await self._take(event)

    async def retry(self) -> None:
        """Try paused batches again, for ever. Any error ends the process."""
        while True:
            await asyncio.sleep(AGAIN)
            try:
                async with self._turn:
                    for event in self._paused.release():
                        await self._take(event)
                    self._paused.settle()
            except Exception as error:
                abort_process(f"{ROLE}: {error!r}")

    async def _take(self, event: Any) -> None:
        if self._paused.waits(event):
            return
        try:
            await self._process(event)
        except LimitExceeded as error:
            self._paused.hold(event, error)

    async def _process(self, event: Any) -> None:
        """Parse a batch and send what it became. Raises `LimitExceeded`; nothing was sent then."""
        message, batch = event.message, event.value
        if (part := self._table.store.part_of(message)) is None:
            return
        state = BatchState(part, self._raw.index(message.topic), batch[0].offset, self._app.committed(message.tp))
        events = self.pipeline.records(batch, state)
        await self._check(batch, events)
        if not await self._bounded(message, state):
            return
        self._count(message.topic, events)
        records = [*state.expired(), *events, *state.records(batch.last), *self._topics.records(part)]
        delivered = await self._app.delivery.send(records)
        task = asyncio.create_task(self._acknowledge(event, delivered, part.stale_records()))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _bounded(self, message: Any, state: BatchState) -> bool:
        """Wait for a commit while entries are too large. Returns False if the assignment ends before."""
        while state.too_large:
            await asyncio.sleep(_PAUSE)
            if self._app.should_stop or message.generation_id != self._app.consumer_generation_id:
                return False
            state.committed = self._app.committed(message.tp)
        return True

    async def _acknowledge(self, event: Any, delivered: asyncio.Future[None], stale: list[Outgoing]) -> None:
        try:
            await delivered
            if stale:
                await (await self._app.delivery.send(stale))
        except Exception as error:
            abort_process(f"{ROLE}: not delivered: {error!r}")
        event.ack()

    async def _check(self, batch: Any, events: list[Outgoing]) -> None:
        """Raise `LimitExceeded` when most records fail. Replayed records have failed before and are not checked."""
        if batch[0].topic != self._replay:
            await self._failure_limit.check(batch, [event for event in events if event.topic == self._dead])

    def _count(self, topic: str, events: list[Outgoing]) -> None:
        self._metrics.consumed(topic, len(events))
        produced = Counter(map(attrgetter("topic"), events))
        if dead := produced.pop(self._dead, 0):
            self._metrics.dead_lettered(topic, dead)
        for name, number in produced.items():
            self._metrics.produced(name, number)


def make_app(settings: Settings) -> BatchApp:
    """Make the Faust app of the role. Lines of one raw partition become events in their order."""
    Schemas(settings)
    app, check_continuity = role_app(ROLE, settings), ContinuityCheck()
    topics = TopicGuard(settings, changelog_name(app, _TABLE))
    table: ChangelogTable[CorrelationStore] = ChangelogTable(
        app, _TABLE, servers=settings.kafka, beside=read_by(ROLE, settings.prefix),
        replication=settings.replication, keep=_KEEP,
        make_store=lambda _partition, _partitions: CorrelationStore(), open_partition=topics.open,
    )  # fmt: skip
    app.tables.add(table)
    normalizer = Normalizer(app, table, topics, settings)

    async def normalize(stream: Any) -> None:
        retrying = asyncio.create_task(normalizer.retry())
        try:
            async for event in stream.events():
                check_continuity(event.message, event.value)
                await normalizer.take(event)
        finally:
            retrying.cancel()

    async def look() -> None:
        normalizer.pipeline.enricher.reload_if_changed()
        await topics.watch(table.store.recovered())

    app.agent(app.batch_topic(*app.batch_topics), name=ROLE)(normalize)
    app.timer(_CHECK_INTERVAL)(look)
    return app
