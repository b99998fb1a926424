"""Writes records to Kafka without gaps and in order, however long Kafka is away.

It keeps the invariant that exactness depends on (I3): what was delivered to a partition is a gapless prefix of what was
sent to it, in that order. That needs idempotence, librdkafka's gapless guarantee (any error that could leave a gap ends
the producer) and no time limit on delivery, so that an outage is waited out.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from agents.runtime.kafka_retry import retry_until_answered
from agents.transport.partitioner import partition_of
from topics.kafka.producer import ENVELOPE, AsyncProducer, Outgoing

_POLL_BUSY = 0.004  # seconds between polls of librdkafka while records are pending

log = logging.getLogger("ogrewatch.kafka")

_SETTINGS: dict[str, Any] = {
    "enable.gapless.guarantee": True,  # marked experimental, of which every start warns below log level 3
    "delivery.timeout.ms": 2**31 - 1,
    "linger.ms": 20,
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


class GaplessProducer(AsyncProducer):
    """An idempotent, gapless producer with one future per call and bounded memory. Needs no Faust.

    `overrides` are librdkafka settings. `max_bytes` and `max_records` bound what was sent and is not delivered yet.
    """

    def __init__(
        self,
        servers: str,
        overrides: Mapping[str, Any] | None = None,
        *,
        max_bytes: int = 32 << 20,
        max_records: int = 100_000,
    ) -> None:
        settings = {**_SETTINGS, **(overrides or {})}
        super().__init__(servers, settings, log, _POLL_BUSY, max_bytes=max_bytes, max_records=max_records)
        self._partitions: dict[str, int] = {}
        self._turn = asyncio.Lock()  # senders proceed in the order in which they came
        self._freed = asyncio.Event()
        self._rotation = count()

    async def send(self, records: Sequence[Outgoing]) -> asyncio.Future[None]:
        """Send records, in order. Waits while too much is not delivered yet, however long Kafka is away.

        The future resolves when all are delivered (acks=all) and fails with `KafkaException`; then the producer is
        finished and nothing more will be delivered. Raises `KafkaException` before anything is sent when a record is
        larger than `message.max.bytes`, or when a topic whose partitions are chosen by key does not exist.
        """
        async with self._turn:
            await self._learn({record.topic for record in records if record.partition is None})
            partitions, tails, size = self._plan(records)
            await self._wait_for_capacity(size, len(records))
            return await self._produce(records, partitions, tails, size)

    async def _learn(self, topics: set[str]) -> None:
        """Ask how many partitions topics have, once: a keyed topic must never grow, because its keys would move."""
        for topic in topics - self._partitions.keys():
            found = (
                await retry_until_answered(log, "look at the topics", partial(self.producer.list_topics, topic, 10.0))
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
        size, largest, spread = 0, self._conf["message.max.bytes"] - ENVELOPE, next(self._rotation)
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
        while not self.within_bounds(size, records):
            self._freed.clear()
            await self._freed.wait()

    async def _produce(
        self, records: Sequence[Outgoing], partitions: list[int], tails: set[int], size: int
    ) -> asyncio.Future[None]:
        done = _Tails(len(tails))
        produce: Any = self.producer.produce  # its stub does not take our `Headers`, since lists are invariant
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

    def _released(self) -> None:
        self._freed.set()
