"""Runs a librdkafka producer in an asyncio event loop: its settings, its life cycle, and how often it is polled.

https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md#idempotent-producer

librdkafka sends in threads of its own and reports deliveries only when it is polled. Subclasses decide what becomes of
a record that cannot be delivered: workers wait until Kafka is back, receivers report a failure within a deadline.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from confluent_kafka import Producer

from topics.catalogue import MAX_RECORD
from topics.headers import Headers
from topics.kafka.client import client_conf

ENVELOPE = 64 << 10
"""Bytes for headers and framing on top of the largest record."""
_POLL_IDLE = 0.5  # seconds between polls while nothing is pending, for log lines and errors
_DEFAULTS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
    "message.max.bytes": MAX_RECORD + ENVELOPE,
    "log.connection.close": False,
    "log_level": 3,
}


class Outgoing(NamedTuple):
    """A record to be written. `partition` None: by the key; `timestamp` is milliseconds since 1970, 0: now.

    It takes some 170 ns longer to make than a tuple. Where that counts, `tuple.__new__(Outgoing, (...))` takes 60 ns.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None
    timestamp: int = 0
    headers: Headers | None = None


class AsyncProducer:
    """A librdkafka producer that is polled by the event loop in which it was started.

    `settings` are librdkafka's. `max_bytes` and `max_records` bound what is pending: given to it and not reported yet.
    Construct, `start`, use, `stop` (or `async with`), all within one event loop.
    """

    def __init__(
        self, servers: str, settings: Mapping[str, Any], log: logging.Logger, poll_busy: float,
        *, max_bytes: int, max_records: int,
    ) -> None:  # fmt: skip
        self.max_bytes, self.max_records = max_bytes, max_records
        self.pending_bytes = self.pending_records = 0
        self._conf = {
            **client_conf(servers),
            "queue.buffering.max.messages": 2 * max_records,
            "queue.buffering.max.kbytes": max(2 * max_bytes, 64 << 20) >> 10,
            **_DEFAULTS,
            **settings,
        }
        self._log, self._poll_busy = log, poll_busy
        self._producer: Producer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._polls_rarely = True

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Create the producer. Does not wait for a connection."""
        self._producer = Producer(self._conf, logger=self._log)
        self._poll()

    async def stop(self, grace: float = 5.0) -> None:
        """Wait up to `grace` seconds for what is pending; what is left by then is reported as failed."""
        if self._producer is None:
            return
        deadline = asyncio.get_running_loop().time() + grace
        while self._pending() and asyncio.get_running_loop().time() < deadline:
            self._producer.poll(0)
            await asyncio.sleep(self._poll_busy)
        if self._timer is not None:
            self._timer.cancel()
        self._producer.purge()
        self._producer.poll(0)
        self._producer = None

    @property
    def producer(self) -> Producer:
        """The producer itself. Raises `RuntimeError` before `start` and after `stop`."""
        if self._producer is None:
            raise RuntimeError("the producer is not started, or stopped")
        return self._producer

    def within_bounds(self, size: int, records: int) -> bool:
        """Whether so many bytes and records are within the bounds. What is larger than the bounds goes alone."""
        return not self.pending_records or (
            self.pending_bytes + size <= self.max_bytes and self.pending_records + records <= self.max_records
        )

    def _hold(self, future: "asyncio.Future[Any]", size: int, records: int) -> None:
        """Count bytes and records as pending until their future is done."""
        self.pending_bytes += size
        self.pending_records += records

        def release(_: object) -> None:
            self.pending_bytes -= size
            self.pending_records -= records
            self._released()

        future.add_done_callback(release)
        self._poll_soon()

    def _released(self) -> None:
        """Called when something is not pending any more."""

    def _pending(self) -> bool:
        return bool(self.pending_records or len(self.producer))

    def _poll_soon(self) -> None:
        """Go over to frequent polls, because a record was given to librdkafka, or is about to be."""
        if self._polls_rarely and self._timer is not None:
            self._timer.cancel()
            self._schedule_poll(self._poll_busy)

    def _poll(self) -> None:
        """Let librdkafka call back: often while something is pending, otherwise seldom."""
        try:
            self.producer.poll(0)
        finally:  # an error in a callback must not end the polling
            self._schedule_poll(self._poll_busy if self._pending() else _POLL_IDLE)

    def _schedule_poll(self, seconds: float) -> None:
        self._polls_rarely = seconds == _POLL_IDLE
        self._timer = asyncio.get_running_loop().call_later(seconds, self._poll)
