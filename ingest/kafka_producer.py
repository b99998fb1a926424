"""Writes records to Kafka with librdkafka from asyncio, and reports for each within a deadline whether it is stored.

A worker waits until Kafka is back; the sender of a request cannot. A record that is not stored before the deadline is
reported as failed, and its sender sends it again. Such a record may have been stored after all.
https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md#idempotent-producer
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from ingest.base import Failure, Outcome, Overloaded, Record
from topics.catalogue import MAX_RECORD
from topics.kafka.client import client_conf

_ENVELOPE = 64 << 10  # bytes for headers and framing on top of the largest record
_CHUNK = 500  # records given to librdkafka before other tasks run: a few milliseconds
_POLL_BUSY, _POLL_IDLE = 0.002, 0.5  # seconds between polls of librdkafka: while records are pending, otherwise

log = logging.getLogger("ogrewatch.ingest")

_DEFAULTS: dict[str, Any] = {
    "client.id": "ogrewatch-ingest",
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 2,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
    "message.max.bytes": MAX_RECORD + _ENVELOPE,
    "log.connection.close": False,
    "log_level": 3,
}

_FINAL = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
    KafkaError._UNKNOWN_PARTITION,
}
"""Errors caused by the record itself. After any other error it may help to send the record again."""


class DeadlineProducer:
    """Reports an outcome for every record within `wait` seconds; at most `max_bytes`, `max_records` are pending.

    Construct, `start`, `accept`, `stop` (or `async with`), all within one event loop. `overrides` are settings of
    librdkafka.
    """

    def __init__(
        self,
        servers: str,
        prefix: str = "",
        overrides: Mapping[str, Any] | None = None,
        *,
        wait: float = 10.0,
        max_bytes: int = 64 << 20,
        max_records: int = 200_000,
    ) -> None:
        self.max_bytes, self.max_records = max_bytes, max_records
        self.pending_bytes = self.pending_records = 0
        self.finished = asyncio.Event()
        """Set when the producer can deliver nothing more, and the process should end."""
        self._prefix = prefix
        self._empty = asyncio.Event()
        self._empty.set()
        self._names: dict[str, str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._polls_rarely = True
        self._access = client_conf(servers)
        self._conf = {
            **self._access,
            "message.timeout.ms": round(wait * 1000),
            "queue.buffering.max.messages": max(2 * max_records, 100_000),
            "queue.buffering.max.kbytes": max(2 * max_bytes, 64 << 20) >> 10,
            **_DEFAULTS,
            **(overrides or {}),
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Create the producer. Does not wait for a connection."""
        self._loop = asyncio.get_running_loop()
        self.producer = Producer(self._conf | {"error_cb": self._error}, logger=log)
        self.admin = AdminClient(self._access | {"log_level": 0})
        self._poll()

    async def stop(self, grace: float = 5.0) -> None:
        """Wait up to `grace` seconds for pending records; those left are reported as failed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), grace)
        if self._timer is not None:
            self._timer.cancel()
        self.producer.purge()
        self.producer.poll(0)

    def name_of(self, topic: str) -> str:
        """The name that a topic of the catalogue has in this Kafka."""
        return self._prefix + topic

    def accept(self, records: Sequence[Record]) -> asyncio.Future[list[Outcome]]:
        """Take all of the records, in order, or raise `Overloaded` and take none. Does not block.

        The future gives an outcome for each, in order, and never raises.
        """
        collector = self._begin(records)
        if records:
            self._produce(records, collector.report)
        else:
            collector.future.set_result([])
        return collector.future

    def _begin(self, records: Sequence[Record]) -> "_Collector":
        """Count the records as pending. Raises `Overloaded`."""
        size = sum(len(record[2] or b"") + len(record[1] or b"") for record in records)
        if self.pending_records and (
            self.pending_bytes + size > self.max_bytes or self.pending_records + len(records) > self.max_records
        ):
            raise Overloaded("as many records as allowed wait for Kafka already", 1.0)
        collector = _Collector(len(records), self._loop.create_future())
        if records:
            self._reserve(collector, size, len(records))
        return collector

    async def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """As `accept`, and wait for the outcomes. Other tasks run between chunks of many records."""
        if len(records) <= _CHUNK:
            return await self.accept(records)
        collector = self._begin(records)
        at = 0
        try:
            while at < len(records):
                self._produce(records[at : at + _CHUNK], collector.report, at)
                at += _CHUNK
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            for index in range(at, len(records)):
                collector.report(index, KafkaError(KafkaError._PURGE_QUEUE), None)
            raise
        return await collector.future

    def _produce(self, records: Sequence[Record], report: Any, first: int = 0) -> None:
        produce, names = self.producer.produce, self._names
        for index, (topic, key, value, partition, timestamp, headers) in enumerate(records, first):
            name = names.get(topic) or names.setdefault(topic, self.name_of(topic))
            try:
                produce(name, value, key, partition, partial(report, index), None, timestamp, headers)  # type: ignore[arg-type]
            except KafkaException as error:
                report(index, error.args[0], None)
            except BufferError:
                report(index, KafkaError(KafkaError._QUEUE_FULL), None)

    def _reserve(self, collector: "_Collector", size: int, number: int) -> None:
        self.pending_bytes += size
        self.pending_records += number
        self._empty.clear()

        def free(_: object) -> None:
            self.pending_bytes -= size
            self.pending_records -= number
            if not self.pending_records:
                self._empty.set()

        collector.future.add_done_callback(free)
        if self._polls_rarely and self._timer is not None:
            self._timer.cancel()
            self._schedule_poll(_POLL_BUSY)

    def _poll(self) -> None:
        """Let librdkafka call back: often while records are pending, otherwise seldom, for its log lines and errors."""
        self.producer.poll(0)
        self._schedule_poll(_POLL_BUSY if self.pending_records else _POLL_IDLE)

    def _schedule_poll(self, seconds: float) -> None:
        self._polls_rarely = seconds == _POLL_IDLE
        self._timer = self._loop.call_later(seconds, self._poll)

    def _error(self, error: KafkaError) -> None:
        if error.fatal():
            log.error("the producer is finished: %s", error.str())
            self.finished.set()


class _Collector:
    """Collects the outcomes of the records given to one `accept`; the last one resolves its future."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, number: int, future: asyncio.Future[list[Outcome]]) -> None:
        self.outcomes: list[Outcome] = [(-1, -1, -1)] * number
        self.left, self.future = number, future

    def report(self, index: int, error: KafkaError | None, message: Message | None) -> None:
        if error is None and message is not None:
            self.outcomes[index] = (message.partition(), message.offset(), message.timestamp()[1])  # type: ignore[assignment]
        elif error is not None:
            self.outcomes[index] = _failure(error)
        self.left -= 1
        if not self.left and not self.future.done():
            self.future.set_result(self.outcomes)


def _failure(error: KafkaError) -> Failure:
    code = error.code()
    return Failure(error.str(), code not in _FINAL, code == KafkaError.MSG_SIZE_TOO_LARGE)
