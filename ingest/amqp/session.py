"""One connection to RabbitMQ: messages of the queue in, batches of them out in order, acknowledgements back.

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
"""What a connection that cannot be made or is gone raises; RuntimeError is what aiormq says of a closed one."""

_PATIENCE = 10.0  # seconds for a connection, and for each answer while it is set up
_LAST = 1.0  # seconds for the broker's answer to our good-bye
_BATCH = 16 << 20  # bytes of a batch; a single message may be larger

log = logging.getLogger("ogrewatch.ingest")


class Session:
    """A consumer of the queue. `open`, then `take` and `acknowledge` in turn, at last `close`; all in one loop."""

    def __init__(self, settings: AmqpSettings) -> None:
        self._settings = settings
        self._arrived: deque[DeliveredMessage] = deque()
        self._stir = asyncio.Event()
        self._ended = False
        self._most = max(1, settings.prefetch // 2)  # so that as many may be on their way meanwhile
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._channel: Any = None
        self.reason = "the connection ended"
        """Why nothing comes any more."""
        self.held = 0
        """Bytes of messages that arrived and were not acknowledged."""

    @property
    def live(self) -> bool:
        """Whether messages still come, as far as is known."""
        return self._channel is not None and not self._ended

    async def open(self, url: URL, tls: ssl.SSLContext | None) -> None:
        """Connect and begin to consume. Raises one of `LOST`."""
        async with asyncio.timeout(_PATIENCE):
            self._connection = aio_pika.Connection(url, ssl_context=tls)
            await self._connection.connect(_PATIENCE)
            await self._declare()
            channel = await self._new_channel()
            await channel.set_qos(prefetch_count=self._settings.prefetch)
            self._channel = await channel.get_underlay_channel()
            self._channel.on_consumer_cancel_callbacks.add(self._cancelled)
            await self._channel.basic_consume(self._settings.queue, self._arrive)

    async def take(self) -> list[DeliveredMessage]:
        """The messages that are there, in order; waits for the first. Empty when nothing will come any more."""
        while not self._arrived and not self._ended:
            self._stir.clear()
            await self._stir.wait()
        batch: list[DeliveredMessage] = []
        size = 0
        while self._arrived and not self._ended and len(batch) < self._most and size < _BATCH:
            batch.append(self._arrived.popleft())
            size += len(batch[-1].body)
        return batch

    async def acknowledge(self, batch: list[DeliveredMessage]) -> None:
        """Acknowledge a batch and all before it. Nothing happens when the connection is gone: they will come again."""
        self.held -= sum(len(message.body) for message in batch)
        with contextlib.suppress(*LOST):
            await self._channel.basic_ack(batch[-1].delivery_tag, multiple=True)

    def end(self) -> None:
        """Take nothing more."""
        self._finish("asked to end")

    async def close(self) -> None:
        """Say good-bye; what was not acknowledged stays in the queue."""
        self.end()
        if self._connection is not None:
            with contextlib.suppress(*LOST):
                await asyncio.wait_for(self._connection.close(), _LAST)

    async def _declare(self) -> None:
        """Make sure of exchange, queue and binding. What may not be declared, or is of another kind, is used as is."""
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
        self._stir.set()

    def _closed(self, _: object, error: BaseException | None = None) -> None:
        if self._channel is not None:
            self._finish("the connection ended" if error is None else told(error))

    def _cancelled(self, _: object) -> None:
        self._finish("the queue is gone")

    def _finish(self, reason: str) -> None:
        if not self._ended:
            self._ended, self.reason = True, reason
            self._stir.set()


def told(error: BaseException) -> str:
    """An exception in words, which never hold the URL."""
    return str(error) or type(error).__name__
