"""Members of a group come and go while batches are in hand."""

import asyncio
from pathlib import Path

from transport_kit import Cluster, Seen, running, until

FAST = {"broker_heartbeat_interval": 0.2, "broker_max_poll_records": 50}


async def test_revocation_forgets_what_is_in_hand(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source", partitions=2)
    for partition in (0, 1):
        cluster.fill(topic, 100, partition=partition)
    first = Seen(cluster.servers, unique, tmp_path, topic, **FAST)
    second = Seen(cluster.servers, unique, tmp_path, topic, **FAST)
    async with running(first.app):
        await until(lambda: len(first.offsets) == 200)
        held = list(first.events)
        async with running(second.app):
            await until(lambda: len(first.offsets) + len(second.offsets) == 400)
            assert not any(event.ack() for event in held)
            await asyncio.sleep(0.5)
            assert cluster.committed(unique, topic) == cluster.committed(unique, topic, 1) == -1
            for event in first.events[len(held) :] + second.events:
                assert event.ack()
            await until(lambda: cluster.committed(unique, topic) == cluster.committed(unique, topic, 1) == 100)
        assert {event.message.partition for event in second.events}.isdisjoint(
            event.message.partition for event in first.events[len(held) :]
        )


async def test_what_is_done_in_time_is_handed_over_committed(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source", partitions=2)
    for partition in (0, 1):
        cluster.fill(topic, 50, partition=partition)
    first = Seen(cluster.servers, unique, tmp_path, topic, **FAST, broker_commit_interval=60.0)
    second = Seen(cluster.servers, unique, tmp_path, topic, **FAST)
    first.app.revoke_grace = 5.0
    async with running(first.app):
        await until(lambda: len(first.offsets) == 100)
        joining = asyncio.create_task(second.app.start())
        await until(lambda: first.app.rebalancing)
        for event in first.events:
            event.ack()
        await joining
        await until(lambda: not first.app.rebalancing)
        assert cluster.committed(unique, topic) == cluster.committed(unique, topic, 1) == 50
        await asyncio.sleep(0.3)
        assert len(first.offsets) == 100
        assert not second.offsets
        await second.app.stop()


async def test_the_survivor_takes_over(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source", partitions=2)
    first = Seen(cluster.servers, unique, tmp_path, topic, **FAST)
    second = Seen(cluster.servers, unique, tmp_path, topic, **FAST)
    async with running(first.app):
        async with running(second.app):
            await until(lambda: len(second.app.consumer.assignment()) == 1)
        await until(lambda: len(first.app.consumer.assignment()) == 2 and not first.app.rebalancing)
        for partition in (0, 1):
            cluster.fill(topic, 70, partition=partition)
        await until(lambda: len(first.of(0)) == len(first.of(1)) == 70)
        assert first.of(0) == first.of(1) == list(range(70))
