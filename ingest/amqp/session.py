"""Consumes a RabbitMQ queue over one connection: gives out batches of messages in order, and acknowledges them.

https://www.rabbitmq.com/docs/confirms
"""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from typing import Any

import aio_pika
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import AMQPError, ChannelAccessRefused, ChannelPreconditionFailed
from yarl import URL

from ingest.amqp.settings import AmqpSettings

LOST = (AMQPError, OSError, RuntimeError)
"""Raised when a connection cannot be made or is lost; aiormq raises RuntimeError for a closed one."""

_CONNECT_TIMEOUT = 10.0  # seconds for a connection, and for each answer while it is set up
_CLOSE_TIMEOUT = 1.0  # seconds to wait for the broker's answer when closing
_BATCH_BYTES = 16 << 20  # bytes of a batch; a single message may be larger

log = logging.getLogger("ogrewatch.ingest")


class Session:
    """A consumer of the queue. Call `open`, then `receive` and `acknowledge` in turn, then `close`; all in one loop."""

    def __init__(self, settings: AmqpSettings) -> None:
        self._settings = settings
        self._arrived: deque[DeliveredMessage] = deque()
        self._changed = asyncio.Event()
        self._ended = False
        self._batch_size = max(1, settings.prefetch // 2)  # messages; the other half of the prefetch arrives meanwhile
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._channel: Any = None
        self.reason = "the connection ended"
        """Why no more messages arrive."""
        self.held = 0
        """Bytes of messages that arrived and are not acknowledged yet."""

    @property
    def live(self) -> bool:
        """Whether messages can still arrive, as far as is known."""
        return self._channel is not None and not self._ended

    async def open(self, url: URL, tls: ssl.SSLContext | None) -> None:
        """Connect and begin to consume. Raises one of `LOST`."""
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            self._connection = aio_pika.Connection(url, ssl_context=tls)
            await self._connection.connect(_CONNECT_TIMEOUT)
            await self._declare()
            channel = await self._new_channel()
            await channel.set_qos(prefetch_count=self._settings.prefetch)
            self._channel = await channel.get_underlay_channel()
            self._channel.on_consumer_cancel_callbacks.add(self._cancelled)
            await self._channel.basic_consume(self._settings.queue, self._arrive)

    async def receive(self) -> list[DeliveredMessage]:
        """Return the messages that have arrived, in order; wait for the first. Empty when no more will arrive."""
        while not self._arrived and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        batch: list[DeliveredMessage] = []
        size = 0
        while self._arrived and not self._ended and len(batch) < self._batch_size and size < _BATCH_BYTES:
            batch.append(self._arrived.popleft())
            size += len(batch[-1].body)
        return batch

    async def acknowledge(self, batch: list[DeliveredMessage]) -> None:
        """Acknowledge a batch and all before it. Does nothing when the connection is lost: they will come again."""
        self.held -= sum(len(message.body) for message in batch)
        with contextlib.suppress(*LOST):
            await self._channel.basic_ack(batch[-1].delivery_tag, multiple=True)

    def end(self) -> None:
        """Receive nothing more."""
        self._finish("asked to end")

    async def close(self) -> None:
        """Close the connection; messages that are not acknowledged stay in the queue."""
        self.end()
        if self._connection is not None:
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(self._connection.close(), _CLOSE_TIMEOUT)

    async def _declare(self) -> None:
        """Declare exchange, queue and binding. Those that differ or may not be declared are used as they are."""
        settings = self._settings
        channel = await self._new_channel()
        try:
            exchange = await channel.declare_exchange(settings.exchange, aio_pika.ExchangeType.DIRECT, durable=True)
            queue = await channel.declare_queue(settings.queue, durable=True)
            await queue.bind(exchange, settings.routing_key)
            await channel.close()
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            log.info("queue %s is used as it is: %s", settings.queue, error)

    async def _new_channel(self) -> aio_pika.abc.AbstractChannel:
        assert self._connection is not None
        channel = self._connection.channel(publisher_confirms=False)
        channel.close_callbacks.add(self._closed)
        await channel.initialize()
        return channel

    async def _arrive(self, message: DeliveredMessage) -> None:
        self._arrived.append(message)
        self.held += len(message.body)
        self._changed.set()

    def _closed(self, _: object, error: BaseException | None = None) -> None:
        if self._channel is not None:
            self._finish("the connection ended" if error is None else text_of(error))

    def _cancelled(self, _: object) -> None:
        self._finish("the queue is gone")

    def _finish(self, reason: str) -> None:
        if not self._ended:
            self._ended, self.reason = True, reason
            self._changed.set()


def text_of(error: BaseException) -> str:
    """Return the text of an exception; it never contains the URL."""
    return str(error) or type(error).__name__
