"""Tables and their recovery."""

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewPartitions
from faust.stores.memory import Store
from faust.tables import Table
from faust.types import TP
from transport_kit import Cluster, running, until

from agents.transport import BatchApp, Outgoing, Record
from agents.transport.batch import Piece


class Furthest(Store[Any, Any]):
    """Takes changelog records as they are."""

    def apply_records(self, partition: int, records: list[Record]) -> None:
        for record in records:
            self.data[record.key] = record.value


class FurthestTable(Table[Any, Any]):
    def _new_store(self) -> Any:
        raw: dict[str, Any] = {
            "key_type": bytes,
            "value_type": bytes,
            "key_serializer": "raw",
            "value_serializer": "raw",
        }
        return Furthest("memory://", self.app, self, table_name=self.name, loop=self.loop, **raw)


class Counting:
    """An app that counts the values of its topic in a table, and writes its changelog itself."""

    def __init__(self, cluster: Cluster, group: str, datadir: Path, topic: str, partitions: int, **more: Any) -> None:
        self.app = BatchApp(
            group, broker=cluster.servers, batch_topics=[topic], partitions=partitions, datadir=datadir,
            broker_commit_interval=0.1, broker_heartbeat_interval=0.2, Table=FurthestTable, **more,
        )  # fmt: skip
        self.partitions = partitions
        self.table = self.app.Table("counts", partitions=partitions, key_type=bytes, value_type=bytes)
        self.app.agent(self.app.batch_topic(topic), name="count")(self._count)

    async def _count(self, stream: Any) -> None:
        async for event in stream.events():
            log, written = cast(Any, self.table).changelog_topic_name, []
            for record in event.value:
                count = self.data[record.value] = b"%d" % (int(self.data.get(record.value) or 0) + 1)
                written.append(Outgoing(log, record.value, count, record.partition))
            await (await self.app.delivery.send(written))
            event.ack()

    @property
    def recovery(self) -> Any:
        return cast(Any, self.app.tables).recovery

    @property
    def data(self) -> dict[bytes, bytes]:
        return cast(dict[bytes, bytes], cast(Any, self.table.data).data)

    @property
    def counts(self) -> Counter[bytes]:
        """Return the counts of the partitions this app owns; a memory store also keeps what it once wrote."""
        owned = {tp.partition for tp in self.recovery.active_tps}
        mine = ((key, int(count)) for key, count in self.data.items() if int(key[1:]) % self.partitions in owned)
        return Counter(dict(mine))


def fill(cluster: Cluster, topic: str, count: int, partitions: int) -> Counter[bytes]:
    """Write so many records of some 50 values, each value to one partition; return how often each was written."""
    producer = Producer({"bootstrap.servers": cluster.servers})
    for number in range(count):
        producer.produce(topic, b"v%d" % (number % 50), b"key", number % 50 % partitions)
    producer.flush()
    return Counter(b"v%d" % (number % 50) for number in range(count))


def changelog(cluster: Cluster, group: str, partitions: int) -> str:
    """Make the changelog where Faust looks for it."""
    name = f"{group}-counts-changelog"
    assert name.startswith(cluster.prefix)
    return cluster.topic(name.removeprefix(f"{cluster.prefix}-"), partitions, {"cleanup.policy": "compact,delete"})


