"""What the transport's tests share: topics with records in them, what a group has committed, an app that runs here."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from agents.transport import BatchApp


class Cluster:
    """A real Kafka, and the topics a test made on it."""

    def __init__(self, servers: str, prefix: str) -> None:
        self.servers, self.prefix = servers, prefix
        self.admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self.made: list[str] = []

    def topic(self, name: str, partitions: int = 1, config: dict[str, str] | None = None) -> str:
        full = f"{self.prefix}-{name}"
        self.admin.create_topics([NewTopic(full, partitions, 1, config=config or {})])[full].result()
        self.made.append(full)
        deadline = time.monotonic() + 60
        while self.admin.list_topics(full, timeout=10).topics[full].error is not None:  # a busy broker needs a moment
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return full

    def fill(self, topic: str, count: int, size: int = 0, partition: int = 0) -> None:
        """Write records whose value is their own number, padded to `size` bytes."""
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 20, "message.max.bytes": 10 << 20})
        for number in range(count):
            while True:
                try:
                    producer.produce(topic, b"%d" % number + b" " * size, b"%d" % number, partition)
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush()

    def end(self, topic: str, partition: int = 0) -> int:
        with self._reader() as reader:
            return int(reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1])

    def read(self, topic: str, partition: int = 0) -> list[Message]:
        """Return all records of a partition."""
        with self._reader() as reader:
            low, high = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            reader.assign([TopicPartition(topic, partition, low)])
            found: list[Message] = []
            deadline = time.monotonic() + 10
            while low < high and (not found or (found[-1].offset() or 0) < high - 1) and time.monotonic() < deadline:
                found += [message for message in reader.consume(5000, 0.5) if message.error() is None]
            return found

    @contextlib.contextmanager
    def _reader(self, group: str = "nobody") -> Iterator[Consumer]:
        conf = {"bootstrap.servers": self.servers, "group.id": group, "enable.auto.commit": False, "log_level": 0}
        reader = Consumer({**conf, "auto.offset.reset": "earliest"})
        try:
            yield reader
        finally:
            reader.close()

    def committed(self, group: str, topic: str, partition: int = 0) -> int:
        """Return what a group has committed; -1 for nothing, and while nobody knows.

        By a consumer that never joins: librdkafka 2.16's `list_consumer_group_offsets` ends the process (SIGSEGV) when
        the coordinator has just moved or restarted.
        """
        with self._reader(group) as reader:
            try:
                found = reader.committed([TopicPartition(topic, partition)], timeout=2)
            except KafkaException:
                return -1
        return max(-1, int(found[0].offset))

    def commit(self, group: str, topic: str, offset: int) -> None:
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, offset)])
        self.admin.alter_consumer_group_offsets([asked])[group].result()

    def delete_before(self, topic: str, offset: int) -> None:
        """Do at once what retention does in the end."""
        self.admin.delete_records([TopicPartition(topic, 0, offset)])[TopicPartition(topic, 0)].result()

    def clean(self) -> None:
        for future in self.admin.delete_topics(self.made).values() if self.made else ():
            future.result()
        with contextlib.suppress(KafkaException):  # no group of this name, or a killed member is still in it
            self.admin.delete_consumer_groups([self.prefix])[self.prefix].result()


class Seen:
    """An app whose agent only collects its events; the test acknowledges them."""

    def __init__(self, servers: str, group: str, datadir: Path, *topics: str, **settings: Any) -> None:
        settings = {"broker_commit_interval": 0.1, **settings}
        self.app = BatchApp(
            group, broker=servers, batch_topics=topics, partitions=1, datadir=datadir / group, **settings
        )
        self.app.revoke_grace = self.app.stop_grace = 0.0
        self.events: list[Any] = []
        self.app.agent(self.app.batch_topic(*topics), name="collect")(self._collect)

    async def _collect(self, stream: Any) -> None:
        async for event in stream.events():
            self.events.append(event)

    async def acknowledge_until(self, condition: Callable[[], object], partition: int = 0, limit: float = 15.0) -> None:
        """Acknowledge what comes for a partition until something comes true; within this loop, unlike `until`."""
        async with asyncio.timeout(limit):
            while not condition():
                for event in self.events:
                    if event.message.partition == partition:
                        event.ack()
                await asyncio.sleep(0.01)

    @property
    def offsets(self) -> list[int]:
        return [record.offset for event in self.events for record in event.value or ()]

    def of(self, partition: int) -> list[int]:
        mine = (event.value or () for event in self.events if event.message.partition == partition)
        return [record.offset for batch in mine for record in batch]


@contextlib.asynccontextmanager
async def running(*apps: BatchApp) -> AsyncIterator[None]:
    """Run apps in this event loop."""
    try:
        for app in apps:
            await app.start()
        yield
    finally:
        for app in apps:
            await app.stop()


async def until(condition: Callable[[], object], limit: float = 15.0) -> None:
    """Wait for something to come true; it may ask Kafka."""
    deadline = time.monotonic() + limit
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.05)
