"""Stores typed events and window documents in Elasticsearch.

A batch is acknowledged when each of its records is stored or has become a dead letter.
"""

import asyncio
import gc
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

import orjson

from agents.alert_records import AlertRecords
from agents.metrics import Metrics
from agents.runtime.app import role_app
from agents.runtime.canary import sample_events
from agents.runtime.failure_limit import FailureLimit, LimitExceeded
from agents.runtime.paused_partitions import AGAIN, PausedPartitions
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.transport import BatchApp, ContinuityCheck, Outgoing, abort_process
from sinks.base import Document
from sinks.elasticsearch.alerts import AlertSink
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.templates import all_names, attempts_name, stream_name
from topics.avro.attempt_header import arrival
from topics.avro.wire import UnknownSchema
from topics.catalogue import STATS
from topics.documents.document import document_of
from topics.fields import TYPES
from topics.records.deadletter import letter, offset_of, reason_of
from topics.records.stats import document

ROLE = "index"
_ASK = 5.0  # seconds between questions whether Elasticsearch is there
_GLANCE = 30.0  # seconds between checks that the topics are the same ones


@dataclass(frozen=True, slots=True)
class IndexTuning:
    """How much is written at a time, and how soon it becomes searchable."""

    write_documents: int = 3000
    """Most documents that are decoded and written at a time: about as many as one bulk request holds."""
    concurrent_writes: int = 3
    """Writes at a time: while one is put together, the server has work for two cores."""
    gather_seconds: float = 0.05
    """Seconds for which batches with fewer documents than one write wait for others: small requests cost the most."""
    decode_run: int = 200
    """Documents decoded before other tasks may run: some milliseconds, so that heartbeats and metrics are not late."""
    refresh_seconds: float = 0.6
    """Seconds from a write until Elasticsearch is told to make it searchable, when there is no backlog."""
    prompt_documents: int = 3000
    """Up to so many written documents are always refreshed after `refresh_seconds`: that is cheap for the server."""
    refresh_share: float = 0.1
    """Share of the time that refreshes of more documents may take: writes and refreshes wait for each other."""
    refresh_poll_seconds: float = 0.1
    """Seconds between checks whether a refresh is due."""
    gc_thresholds: tuple[int, int, int] = (50_000, 20, 50)
    """Allocations per generation before the garbage collector runs: documents are many and never form cycles."""


TUNING = IndexTuning()

_DeadLetters = defaultdict[tuple[str, int], list[Outgoing]]
"""Dead letters, by topic and partition of the records they are about."""


