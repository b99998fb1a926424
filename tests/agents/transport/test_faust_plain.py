"""What Faust does without us: when one of these fails, a newer Faust has mended a fault, and something of ours may go.

docs/faust.md says what each of them is avoided by.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from confluent_kafka import Producer
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP
from transport_kit import Cluster, running, until

from agents.transport import partition_of

HERE = TP("source", 0)


def plain(servers: str, name: str, folder: Path, **settings: Any) -> Any:
    return faust.App(
        name, broker=f"kafka://{servers}", datadir=folder / name, value_serializer="raw", key_serializer="raw",
        web_enabled=False, topic_disable_leader=True, consumer_auto_offset_reset="earliest",
        broker_commit_interval=0.1, stream_wait_empty=False, **settings,
    )  # fmt: skip


@pytest.fixture
async def consumer(tmp_path: Path) -> AsyncIterator[Any]:
    """Faust's consumer, which keeps its accounts without Kafka, too."""
    found = plain("127.0.0.1:1", "alone", tmp_path).consumer
    assert type(found) is Consumer
    yield found
    found._thread.thread_loop.close()


async def test_before_the_first_commit_it_commits_past_what_is_in_hand(consumer: Any) -> None:
    consumer._acked[HERE] = [5, 6]
    assert consumer._new_offset(HERE) == 7  # 0 to 4 are not acknowledged


async def test_after_a_commit_it_passes_over_the_next_message(consumer: Any) -> None:
    consumer._committed_offset[HERE] = 5  # the next to be processed
    consumer._acked[HERE] = [6]
    assert consumer._new_offset(HERE) == 7


async def test_it_takes_the_message_behind_a_hole_for_done(consumer: Any) -> None:
    await consumer._add_gap(HERE, 5, 9)  # as when 9 came after 4: 5 to 8 are missing, 9 is in hand
    consumer._acked[HERE] = [4, 10]
    assert consumer._new_offset(HERE) == 11


async def test_a_flush_of_the_buffer_ends_before_all_is_sent(tmp_path: Path) -> None:
    buffer = plain("127.0.0.1:1", "alone", tmp_path).producer.buffer
    async with buffer:
        for _ in range(2):
            buffer.put(SimpleNamespace(message=SimpleNamespace(channel=Slow())))
        await buffer.flush()
        assert buffer.size == 1
        buffer.pending.get_nowait()


class Slow:
    """A channel that takes its time, as Kafka does when it is away."""

    async def publish_message(self, _: object, wait: bool) -> None:
        await asyncio.sleep(60)


async def test_it_commits_what_an_agent_failed_at(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 5)
    app, done = plain(cluster.servers, unique, tmp_path), list[bytes]()

    async def fail_once(stream: Any) -> None:
        async for value in stream:
            if value == b"2":
                raise ValueError("told to fail")
            done.append(value)

    app.agent(app.topic(topic), name="fail")(fail_once)
    async with running(app):
        await until(lambda: cluster.committed(unique, topic) == 5)
    assert done == [b"0", b"1", b"3", b"4"]


async def test_it_commits_what_was_in_hand_when_it_stopped(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 5)
    app, taken = plain(cluster.servers, unique, tmp_path), list[bytes]()

    async def wait_for_ever(stream: Any) -> None:
        async for value in stream:
            taken.append(value)
            await asyncio.sleep(60)

    app.agent(app.topic(topic), name="wait")(wait_for_ever)
    async with running(app):
        await until(lambda: taken)
    assert cluster.committed(unique, topic) == len(taken) == 1


async def test_it_does_not_go_back_where_nothing_was_committed(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 5)
    app, taken = plain(cluster.servers, unique, tmp_path), list[int]()

    async def take(stream: Any) -> None:
        async for event in stream.noack().events():
            taken.append(event.message.offset)

    app.agent(app.topic(topic), name="take")(take)
    async with running(app):
        await until(lambda: len(taken) == 5)
        await app.consumer.perform_seek()
        await asyncio.sleep(1)
    assert taken == [0, 1, 2, 3, 4]


def test_librdkafka_sends_keys_elsewhere_unless_told(cluster: Cluster) -> None:
    topic, places = cluster.topic("sink", partitions=4), dict[bytes, int]()
    producer = Producer({"bootstrap.servers": cluster.servers})
    for number in range(50):
        producer.produce(topic, b"", b"%d" % number)
    producer.flush()
    for partition in range(4):
        places.update((record.key() or b"", partition) for record in cluster.read(topic, partition))
    assert len(places) == 50
    assert any(partition_of(key, 4) != partition for key, partition in places.items())
