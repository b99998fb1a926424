"""Transfers the messages of a RabbitMQ queue to Kafka in order, and waits as long as either of them is down.

One batch is under way at a time: received, stored, acknowledged. Messages that arrive meanwhile form the next batch.
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
from ingest.amqp.records import MessageConverter, can_repeat, identity, is_letter
from ingest.amqp.session import LOST, Session, text_of
from ingest.amqp.settings import AmqpSettings
from ingest.amqp.writer import RecordWriter
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics

_BACKOFF_FIRST, _BACKOFF_MOST = 0.5, 15.0  # seconds until the next attempt to connect: the first, the longest
_STEADY = 5.0  # seconds after which a connection counts as stable, and the backoff starts anew

log = logging.getLogger("ogrewatch.ingest")


class AmqpReceiver:
    """The AMQP receiver. The constructor raises `BadBroker` for settings that cannot work."""

    def __init__(self, settings: AmqpSettings, delivery: DeadlineProducer, metrics: Metrics) -> None:
        url_of(settings)
        self.broker, self._tls = name_of(settings), tls_of(settings)
        self._settings, self._metrics = settings, metrics
        topic = settings.events_topic
        self._converter = MessageConverter(topic, delivery.name_of(topic), settings.queue, self.broker)
        self._writer = RecordWriter(delivery, metrics, self._converter.refused)
        self._repeats = Deduplicator(settings.remember)
        self._session = Session(settings)
        self._stopping, self._finished = asyncio.Event(), delivery.finished
        self._trouble = ""
        metrics.pending.set_function(lambda: delivery.pending_records)
        metrics.held.set_function(lambda: self._session.held)
        metrics.connections.set_function(lambda: self.connected)

    @property
    def connected(self) -> bool:
        """Whether messages of the queue can arrive."""
        return self._session.live

    async def open(self) -> None:
        """Start the transfer. While RabbitMQ is down it tries to connect; the log says so, and when it is back."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def close(self, grace: float) -> None:
        """Receive nothing more, finish the batch that Kafka was given, and leave the rest in the queue."""
        self._stopping.set()
        self._session.end()
        await asyncio.wait((self._task,), timeout=grace)
        self._task.cancel()
        await asyncio.wait((self._task,))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """End the process after an unexpected error: messages that are not acknowledged are still in the queue."""
        error = None if task.cancelled() else task.exception()
        if error is not None or not self._stopping.is_set():
            log.error("the bridge is finished", exc_info=error)
            self._finished.set()

    async def _run(self) -> None:
        pause = _BACKOFF_FIRST
        while not self._stopping.is_set():
            begun = monotonic()
            reason = await self._transfer_until_lost()
            if monotonic() - begun > _STEADY:
                pause = _BACKOFF_FIRST
            if not self._stopping.is_set():
                self._warn(reason)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause * random.uniform(0.5, 1.0))
                pause = min(_BACKOFF_MOST, 2 * pause)

    async def _transfer_until_lost(self) -> str:
        """Transfer the messages that arrive over one connection; return why it ended."""
        self._session = session = Session(self._settings)
        try:
            reason = await self._open_session(session)
            while batch := await session.receive():
                await self._transfer(session, batch)
            return reason or session.reason
        finally:
            await session.close()

    async def _open_session(self, session: Session) -> str:
        """Connect; return "" or why it was not possible."""
        try:
            await session.open(url_of(self._settings), self._tls)
        except (BadBroker, *LOST) as error:
            session.end()
            return text_of(error)
        self._recovered()
        self._repeats.reconnected()
        return ""

    async def _transfer(self, session: Session, batch: list[DeliveredMessage]) -> None:
        begun = monotonic()
        self._metrics.bytes.inc(sum(len(message.body) for message in batch))
        identities = [identity(message) for message in batch]
        known = self._repeats.drop(identities, [can_repeat(message) for message in batch])
        self._repeats.accepted(identities[known:])
        records = [self._converter.record(message) for message in batch[known:]]
        self._count(known, sum(is_letter(record) for record in records))
        await self._writer.store(records)
        await session.acknowledge(batch)
        self._metrics.seconds.observe(monotonic() - begun)

    def _count(self, repeated: int, poison: int) -> None:
        self._metrics.rejected(self._settings.events_topic, poison)
        if repeated:
            self._metrics.records.labels("amqp", self._settings.events_topic, "repeated").inc(repeated)

    def _warn(self, reason: str) -> None:
        if not self._trouble:
            log.warning("no messages from %s, trying on: %s", self.broker, reason)
        self._trouble = reason

    def _recovered(self) -> None:
        if self._trouble:
            log.warning("messages from %s again", self.broker)
        self._trouble = ""
