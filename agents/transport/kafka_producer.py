"""Writes records to Kafka through librdkafka and asyncio, without gaps and in order.

https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md#idempotent-producer

It keeps the invariant that exactness depends on (I3): what was delivered to a partition is a gapless prefix of what was
sent to it, in that order. That needs idempotence, librdkafka's gapless guarantee (any error that could leave a gap ends
the producer) and no time limit on delivery, so that an outage is waited out.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Self

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from agents.runtime.kafka_retry import retry_until_answered
from agents.transport.partitioner import partition_of
from topics.catalogue import MAX_RECORD
from topics.headers import Headers
from topics.kafka.client import client_conf

#: topic, key, value, partition (None: by key), timestamp in milliseconds (0: now), headers
Outgoing = tuple[str, bytes | None, bytes | None, int | None, int, Headers | None]

_ENVELOPE = 64 << 10  # bytes for headers and framing besides `MAX_RECORD`
_POLL_BUSY, _POLL_IDLE = 0.004, 0.5  # seconds between looks at librdkafka's answers

log = logging.getLogger("ogrewatch.kafka")

_DEFAULTS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "enable.gapless.guarantee": True,
    "delivery.timeout.ms": 2**31 - 1,
    "linger.ms": 20,
    "compression.type": "lz4",
    "partitioner": "murmur2_random",
    "message.max.bytes": MAX_RECORD + _ENVELOPE,
    "log.connection.close": False,
    "log_level": 3,  # else every start warns that the gapless guarantee is marked experimental
}


class _Tails:
    """Resolves a future when the last record of each partition was delivered; then all records before it were, too."""

    __slots__ = ("future", "left")

    def __init__(self, tails: int) -> None:
        self.future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left = tails

    def __call__(self, error: KafkaError | None, _message: Message) -> None:
        self.left -= 1
        if self.future.done():
            return
        if error is not None:
            self.future.set_exception(KafkaException(error))
        elif not self.left:
            self.future.set_result(None)


class GaplessProducer:
    """An idempotent, gapless producer with one future per call and bounded memory.

    Needs no Faust: construct, `start`, `send`, `stop` (or `async with`), all within one event loop. `overrides` are
    librdkafka settings. `max_bytes` and `max_records` bound what was sent and is not delivered yet.
    """

    def __init__(
        self,
        servers: str,
        overrides: Mapping[str, Any] | None = None,
        *,
        max_bytes: int = 32 << 20,
        max_records: int = 100_000,
    ) -> None:
        self.max_bytes, self.max_records = max_bytes, max_records
        self._conf = {
            **client_conf(servers),
            "queue.buffering.max.messages": 2 * max_records,
            "queue.buffering.max.kbytes": max(2 * max_bytes, 64 << 20) >> 10,
            **_DEFAULTS,
            **(overrides or {}),
        }
        self._producer: Producer | None = None
        self._partitions: dict[str, int] = {}
        self._turn = asyncio.Lock()  # senders proceed in the order in which they came
        self._freed = asyncio.Event()
        self._wake = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._posted: set[asyncio.Future[Message]] = set()
        self._rotation = count()
        self.pending_bytes = self.pending_records = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Create the producer. Does not wait for a connection."""
        self._producer = Producer(self._conf, logger=log)
        self._poller = asyncio.create_task(self._serve())

    async def stop(self, grace: float = 5.0) -> None:
        """Wait up to `grace` seconds for what is under way, then drop the rest. Futures of dropped records fail."""
        if self._producer is None or self._poller is None:
            return
        deadline = asyncio.get_running_loop().time() + grace
        while len(self._producer) and asyncio.get_running_loop().time() < deadline:
            self._producer.poll(0)
            await asyncio.sleep(_POLL_BUSY)
        self._poller.cancel()
        self._producer.purge()
        self._producer.poll(0)
        self._producer = None

    async def send(self, records: Sequence[Outgoing]) -> asyncio.Future[None]:
        """Send records, in order. Waits while too much is not delivered yet, however long Kafka is away.

        The future resolves when all are delivered (acks=all) and fails with `KafkaException`; then the producer is
        finished and nothing more will be delivered. Raises `KafkaException` before anything is sent when a record is
        larger than `message.max.bytes`, or when a topic whose partitions are chosen by key does not exist.
        """
        async with self._turn:
            await self._learn({record[0] for record in records if record[3] is None})
            partitions, tails, size = self._plan(records)
            await self._wait_for_capacity(size, len(records))
            return await self._produce(records, partitions, tails, size)

    def post(self, record: Outgoing) -> asyncio.Future[Message]:
        """Send one record without waiting for capacity, for callers that cannot await."""
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                future.set_exception(KafkaException(error))
            else:
                future.set_result(message)

        topic, key, value, partition, timestamp, headers = record
        where = -1 if partition is None else partition
        produce: Any = self._open.produce  # its stub does not take our `Headers`, since lists are invariant
        while True:
            try:
                produce(topic, value, key, where, delivered, None, timestamp, headers)
                break
            except BufferError:
                self._open.poll(0.05)
        self._posted.add(future)
        future.add_done_callback(self._posted.discard)
        self._wake.set()
        return future

    async def settle_posts(self) -> None:
        """Wait until everything posted so far is delivered. Raises `KafkaException` if something was not."""
        if self._posted:
            await asyncio.gather(*self._posted)

    @property
    def _open(self) -> Producer:
        if self._producer is None:
            raise RuntimeError("delivery is not started, or stopped")
        return self._producer

    async def _learn(self, topics: set[str]) -> None:
        """Ask how many partitions topics have, once: a keyed topic must never grow, because its keys would move."""
        for topic in topics - self._partitions.keys():
            found = (
                await retry_until_answered(log, "look at the topics", partial(self._open.list_topics, topic, 10.0))
            ).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            self._partitions[topic] = len(found.partitions)

    def _plan(self, records: Sequence[Outgoing]) -> tuple[list[int], set[int], int]:
        """Choose partitions here rather than in librdkafka, to know which record is the last of each.

        A delivery callback on every record would cost a microsecond each; one on the last of a partition says it all.
        """
        partitions: list[int] = []
        tails: dict[tuple[str, int], int] = {}
        size, largest, spread = 0, self._conf["message.max.bytes"] - _ENVELOPE, next(self._rotation)
        for index, (topic, key, value, partition, _, _) in enumerate(records):
            if partition is None:
                n = self._partitions[topic]
                partition = partition_of(key, n) if key is not None else spread % n
            length = len(value or b"") + len(key or b"")
            if length > largest:
                raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
            size += length
            partitions.append(partition)
            tails[topic, partition] = index
        return partitions, set(tails.values()), size

    async def _wait_for_capacity(self, size: int, records: int) -> None:
        """Wait until the records are within the bounds; records larger than the bounds are sent alone."""
        while self.pending_records and (
            self.pending_bytes + size > self.max_bytes or self.pending_records + records > self.max_records
        ):
            self._freed.clear()
            await self._freed.wait()

    async def _produce(
        self, records: Sequence[Outgoing], partitions: list[int], tails: set[int], size: int
    ) -> asyncio.Future[None]:
        done = _Tails(len(tails))
        produce: Any = self._open.produce  # see `post`
        if not records:
            done.future.set_result(None)
            return done.future
        self._hold(done.future, size, len(records))
        for index, (topic, key, value, _, timestamp, headers) in enumerate(records):
            while True:
                try:
                    notify = done if index in tails else None
                    produce(topic, value, key, partitions[index], notify, None, timestamp, headers)
                    break
                except BufferError:  # one call larger than librdkafka's queue
                    await asyncio.sleep(_POLL_BUSY)
        return done.future

    def _hold(self, future: asyncio.Future[None], size: int, records: int) -> None:
        self.pending_bytes += size
        self.pending_records += records
        self._wake.set()

        def free(_: object) -> None:
            self.pending_bytes -= size
            self.pending_records -= records
            self._freed.set()

        future.add_done_callback(free)

    async def _serve(self) -> None:
        """Poll librdkafka: often while records are under way, else twice a second for its log lines."""
        while True:
            self._open.poll(0)
            if len(self._open):
                await asyncio.sleep(_POLL_BUSY)
                continue
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), _POLL_IDLE)
            except TimeoutError:
                continue
