"""Messages of a RabbitMQ queue in, raw records out, in their order: a way in that waits for both its ends for ever.

One batch is under way at a time: taken, stored, acknowledged. What arrives meanwhile is the next one.
https://www.rabbitmq.com/tutorials/amqp-concepts
"""

import asyncio
import contextlib
import logging
import random
from time import monotonic

from aiormq.abc import DeliveredMessage

from ingest.amqp.broker import BadBroker, name_of, tls_of, url_of
from ingest.amqp.deduplication import Deduplicator
from ingest.amqp.records import Maker, can_repeat, identity, is_letter
from ingest.amqp.session import LOST, Session, told
from ingest.amqp.settings import AmqpSettings
from ingest.amqp.writer import RecordWriter
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics

_SOON, _LATE = 0.5, 15.0  # seconds until the next attempt to connect: the first, the longest
_STEADY = 5.0  # seconds after which a connection counts as one that held

log = logging.getLogger("ogrewatch.ingest")


class AmqpReceiver:
    """The bridge, for `serving.serve`. Raises `BadBroker` when made of settings that cannot work."""

    def __init__(self, settings: AmqpSettings, delivery: DeadlineProducer, metrics: Metrics) -> None:
        url_of(settings)
        self.broker, self._tls = name_of(settings), tls_of(settings)
        self._settings, self._metrics = settings, metrics
        topic = settings.events_topic
        self._maker = Maker(topic, delivery.name_of(topic), settings.queue, self.broker)
        self._store = RecordWriter(delivery, metrics, self._maker.refused)
        self._repeats = Deduplicator(settings.remember)
        self._session = Session(settings)
        self._stopping, self._finished = asyncio.Event(), delivery.finished
        self._troubled = ""
        metrics.pending.set_function(lambda: delivery.pending_records)
        metrics.held.set_function(lambda: self._session.held)
        metrics.connections.set_function(lambda: self.connected)

    @property
    def connected(self) -> bool:
        """Whether messages of the queue can come."""
        return self._session.live

    async def open(self) -> None:
        """Begin. RabbitMQ may be away: the log says so, and when it is there."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def close(self, grace: float) -> None:
        """Take nothing more, finish what Kafka was given, leave the rest in the queue."""
        self._stopping.set()
        self._session.end()
        await asyncio.wait((self._task,), timeout=grace)
        self._task.cancel()
        await asyncio.wait((self._task,))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What nobody foresaw ends the process: all that is not acknowledged is still in the queue."""
        error = None if task.cancelled() else task.exception()
        if error is not None or not self._stopping.is_set():
            log.error("the bridge is finished", exc_info=error)
            self._finished.set()

    async def _run(self) -> None:
        pause = _SOON
        while not self._stopping.is_set():
            begun = monotonic()
            reason = await self._through_one_connection()
            if monotonic() - begun > _STEADY:
                pause = _SOON
            if not self._stopping.is_set():
                self._worry(reason)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause * random.uniform(0.5, 1.0))
                pause = min(_LATE, 2 * pause)

    async def _through_one_connection(self) -> str:
        """Bring over what comes through one connection, and say why there is no more."""
        self._session = session = Session(self._settings)
        try:
            reason = await self._connect(session)
            while batch := await session.take():
                await self._carry(session, batch)
            return reason or session.reason
        finally:
            await session.close()

    async def _connect(self, session: Session) -> str:
        """Why it was not possible, else nothing."""
        try:
            await session.open(url_of(self._settings), self._tls)
        except (BadBroker, *LOST) as error:
            session.end()
            return told(error)
        self._calm()
        self._repeats.reconnected()
        return ""

    async def _carry(self, session: Session, batch: list[DeliveredMessage]) -> None:
        begun = monotonic()
        self._metrics.bytes.inc(sum(len(message.body) for message in batch))
        identities = [identity(message) for message in batch]
        known = self._repeats.drop(identities, [can_repeat(message) for message in batch])
        self._repeats.accepted(identities[known:])
        records = [self._maker.record(message) for message in batch[known:]]
        self._count(known, sum(is_letter(record) for record in records))
        await self._store.store(records)
        await session.acknowledge(batch)
        self._metrics.seconds.observe(monotonic() - begun)

    def _count(self, repeated: int, poison: int) -> None:
        self._metrics.rejected(self._settings.events_topic, poison)
        if repeated:
            self._metrics.records.labels("amqp", self._settings.events_topic, "repeated").inc(repeated)

    def _worry(self, reason: str) -> None:
        if not self._troubled:
            log.warning("no messages from %s, trying on: %s", self.broker, reason)
        self._troubled = reason

    def _calm(self) -> None:
        if self._troubled:
            log.warning("messages from %s again", self.broker)
        self._troubled = ""