class Indexer:
    """Gathers batches of all partitions, writes them together, then acknowledges them.

    Waiting batches are held undecoded; the transport stops fetching when too many bytes are not acknowledged.
    """

    def __init__(
        self,
        app: BatchApp,
        sink: ElasticsearchSink,
        alerts: AlertRecords,
        schemas: Schemas,
        settings: Settings,
        metrics: Metrics,
        tuning: IndexTuning = TUNING,
    ) -> None:
        self._app, self._sink, self._schemas, self._metrics = app, sink, schemas, metrics
        self._tuning, self._alerts = tuning, alerts
        self._failure_limit, self._paused = FailureLimit(ROLE, settings, self._canary), PausedPartitions(ROLE, metrics)
        self._prefix, self._all = settings.prefix, all_names(settings.namespace)
        self._streams = {kind: stream_name(kind, settings.namespace) for kind in TYPES}
        self._attempts = attempts_name(settings.namespace)
        self._stats = settings.prefix + STATS.name
        self._waiting: deque[Any] = deque()
        self._news = asyncio.Event()
        self._unrefreshed_since = 0.0  # monotonic time of the first write that is not searchable yet; 0 for none
        self._unrefreshed = 0  # documents
        self._last_write = 0.0  # monotonic time

    def give(self, event: Any) -> None:
        """Queue a batch; does not block."""
        self._metrics.consumed(event.message.topic, len(event.value))
        if not self._paused.waits(event):
            self._waiting.append(event)
            self._news.set()

    async def run(self) -> None:
        """Write for ever. What goes wrong ends the process: nothing unwritten was acknowledged."""
        try:
            await asyncio.gather(
                *(self._write_on() for _ in range(self._tuning.concurrent_writes)), self._refresh_on(), self._retry_on()
            )
        except Exception as error:
            abort_process(f"{ROLE}: {error!r}")

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            if sum(len(event.value) for event in self._waiting) < self._tuning.write_documents:
                await asyncio.sleep(self._tuning.gather_seconds)
            if events := self._take():
                await self._write(events)

    async def _retry_on(self) -> None:
        """Write paused batches again; what Elasticsearch has already is reported as present."""
        while True:
            await asyncio.sleep(AGAIN)
            for event in self._paused.release():
                await self._write([event])
            self._paused.settle()

    async def _refresh_on(self) -> None:
        """Make writes searchable soon; not while there is a backlog, for small segments cost the server."""
        tuning = self._tuning
        fresh = pause = tuning.refresh_seconds
        while True:
            await asyncio.sleep(tuning.refresh_poll_seconds)
            if self._waiting or not self._unrefreshed_since:
                continue
            begin = time.monotonic()
            wait = fresh if self._unrefreshed <= tuning.prompt_documents else pause
            if begin - self._unrefreshed_since >= wait or begin - self._last_write >= fresh:
                self._unrefreshed_since, self._unrefreshed = 0.0, 0
                await self._sink.refresh(self._all)
                pause = max(fresh, (time.monotonic() - begin) / tuning.refresh_share)

    def _take(self) -> list[Any]:
        events: list[Any] = []
        size = 0
        while self._waiting and size < self._tuning.write_documents:
            events.append(self._waiting.popleft())
            size += len(events[-1].value)
        if not self._waiting:
            self._news.clear()
        return events

    async def _write(self, events: Sequence[Any]) -> None:
        records = chain.from_iterable(event.value for event in events)
        dead = _DeadLetters(list)
        while part := list(islice(records, self._tuning.write_documents)):
            for record, found in await self._schemas.known(partial(self._store, part)):
                dead[record.topic, record.partition].append(found)
        for event in await self._give_up(events, dead) if dead else events:
            event.ack()

    async def _give_up(self, events: Sequence[Any], dead: _DeadLetters) -> list[Any]:
        """Deliver dead letters, and return the batches that are done; a batch most of whose records fail is paused."""
        done, letters = [], list[Outgoing]()
        for event in events:
            batch = event.value
            known = dead.get((batch[0].topic, batch[0].partition), ())
            found = [one for one in known if batch[0].offset <= offset_of(one) <= batch.last]
            try:
                await self._failure_limit.check(batch, found)
            except LimitExceeded as error:
                self._paused.hold(event, error)
                continue
            done.append(event)
            letters += found
            self._metrics.dead_lettered(batch[0].topic, len(found))
        await (await self._app.delivery.send(letters))
        return done

    async def _canary(self, topic: str) -> str:
        """Process a sample event of a typed topic. Returns what fails, "" if nothing does."""
        if (sample := sample_events(self._prefix).get(topic)) is None:
            return ""
        try:
            document = self._document(sample)
        except Exception as error:
            return f"A sample of ours cannot be read, either ({reason_of(error)})"
        refused = await self._sink.refusal(document)
        return f"A sample of ours is refused, too ({refused})" if refused else ""

    async def _store(self, records: Sequence[Any]) -> list[tuple[Any, Outgoing]]:
        """Store records. Returns each record that cannot be stored with a dead letter about it."""
        documents, sources = [], []
        dead: list[tuple[Any, Outgoing]] = []
        if alerts := [record for record in records if record.topic in self._alerts.topics]:
            records = [record for record in records if record.topic not in self._alerts.topics]
            dead += await self._alerts.store(alerts)
            self._metrics.written(len(alerts) - len(dead), 0, len(dead))
        for number, record in enumerate(records, 1):
            try:
                documents.append(self._document(record))
                sources.append(record)
            except UnknownSchema:
                raise
            except Exception as error:  # one record must not stop the others
                dead.append((record, letter(self._prefix, ROLE, record, "decoding", reason_of(error))))
            if number % self._tuning.decode_run == 0:
                await asyncio.sleep(0)
        began = time.monotonic()
        outcome = await self._sink.write(documents)
        self._last_write = time.monotonic()
        self._metrics.wrote(self._last_write - began)
        self._metrics.written(outcome.stored, outcome.present, len(outcome.rejected))
        self._unrefreshed_since = self._unrefreshed_since or self._last_write
        self._unrefreshed += len(documents)
        for rejected in outcome.rejected:
            record = sources[rejected.position]
            dead.append((record, letter(self._prefix, ROLE, record, rejected.reason, rejected.text)))
        return dead

    def _document(self, record: Any) -> Document:
        if record.topic == self._stats:
            identity, found = document(record.value or b"")
            return Document(self._attempts, identity, orjson.dumps(found))
        kind, identity, source = document_of(record.value or b"")
        return Document(self._streams[kind], identity, source, arrival(record.value))


class _Watch:
    """Asks Elasticsearch every few seconds whether it is there, because nothing may be written for hours."""

    def __init__(self) -> None:
        self._up = False

    def missing(self) -> str:
        """ "" if Elasticsearch answered the last question."""
        return "" if self._up else "Elasticsearch does not answer"

    async def run(self, sink: ElasticsearchSink) -> None:
        """Ask for ever."""
        while True:
            self._up = await sink.reachable()
            await asyncio.sleep(_ASK)


def make_app(settings: Settings) -> BatchApp:
    """Make the Faust app of the role."""
    schemas = Schemas(settings)
    app = role_app(ROLE, settings)
    check_continuity, metrics, watch = ContinuityCheck(), Metrics(ROLE), _Watch()
    app.conditions.append(watch.missing)

    async def index(stream: Any) -> None:
        gc.set_threshold(*TUNING.gc_thresholds)
        sink = ElasticsearchSink(
            settings.elasticsearch, data_streams=True, on_retry=metrics.retried, on_wait=metrics.put_off
        )
        alerts = AlertSink(settings.elasticsearch, settings.namespace, metrics.retried, metrics.put_off)
        records = AlertRecords(alerts, settings.prefix, ROLE)
        indexer = Indexer(app, sink, records, schemas, settings, metrics)
        writing, watching = asyncio.create_task(indexer.run()), asyncio.create_task(watch.run(sink))
        try:
            async for event in stream.events():
                check_continuity(event.message, event.value)
                indexer.give(event)
        finally:
            writing.cancel()
            watching.cancel()
            await sink.close()
            await alerts.close()

    app.agent(app.batch_topic(*app.batch_topics), name=ROLE)(index)
    app.timer(_GLANCE)(app.watch_topics)
    return app
