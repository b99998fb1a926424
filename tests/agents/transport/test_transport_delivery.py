"""The producer on its own, without Faust."""

import asyncio
import os

import pytest
from confluent_kafka import KafkaException
from transport_kit import Cluster

from agents.transport import MAX_RECORD, GaplessProducer, Outgoing, partition_of

NOWHERE = "127.0.0.1:1"  # a port that nothing listens on


def plain(topic: str, value: bytes, key: bytes | None = None, partition: int | None = None) -> Outgoing:
    return Outgoing(topic, key, value, partition)


async def test_order_keys_times_and_headers_survive(cluster: Cluster) -> None:
    topic = cluster.topic("sink", partitions=3)
    async with GaplessProducer(cluster.servers) as delivery:
        sent = []
        for start in range(0, 3000, 500):
            records = [plain(topic, b"%d" % n, b"key%d" % (n % 50)) for n in range(start, start + 500)]
            sent.append(await delivery.send(records))
        marked = Outgoing(topic, b"key0", None, None, 1_700_000_000_123, [("a", b"b")])
        sent.append(await delivery.send([marked]))
        await asyncio.gather(*sent)
        await asyncio.sleep(0)
        assert delivery.pending_bytes == delivery.pending_records == 0
    for partition in range(3):
        found = cluster.read(topic, partition)
        values = [int(value) for record in found if (value := record.value())]
        assert values == [n for n in range(3000) if partition_of(b"key%d" % (n % 50), 3) == partition]
        if partition == partition_of(b"key0", 3):
            assert found[-1].value() is None
            assert found[-1].timestamp()[1] == 1_700_000_000_123
            assert found[-1].headers() == [("a", b"b")]


async def test_nothing_is_delivered_at_once(cluster: Cluster) -> None:
    async with GaplessProducer(cluster.servers) as delivery:
        assert (await delivery.send([])).done()


async def test_the_largest_record_passes_and_a_larger_one_stops_all_of_its_call(cluster: Cluster) -> None:
    topic = cluster.topic("sink", config={"max.message.bytes": str(MAX_RECORD + (64 << 10))})
    async with GaplessProducer(cluster.servers) as delivery:
        await (await delivery.send([plain(topic, os.urandom(MAX_RECORD), partition=0)]))
        with pytest.raises(KafkaException, match="size"):
            await delivery.send([plain(topic, b"small", partition=0), plain(topic, b"x" * (MAX_RECORD + 1))])
    assert cluster.end(topic) == 1


async def test_an_unknown_topic_is_an_error(cluster: Cluster) -> None:
    async with GaplessProducer(cluster.servers) as delivery:
        with pytest.raises(KafkaException):
            await delivery.send([plain(f"{cluster.prefix}-absent", b"x", b"key")])


@pytest.mark.parametrize("bounds", [{"max_bytes": 10_000}, {"max_records": 10}])
async def test_memory_is_bounded_while_kafka_is_away(bounds: dict[str, int]) -> None:
    delivery = GaplessProducer(NOWHERE, {"log_level": 0}, **bounds)
    await delivery.start()
    records = [plain("sink", b"x" * 1000, partition=0)] * 5
    dropped = [await asyncio.wait_for(delivery.send(records), 1) for _ in range(2)]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(delivery.send(records), 0.2)
    assert (delivery.pending_bytes, delivery.pending_records) == (10_000, 10)
    await delivery.stop(grace=0.1)
    for future in dropped:
        with pytest.raises(KafkaException):
            await future


async def test_a_call_larger_than_the_bounds_goes_alone(cluster: Cluster) -> None:
    topic = cluster.topic("sink")
    async with GaplessProducer(cluster.servers, max_records=10) as delivery:
        await (await delivery.send([plain(topic, b"x")] * 100))
    assert cluster.end(topic) == 100
