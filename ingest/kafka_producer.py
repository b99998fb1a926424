"""Writes records to Kafka, and reports for each within a deadline whether it is stored.

A worker waits until Kafka is back; the sender of a request cannot. A record that is not stored before the deadline is
reported as failed, and its sender sends it again. Such a record may have been stored after all.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka.admin import AdminClient

from ingest.base import Failure, Outcome, Overloaded
from topics.kafka.client import client_conf
from topics.kafka.producer import AsyncProducer, Outgoing

_CHUNK = 500  # records given to librdkafka before other tasks run: a few milliseconds
_POLL_BUSY = 0.002  # seconds between polls of librdkafka while records are pending
_LEAST_QUEUE = 100_000  # records that librdkafka's queue holds at least, because it must never be full

log = logging.getLogger("ogrewatch.ingest")

_FINAL = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG_SIZE,
    KafkaError.INVALID_RECORD,
    KafkaError.INVALID_TIMESTAMP,
    KafkaError.POLICY_VIOLATION,
    KafkaError._UNKNOWN_PARTITION,
}
"""Errors caused by the record itself. After any other error it may help to send the record again."""


class DeadlineProducer(AsyncProducer):
    """Reports an outcome for every record within `wait` seconds; at most `max_bytes`, `max_records` are pending.

    `prefix` is put before the names of topics. `overrides` are settings of librdkafka.
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
        self.finished = asyncio.Event()
        """Set when the producer can deliver nothing more, and the process should end."""
        self._prefix, self._servers = prefix, servers
        self._names: dict[str, str] = {}
        settings = {
            "client.id": "ogrewatch-ingest",
            "linger.ms": 2,
            "message.timeout.ms": round(wait * 1000),
            "queue.buffering.max.messages": max(2 * max_records, _LEAST_QUEUE),
            "error_cb": self._error,
            **(overrides or {}),
        }
        super().__init__(servers, settings, log, _POLL_BUSY, max_bytes=max_bytes, max_records=max_records)

    async def start(self) -> None:
        """Create the producer, and a client for questions about topics. Does not wait for a connection."""
        await super().start()
        self.admin = AdminClient(client_conf(self._servers) | {"log_level": 0})

    def name_of(self, topic: str) -> str:
        """The name that a topic of the catalogue has in this Kafka."""
        return self._prefix + topic

    def accept(self, records: Sequence[Outgoing]) -> asyncio.Future[list[Outcome]]:
        """Take all of the records, in order, or raise `Overloaded` and take none. Does not block.

        The future gives an outcome for each, in order, and never raises.
        """
        collector = self._begin(records)
        if records:
            self._produce(records, collector.report)
        else:
            collector.future.set_result([])
        return collector.future

    def _begin(self, records: Sequence[Outgoing]) -> "_Collector":
        """Count the records as pending. Raises `Overloaded`."""
        size = sum(len(record.value or b"") + len(record.key or b"") for record in records)
        if not self.within_bounds(size, len(records)):
            raise Overloaded("as many records as allowed wait for Kafka already", 1.0)
        collector = _Collector(len(records))
        if records:
            self._hold(collector.future, size, len(records))
        return collector

    async def deliver(self, records: Sequence[Outgoing]) -> list[Outcome]:
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

    def _produce(self, records: Sequence[Outgoing], report: Any, first: int = 0) -> None:
        produce, names = self.producer.produce, self._names
        for index, (topic, key, value, partition, timestamp, headers) in enumerate(records, first):
            name = names.get(topic) or names.setdefault(topic, self.name_of(topic))
            where = -1 if partition is None else partition
            try:
                produce(name, value, key, where, partial(report, index), None, timestamp, headers)  # type: ignore[arg-type]
            except KafkaException as error:
                report(index, error.args[0], None)
            except BufferError:
                report(index, KafkaError(KafkaError._QUEUE_FULL), None)

    def _error(self, error: KafkaError) -> None:
        if error.fatal():
            log.error("the producer is finished: %s", error.str())
            self.finished.set()


class _Collector:
    """Collects the outcomes of the records given to one `accept`; the last one resolves its future."""

    __slots__ = ("future", "left", "outcomes")

    def __init__(self, number: int) -> None:
        self.outcomes: list[Outcome] = [(-1, -1, -1)] * number
        self.future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self.left = number

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