async def test_a_table_is_recovered_whole(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic, log = cluster.topic("source"), changelog(cluster, unique, 1)
    want = fill(cluster, topic, 20_000, 1)
    first = Counting(cluster, unique, tmp_path / "1", topic, 1)
    async with running(first.app):
        await until(lambda: cluster.committed(unique, topic) == 20_000)
        assert first.counts == want
    assert cluster.end(log) == 20_000
    second = Counting(cluster, unique, tmp_path / "2", topic, 1)
    async with running(second.app):
        assert second.counts == want
        want += fill(cluster, topic, 100, 1)
        await until(lambda: second.counts == want)


async def test_a_store_takes_records_as_they_are(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic, log = cluster.topic("source"), changelog(cluster, unique, 1)
    fill(cluster, log, 50, 1)
    producer = Producer({"bootstrap.servers": cluster.servers, "transactional.id": unique})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(12_000):
        producer.produce(log, b"%d" % number, b"k%d" % (number % 100))
        producer.poll(0)
    producer.commit_transaction()  # the log ends with a marker: no record will ever have the last offset
    cluster.delete_before(log, 60)  # and begins with a hole
    counting = Counting(cluster, unique, tmp_path, topic, 1)
    async with running(counting.app):
        assert counting.data == {b"k%d" % n: b"%d" % (11_900 + n) for n in range(100)}


async def test_tables_move_with_their_partitions(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic = cluster.topic("source", partitions=2)
    changelog(cluster, unique, 2)
    want = fill(cluster, topic, 2_000, 2)
    first = Counting(cluster, unique, tmp_path / "1", topic, 2)
    second = Counting(cluster, unique, tmp_path / "2", topic, 2)

    def shared() -> bool:
        both = first.app.tables.actives_ready and second.app.tables.actives_ready
        return both and first.counts + second.counts == want and bool(first.counts and second.counts)

    async with running(first.app):
        await until(lambda: first.counts == want)
        async with running(second.app):
            await until(shared)
            want += fill(cluster, topic, 2_000, 2)
            await until(shared)
        await until(lambda: first.app.tables.actives_ready and first.counts == want)
        want += fill(cluster, topic, 100, 2)
        await until(lambda: first.counts == want)


async def test_a_changelog_of_nobody_is_refused(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    topic, log = cluster.topic("source"), changelog(cluster, unique, 1)
    counting = Counting(cluster, unique, tmp_path, topic, 1)
    async with running(counting.app):
        recovery = counting.recovery
        assert not recovery.apply(TP(log, 7), Piece(0, 10, [], 0))
        assert TP(log, 7) not in recovery.active_offsets


async def test_partitions_that_tables_lack_are_refused(
    cluster: Cluster, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("agents.transport.recovery.abort_process", told.append)
    topic, _ = cluster.topic("source"), changelog(cluster, unique, 1)
    counting = Counting(cluster, unique, tmp_path, topic, 1, consumer_metadata_max_age_ms=500)
    async with running(counting.app):
        assert not told
        cluster.admin.create_partitions([NewPartitions(topic, 2)])[topic].result()
        await until(lambda: told)
    assert f"no such partitions as {topic}-1:" in told[0]


async def test_after_a_missed_generation_everything_is_read_again(
    cluster: Cluster, unique: str, tmp_path: Path
) -> None:
    topic, log = cluster.topic("source"), changelog(cluster, unique, 1)
    fill(cluster, log, 10, 1)
    counting = Counting(cluster, unique, tmp_path, topic, 1)
    async with running(counting.app):
        recovery = counting.recovery
        mine, generation = {TP(log, 0)}, recovery._generation_id
        assert recovery.active_offsets[TP(log, 0)] == 9
        counting.app.consumer_generation_id = generation + 1
        await recovery.on_rebalance(mine, set(), set(), generation + 1)
        assert recovery.active_offsets[TP(log, 0)] == 9
        counting.app.consumer_generation_id = generation + 5
        await recovery.on_rebalance(mine, set(), set(), generation + 5)
        assert recovery.active_offsets[TP(log, 0)] is None


async def test_partitions_that_came_without_their_tables_are_looked_at_before_anything_ends(
    cluster: Cluster, unique: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    topic = cluster.topic("source", partitions=2)
    changelog(cluster, unique, 2)
    counting = Counting(cluster, unique, tmp_path, topic, 2)
    told = list[object]()
    monkeypatch.setattr("agents.transport.recovery.abort_process", told.append)
    async with running(counting.app):
        consumer = cast(Any, counting.app.consumer)
        assert consumer.app.tables.strays({TP(topic, 1)}, {topic}) == {TP(topic, 1)}
        await consumer._refuse_strays({TP(topic, 1)})
        assert not told
        assert "does not know all topics yet" in caplog.text
        want = fill(cluster, topic, 100, 2)
        await until(lambda: counting.counts == want)
