"""What is acknowledged in what order, and what is committed of it."""

import asyncio
from pathlib import Path

from confluent_kafka import Producer
from faust.types import TP
from transport_kit import Cluster, Seen, running, until

SMALL = 100  # records a batch


async def test_acks_out_of_order_commit_only_the_prefix(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 4 * SMALL)
    seen = Seen(cluster.servers, unique, tmp_path, topic, broker_max_poll_records=SMALL)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 4 * SMALL)
        first, second, third, _fourth = seen.events
        third.ack()
        second.ack()
        await asyncio.sleep(0.5)
        assert cluster.committed(unique, topic) == -1
        first.ack()
        await until(lambda: cluster.committed(unique, topic) == 3 * SMALL)
    assert cluster.committed(unique, topic) == 3 * SMALL


async def test_a_restart_resumes_exactly_at_the_commit(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 3 * SMALL)
    seen = Seen(cluster.servers, unique, tmp_path, topic, broker_max_poll_records=SMALL)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 3 * SMALL)
        seen.events[0].ack()
        seen.events[2].ack()
    again = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(again.app):
        await until(lambda: len(again.offsets) == 2 * SMALL)
        assert again.offsets == list(range(SMALL, 3 * SMALL))


async def test_a_seek_without_a_commit_goes_to_the_beginning(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 10)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 10)
        await seen.app.consumer.perform_seek()
        await until(lambda: len(seen.offsets) == 20)


async def test_a_group_that_never_committed_begins_at_the_beginning(
    cluster: Cluster, unique: str, tmp_path: Path
) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 50)
    cluster.delete_before(topic, 20)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: seen.offsets == list(range(20, 50)))


async def test_holes_of_the_log_do_not_hold_back_commits(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": unique})
    producer.init_transactions()
    for _ in range(3):  # each transaction ends with a marker, which takes an offset
        producer.begin_transaction()
        producer.produce(topic, b"x")
        producer.commit_transaction()
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: seen.offsets == [0, 2, 4])
        for event in seen.events:
            event.ack()
        await until(lambda: cluster.committed(unique, topic) == cluster.end(topic) == 6)


async def test_an_ack_counts_once(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 10)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 10)
        assert [seen.events[0].ack(), seen.events[0].ack()] == [True, False]


async def test_after_a_seek_older_batches_count_for_nothing(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 10)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 10)
        await seen.app.consumer.seek(TP(topic, 0), 4)
        await until(lambda: len(seen.events) == 2)
        assert seen.offsets[10:] == [4, 5, 6, 7, 8, 9]
        assert not seen.events[0].ack()
        assert seen.events[1].ack()
        await until(lambda: cluster.committed(unique, topic) == 10)
