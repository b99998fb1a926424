"""Records in, one outcome a record out when Kafka has decided: librdkafka behind asyncio, for senders who wait.

https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md#idempotent-producer

Unlike a worker, which waits out an outage, a sender is told: a record that is not delivered in time is given up, and
its sender tries again. What was reported as given up may have been delivered after all.
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

_ENVELOPE = 64 << 10  # room for headers and framing on top of the largest record
_TURN = 500  # records that are taken while others wait
_BUSY, _IDLE = 0.002, 0.5  # seconds between looks at librdkafka's answers

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
"""What lies in the record itself. Anything else may be mended while its sender keeps it and tries again."""


class DeadlineProducer:
    """A producer that answers for every record within `wait` seconds, and holds no more than its bounds.

    Construct, `start`, `accept`, `stop` (or `async with`), all within one event loop. `overrides` are librdkafka's.
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
        self._resting = True
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
        self._look()

    async def stop(self, grace: float = 5.0) -> None:
        """Wait up to `grace` seconds for what is under way; the rest fails."""
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

        The future brings an outcome for each, in order, and never fails.
        """
        call = self._begin(records)
        if records:
            self._produce(records, call.report)
        else:
            call.future.set_result([])
        return call.future

    def _begin(self, records: Sequence[Record]) -> "_Call":
        """Hold what the records take. Raises `Overloaded`."""
        size = sum(len(record[2] or b"") + len(record[1] or b"") for record in records)
        if self.pending_records and (
            self.pending_bytes + size > self.max_bytes or self.pending_records + len(records) > self.max_records
        ):
            raise Overloaded("as many records as allowed wait for Kafka already", 1.0)
        call = _Call(len(records), self._loop.create_future())
        if records:
            self._hold(call, size, len(records))
        return call

    async def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """As `accept`, and wait for the outcomes. While many are taken, others have their turn."""
        if len(records) <= _TURN:
            return await self.accept(records)
        call = self._begin(records)
        at = 0
        try:
            while at < len(records):
                self._produce(records[at : at + _TURN], call.report, at)
                at += _TURN
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            for index in range(at, len(records)):
                call.report(index, KafkaError(KafkaError._PURGE_QUEUE), None)
            raise
        return await call.future

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

    def _hold(self, call: "_Call", size: int, number: int) -> None:
        self.pending_bytes += size
        self.pending_records += number
        self._empty.clear()

        def free(_: object) -> None:
            self.pending_bytes -= size
            self.pending_records -= number
            if not self.pending_records:
                self._empty.set()

        call.future.add_done_callback(free)
        if self._resting and self._timer is not None:
            self._timer.cancel()
            self._rest(_BUSY)

    def _look(self) -> None:
        """Collect librdkafka's answers: often while something is under way, else for its log lines."""
        self.producer.poll(0)
        self._rest(_BUSY if self.pending_records else _IDLE)

    def _rest(self, seconds: float) -> None:
        self._resting = seconds == _IDLE
        self._timer = self._loop.call_later(seconds, self._look)

    def _error(self, error: KafkaError) -> None:
        if error.fatal():
            log.error("the producer is finished: %s", error.str())
            self.finished.set()


class _Call:
    """Collects the outcomes of one call; resolves its future with the last."""

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
