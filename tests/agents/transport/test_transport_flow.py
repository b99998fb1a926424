"""Memory, size, and what happens to fetches that go astray."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from faust.types import TP
from transport_kit import Cluster, Seen, running, until

from agents.state.log_identity import LastRecord, checksum, differences, position_of
from agents.transport import MAX_RECORD
from agents.transport.fetching import _RECORD_OVERHEAD
from topics.kafka.topic_ids import identities

KIB = 1024


async def test_a_stuck_agent_stops_the_fetching_of_its_partition_only(
    cluster: Cluster, unique: str, tmp_path: Path
) -> None:
    topic = cluster.topic("source", partitions=2)
    for partition in (0, 1):
        cluster.fill(topic, 2000, size=4 * KIB, partition=partition)
    budget = 1024 * KIB
    seen = Seen(cluster.servers, unique, tmp_path, topic, batch_max_bytes=budget, broker_max_poll_records=50)
    async with running(seen.app):
        await seen.acknowledge_until(lambda: len(seen.of(1)) == 2000, partition=1)
        assert seen.of(1) == list(range(2000))
        stuck = len(seen.of(0))
        own, common = budget // 4, budget // 2
        assert 0 < stuck * (4 * KIB + _RECORD_OVERHEAD) <= own + common + 5 * KIB
        await asyncio.sleep(0.5)
        assert len(seen.of(0)) == stuck
        await seen.acknowledge_until(lambda: len(seen.of(0)) > stuck)


async def test_a_stuck_agent_is_not_evicted(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 100, size=KIB)
    settings = {"broker_max_poll_interval": 1.0, "broker_session_timeout": 6.0, "broker_heartbeat_interval": 0.2}
    seen = Seen(cluster.servers, unique, tmp_path, topic, batch_max_bytes=KIB, **settings)
    async with running(seen.app):
        await until(lambda: seen.events)
        rebalances = seen.app.rebalancing_count
        await asyncio.sleep(2.5)  # longer than max.poll.interval: waiting for room counts as being alive
        assert seen.app.rebalancing_count == rebalances
        assert seen.events[0].ack()


async def test_a_record_larger_than_everything_passes(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source", config={"max.message.bytes": str(MAX_RECORD + 64 * KIB)})
    cluster.fill(topic, 2, size=MAX_RECORD - 10)
    seen = Seen(cluster.servers, unique, tmp_path, topic, batch_max_bytes=KIB)
    async with running(seen.app):
        await until(lambda: seen.offsets == [0])
        seen.events[0].ack()
        await until(lambda: seen.offsets[-1:] == [1])


async def test_a_fetch_that_got_lost_is_read_again(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 500)
    settings = {"batch_max_bytes": 10 * KIB, "broker_max_poll_records": 10}
    seen = Seen(cluster.servers, unique, tmp_path, topic, **settings)
    async with running(seen.app):
        await until(lambda: seen.offsets)
        await asyncio.sleep(0.3)  # no room is left: the rest waits in the consumer's thread
        thread = cast(Any, seen.app.consumer)._thread
        lost = await thread.fetch({TP(topic, 0): KIB}, 0, 1.0)  # as by a fetch whose caller has gone
        assert lost[TP(topic, 0)].records
        await seen.acknowledge_until(lambda: len(seen.offsets) == 500)
    assert seen.offsets == list(range(500))


async def test_what_retention_deleted_is_passed_over_aloud(
    cluster: Cluster, unique: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 30)
    cluster.commit(unique, topic, 10)
    cluster.delete_before(topic, 20)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    with caplog.at_level(logging.WARNING):
        async with running(seen.app):
            await until(lambda: seen.offsets == list(range(20, 30)))
            seen.events[0].ack()
            await until(lambda: cluster.committed(unique, topic) == 30)
    assert "10..19 was deleted before it was read" in caplog.text


async def test_a_recreated_topic_is_refused(
    cluster: Cluster, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.transport.log_check.abort_process", _crash)
    topic = cluster.topic("source")
    cluster.fill(topic, 5)
    cluster.commit(unique, topic, 100)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: seen.app.crash_reason, 60)
        assert "it ends at 5, and all before 100 was processed" in str(seen.app.crash_reason)
        assert not seen.events


def _crash(reason: object) -> NoReturn:
    raise RuntimeError(reason)


async def test_a_commit_tells_of_its_last_record(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 5)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 5)
        for event in seen.events:
            event.ack()
        await until(lambda: cluster.committed(unique, topic) == 5)
    reader = Consumer({"bootstrap.servers": cluster.servers, "group.id": unique})
    (found,) = reader.committed([TopicPartition(topic, 0)], timeout=10)
    reader.close()
    position, last = position_of(found.offset, found.metadata), cluster.read(topic)[-1]
    assert position.topic_id == identities(cluster.servers, [topic])[topic]
    assert position.record is not None
    assert position.record == LastRecord(4, last.timestamp()[1], checksum(last.key(), last.value()), 0)
    assert differences(cluster.servers, {(topic, 0): position}) == {}
    for other in (
        replace(position, topic_id="other"),
        replace(position, offset=6),
        replace(position, record=replace(position.record, checksum=1)),
        replace(position, record=replace(position.record, timestamp=1)),
        replace(position, record=replace(position.record, offset=3)),
    ):
        assert list(differences(cluster.servers, {(topic, 0): other})) == [(topic, 0)]


async def test_records_are_read_however_they_were_compressed(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic, codecs = cluster.topic("source"), ("none", "gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        producer = Producer({"bootstrap.servers": cluster.servers, "compression.type": codec})
        producer.produce(topic, codec.encode() * 1000)
        producer.flush()
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == len(codecs))
        values = [record.value for event in seen.events for record in event.value]
    assert values == [codec.encode() * 1000 for codec in codecs]


async def test_batches_follow_one_another(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    cluster.fill(topic, 35)
    cluster.commit(unique, topic, 5)
    seen = Seen(cluster.servers, unique, tmp_path, topic, broker_max_poll_records=10)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 30)
        assert [(event.value.after, event.value.last) for event in seen.events] == [(4, 14), (14, 24), (24, 34)]


async def test_aborted_transactions_are_never_seen(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source")
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": unique})
    producer.init_transactions()
    for number, end in enumerate((producer.abort_transaction, producer.commit_transaction) * 3):
        producer.begin_transaction()
        producer.produce(topic, b"%d" % number)
        producer.flush()
        end()
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: len(seen.offsets) == 3)
        assert [record.value for event in seen.events for record in event.value] == [b"1", b"3", b"5"]
        await seen.acknowledge_until(lambda: seen.events[-1].message.acked)
        await until(lambda: cluster.committed(unique, topic) == cluster.end(topic))  # the last marker is passed, too


async def test_a_worker_that_lost_its_group_for_good_ends(
    cluster: Cluster, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("agents.transport.fetching.abort_process", told.append)
    topic = cluster.topic("source")
    cluster.fill(topic, 1)
    seen = Seen(cluster.servers, unique, tmp_path, topic)
    async with running(seen.app):
        await until(lambda: seen.events)
        thread = cast(Any, seen.app.consumer)._thread
        consumer = thread._ensure_consumer()
        monkeypatch.setattr(consumer._client, "get_random_node", lambda: None)  # as after an answer without brokers
        thread.thread_loop.call_soon_threadsafe(consumer._coordinator.coordinator_dead)
        await until(lambda: told)
    assert "the group goes on without this worker" in told[0]
