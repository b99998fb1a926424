"""A raw topic that was created again: its offsets begin anew, so its lines would pass for those that are stored."""

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.correlation import BatchState
from agents.state.correlation_store import MOST, TOPICS, CorrelationStore, Entry
from agents.state.topic_guard import KEYS, TopicGuard
from agents.transport import FATAL, partition_of
from agents.transport.partitioner import _cached_murmur2, murmur2
from operations.process import command_line
from topics.catalogue import CATALOGUE
from topics.event import Event, key_of
from topics.kafka.admin import create_topics
from topics.kafka.topic_ids import identities

PARTITIONS = 2


class Place:
    """Topics of their own, and one normalize worker after the other."""

    def __init__(self, servers: str, unique: str, folder: Path) -> None:
        self.servers, self.prefix, self.log = servers, f"{unique}.", folder / "log"
        self.admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self._environment = os.environ | {
            "OGREWATCH_KAFKA": servers,
            "OGREWATCH_PREFIX": self.prefix,
            "OGREWATCH_PARTITIONS": str(PARTITIONS),
            "OGREWATCH_DATA_DIR": str(folder),
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.create()

    def create(self) -> None:
        create_topics(self.servers, prefix=self.prefix, partitions=PARTITIONS, replication=1)

    def delete(self, *names: str) -> None:
        for future in self.admin.delete_topics([self.prefix + name for name in names]).values():
            with contextlib.suppress(KafkaException):  # a changelog that no worker has made yet
                future.result(30)

    def start(self) -> "subprocess.Popen[bytes]":
        with self.log.open("a") as log:
            command = command_line("worker", "normalize", "--bare")
            self.workers.append(subprocess.Popen(command, env=self._environment, stderr=log))
        return self.workers[-1]

    def send(self, number: int) -> None:
        producer = Producer({"bootstrap.servers": self.servers, "log_level": 0})
        for n in range(number):
            producer.produce(f"{self.prefix}raw.syslog", b"<13>Jan  1 00:00:00 host%d program: line" % n)
        assert producer.flush(30) == 0

    def committed(self, number: int) -> bool:
        """Whether so many lines are normalized for good."""
        assert self.workers[-1].poll() is None, self.log.read_text()
        conf = {"bootstrap.servers": self.servers, "group.id": f"{self.prefix}ogrewatch-normalize", "log_level": 0}
        consumer = Consumer(conf)
        partitions = [TopicPartition(f"{self.prefix}raw.syslog", number) for number in range(PARTITIONS)]
        try:
            return sum(max(0, found.offset) for found in consumer.committed(partitions, timeout=30)) == number
        except KafkaException:  # a group that has just come to be
            return False
        finally:
            consumer.close()

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait(30)
        self.delete("ogrewatch-normalize-joins-changelog", *(topic.name for topic in CATALOGUE))


@pytest.fixture
def place(kafka: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    made = Place(kafka, unique, tmp_path)
    yield made
    made.close()


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.2)


def _work_once(place: "Place") -> None:
    """A worker comes, does a hundred lines, and goes."""
    worker = place.start()
    place.send(100)
    until(lambda: place.committed(100))
    worker.terminate()
    assert worker.wait(40) == 0


def test_a_raw_topic_created_again_is_refused(place: Place) -> None:
    _work_once(place)
    place.delete("raw.syslog")
    place.create()
    place.send(10)
    assert place.start().wait(60) == FATAL
    assert "raw.syslog was deleted and created again" in place.log.read_text()


def test_more_partitions_than_before_are_refused(place: Place) -> None:
    _work_once(place)
    topic = f"{place.prefix}raw.syslog"
    place.admin.create_partitions([NewPartitions(topic, PARTITIONS + 1)])[topic].result(30)
    assert place.start().wait(60) != 0
    told = place.log.read_text()  # as the changelog is looked at, or as the partition comes: what is first
    assert "need the same number of partitions" in told or f"no such partitions as {topic}-{PARTITIONS}" in told


def test_typed_topics_with_more_partitions_are_refused(place: Place) -> None:
    _work_once(place)
    topic = f"{place.prefix}events.system"
    place.admin.create_partitions([NewPartitions(topic, PARTITIONS + 1)])[topic].result(30)
    assert place.start().wait(60) == FATAL
    assert f"partitions of {topic} were 2 and are 3" in place.log.read_text()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have ended the process."""
    found: list[str] = []
    monkeypatch.setattr("agents.state.topic_guard.abort_process", found.append)
    return found


@pytest.fixture
async def opened(place: Place, tmp_path: Path) -> tuple[TopicGuard, ChangelogPartition[CorrelationStore]]:
    """The topics of a place, and a part that knows them."""
    topics = TopicGuard(Settings(kafka=place.servers, prefix=place.prefix, data_dir=tmp_path), "joins")
    part: ChangelogPartition[CorrelationStore] = ChangelogPartition("joins", 0, CorrelationStore())
    names = [f"{place.prefix}raw.syslog", f"{place.prefix}raw.events"]
    await asyncio.to_thread(until, lambda: len(identities(place.servers, names, names)) == 2)  # a broker may lag behind
    await topics.open(part)
    return topics, part


async def test_a_version_that_chooses_other_keys_is_refused(
    opened: tuple[TopicGuard, ChangelogPartition[CorrelationStore]], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topics, part = opened
    await topics.open(part)
    assert not told
    monkeypatch.setattr("agents.state.topic_guard.KEYS", "3")
    await topics.open(part)
    assert "keys were 2 and are 3" in told[0]


async def test_a_raw_topic_created_again_at_work_is_noticed(
    opened: tuple[TopicGuard, ChangelogPartition[CorrelationStore]], place: Place, told: list[str]
) -> None:
    topics, part = opened
    await topics.watch([part])
    assert not told
    await asyncio.to_thread(place.delete, "raw.events")
    await topics.watch([part])
    assert not told  # it may be on its way
    async with asyncio.timeout(90):
        while not told:  # a broker may still show what it has deleted, and refuse its name
            await asyncio.to_thread(place.create)
            await asyncio.sleep(0.2)
            await topics.watch([part])
    assert f"{place.prefix}raw.events was deleted and created again" in told[0]


def test_a_change_of_keys_has_a_new_number() -> None:
    events: tuple[Event, ...] = (
        {"source_ip": "192.0.2.1", "host_hostname": "web1", "user_name": "root"},
        {"source_ip": "2001:db8::1", "host_hostname": "web1"},
        {"source_ip": "", "host_hostname": "web1"},
        {},
        {"source_ip": "192.0.2.1", "host_hostname": "h", "event_dataset": "slapd", "extra": {"slapd.connection": "7"}},
    )
    keys = [key_of(event) for event in events]
    assert (KEYS, keys) == ("2", [b"192.0.2.1", b"2001:db8::1", b"web1", b"", b"h|7"])
    assert [partition_of(key, 64) for key in keys] == [27, 44, 22, 25, 24]


def test_long_keys_go_where_short_ones_would_and_are_not_cached() -> None:
    before = _cached_murmur2.cache_info().currsize
    assert partition_of(b"h" * 100_000, 64) == (murmur2(b"h" * 100_000) & 0x7FFFFFFF) % 64
    assert _cached_murmur2.cache_info().currsize == before


def test_the_topics_are_remembered_through_a_flood_of_connections() -> None:
    part: ChangelogPartition[CorrelationStore] = ChangelogPartition("joins", 0, CorrelationStore())
    part.generation = 1
    part.store.keep(TOPICS, Entry({"raw.syslog": "one"}, 1 << 40))
    state = BatchState(part, 0, 1)
    for number in range(MOST + 10):
        state.put(str(number), 1)
    state.at(2, 1 << 50)
    state.records(2)
    later = BatchState(part, 0, 3, committed=3)
    later.at(3, 1 << 51)
    assert not later.expired()
    assert later.get(str(MOST)) is None
    entry = part.store.find(TOPICS)
    assert entry is not None
    assert entry.value == {"raw.syslog": "one"}
