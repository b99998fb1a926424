"""Typed topics and closed minutes in, Elasticsearch out. A batch is acknowledged when each of its records is stored, or
a dead letter.
"""

import asyncio
import gc
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import orjson

from agents.metrics import Metrics
from agents.runtime.app import role_app
from agents.runtime.canary import sample_events
from agents.runtime.failure_limit import FailureLimit, LimitExceeded
from agents.runtime.paused_partitions import AGAIN, PausedPartitions
from agents.runtime.schema_registry import Schemas
from agents.settings import Settings
from agents.transport import BatchApp, ContinuityCheck, Outgoing, abort_process
from sinks.base import Document
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
_DOCUMENTS = 3000  # most that are decoded and written at a time, about as many as one request takes
_GARBAGE = 50_000, 20, 50  # documents are many and never in cycles
_STRETCH = 200  # decoded without letting others have their turn
_WRITES = 3  # at a time: while one is put together, the server has work for two cores
_PAUSE = 0.05  # seconds in which small batches gather
_FRESH = 0.6  # seconds from a write until it is made searchable, when there is no backlog
_FEW = 3000  # documents: so many are always made searchable that soon
_REFRESHING = 0.1  # share of the time that may go into making more than that searchable: they wait for each other
_GLANCE = 0.1  # seconds between looks at whether there is one

_Dead = defaultdict[tuple[str, int], list[Outgoing]]
"""Letters, by topic and partition of what they are about."""


class Indexer:
    """Gathers batches of all partitions, writes them together, then acknowledges them.

    What waits is held undecoded; the transport stops fetching when too much of it waits.
    """

    def __init__(
        self, app: BatchApp, sink: ElasticsearchSink, schemas: Schemas, settings: Settings, metrics: Metrics
    ) -> None:
        self._app, self._sink, self._schemas, self._metrics = app, sink, schemas, metrics
        self._failure_limit, self._paused = FailureLimit(ROLE, settings, self._canary), PausedPartitions(ROLE, metrics)
        self._prefix, self._all = settings.prefix, all_names(settings.namespace)
        self._streams = {kind: stream_name(kind, settings.namespace) for kind in TYPES}
        self._attempts = attempts_name(settings.namespace)
        self._stats = settings.prefix + STATS.name
        self._waiting: deque[Any] = deque()
        self._news = asyncio.Event()
        self._unseen = 0.0  # when the first write was done that is not searchable yet; 0 for none
        self._unseen_documents = 0
        self._written = 0.0  # when the last write was done

    def give(self, event: Any) -> None:
        """Take a batch; does not block."""
        self._metrics.consumed(event.message.topic, len(event.value))
        if not self._paused.waits(event):
            self._waiting.append(event)
            self._news.set()

    async def run(self) -> None:
        """Write for ever. What goes wrong ends the process: nothing unwritten was acknowledged."""
        try:
            await asyncio.gather(*(self._write_on() for _ in range(_WRITES)), self._refresh_on(), self._retry_on())
        except Exception as error:
            abort_process(f"{ROLE}: {error!r}")

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            if sum(len(event.value) for event in self._waiting) < _DOCUMENTS:
                await asyncio.sleep(_PAUSE)
            if events := self._take():
                await self._write(events)

    async def _retry_on(self) -> None:
        """Write once more what is paused; repetitions are present."""
        while True:
            await asyncio.sleep(AGAIN)
            for event in self._paused.release():
                await self._write([event])
            self._paused.settle()

    async def _refresh_on(self) -> None:
        """Make writes searchable soon; not while there is a backlog, for small segments cost the server."""
        pause = _FRESH
        while True:
            await asyncio.sleep(_GLANCE)
            if self._waiting or not self._unseen:
                continue
            begin = time.monotonic()
            wait = _FRESH if self._unseen_documents <= _FEW else pause
            if begin - self._unseen >= wait or begin - self._written >= _FRESH:
                self._unseen, self._unseen_documents = 0.0, 0
                await self._sink.refresh(self._all)
                pause = max(_FRESH, (time.monotonic() - begin) / _REFRESHING)

    def _take(self) -> list[Any]:
        events: list[Any] = []
        size = 0
        while self._waiting and size < _DOCUMENTS:
            events.append(self._waiting.popleft())
            size += len(events[-1].value)
        if not self._waiting:
            self._news.clear()
        return events

    async def _write(self, events: Sequence[Any]) -> None:
        records = chain.from_iterable(event.value for event in events)
        dead = _Dead(list)
        while part := list(islice(records, _DOCUMENTS)):
            for record, found in await self._store_known(part):
                dead[record.topic, record.partition].append(found)
        for event in await self._give_up(events, dead) if dead else events:
            event.ack()

    async def _give_up(self, events: Sequence[Any], dead: "_Dead") -> list[Any]:
        """Deliver letters, and return the batches that are done: those of whose records most fail are paused."""
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
        """What is wrong with a sample event of a typed topic, or with what Elasticsearch would do with it."""
        if (sample := sample_events(self._prefix).get(topic)) is None:
            return ""
        try:
            document = self._document(sample)
        except Exception as error:
            return f"A sample of ours cannot be read, either ({reason_of(error)})"
        refused = await self._sink.refusal(document)
        return f"A sample of ours is refused, too ({refused})" if refused else ""

    async def _store_known(self, records: Sequence[Any]) -> list[tuple[Any, Outgoing]]:
        """As `_store`, once the registry has said what their schemas are: reading begins again with each answer."""
        while True:
            try:
                return await self._store(records)
            except UnknownSchema as unknown:
                await self._schemas.learn(unknown)

    async def _store(self, records: Sequence[Any]) -> list[tuple[Any, Outgoing]]:
        """Store records; returns each that cannot be, and a dead letter about it."""
        documents, sources, dead = [], [], []
        for number, record in enumerate(records, 1):
            try:
                documents.append(self._document(record))
                sources.append(record)
            except UnknownSchema:
                raise
            except Exception as error:  # one record must not stop the others
                dead.append((record, letter(self._prefix, ROLE, record, "decoding", reason_of(error))))
            if number % _STRETCH == 0:
                await asyncio.sleep(0)
        outcome = await self._sink.write(documents)
        self._metrics.written(outcome.stored, outcome.present, len(outcome.rejected))
        self._written = time.monotonic()
        self._unseen = self._unseen or self._written
        self._unseen_documents += len(documents)
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


def make_app(settings: Settings) -> BatchApp:
    """The Faust app of the role."""
    schemas = Schemas(settings)
    app = role_app(ROLE, settings)
    check_continuity, metrics = ContinuityCheck(), Metrics(ROLE)

    async def index(stream: Any) -> None:
        gc.set_threshold(*_GARBAGE)
        sink = ElasticsearchSink(
            settings.elasticsearch, data_streams=True, on_retry=metrics.retried, on_wait=metrics.put_off
        )
        indexer = Indexer(app, sink, schemas, settings, metrics)
        writing = asyncio.create_task(indexer.run())
        try:
            async for event in stream.events():
                check_continuity(event.message, event.value)
                indexer.give(event)
        finally:
            writing.cancel()
            await sink.close()

    app.agent(app.batch_topic(*app.batch_topics), name=ROLE)(index)
    return app
