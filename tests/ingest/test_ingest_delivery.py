"""Tests the producer of the receivers by itself, and Kafka's metadata."""

import asyncio
import os
from itertools import chain

import pytest
from http_kit import PARTITIONS, Raw

from ingest.base import Failure, KafkaNotAnswering, Overloaded
from ingest.kafka_metadata import KafkaMetadata
from ingest.kafka_producer import DeadlineProducer
from topics.catalogue import MAX_RECORD
from topics.kafka.producer import Outgoing

NOWHERE = "127.0.0.1:1"  # a port that nothing listens on


def record(value: bytes, key: bytes | None = None, partition: int | None = None, topic: str = "raw.syslog") -> Outgoing:
    return Outgoing(topic, key, value, partition)


async def test_outcomes_come_in_order_and_say_where(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix) as delivery:
        calls = [[record(b"%d" % n, b"key%d" % (n % 7)) for n in range(at, at + 100)] for at in range(0, 1000, 100)]
        outcomes = list(chain.from_iterable(await asyncio.gather(*(delivery.accept(call) for call in calls))))
        assert delivery.pending_records == delivery.pending_bytes == 0
    there = {(found.partition(), found.offset()): found for found in raw.records("raw.syslog")}
    assert len(there) == 1000
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, tuple)
        partition, offset, timestamp = outcome
        found = there[partition, offset]
        assert (found.value(), found.timestamp()[1]) == (b"%d" % number, timestamp)
    by_key = {found.key(): found.partition() for found in there.values()}
    assert all(found.partition() == by_key[found.key()] for found in there.values())


async def test_one_bad_record_fails_alone(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix) as delivery:
        too_large, unknown = os.urandom(MAX_RECORD + (128 << 10)), PARTITIONS + 5
        given = [record(b"a", partition=0), record(too_large, partition=0), record(b"b", partition=unknown)]
        one, two, three, four = await delivery.accept([*given, record(b"c", partition=0)])
    assert isinstance(one, tuple)
    assert isinstance(four, tuple)
    assert isinstance(two, Failure)
    assert (two.too_large, two.retriable) == (True, False)
    assert isinstance(three, Failure)
    assert (three.too_large, three.retriable) == (False, False)
    assert raw.values("raw.syslog") == [b"a", b"c"]


async def test_what_lies_with_kafka_may_be_tried_again(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix, wait=1.0) as delivery:
        (outcome,) = await delivery.accept([record(b"x", topic="absent")])
    assert isinstance(outcome, Failure)
    assert outcome.retriable


async def test_an_empty_list_is_delivered_immediately(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix) as delivery:
        assert delivery.accept([]).result() == []


async def test_memory_is_bounded_and_senders_are_told_in_time() -> None:
    async with DeadlineProducer(
        NOWHERE, overrides={"log_level": 0}, wait=1.0, max_records=10, max_bytes=1000
    ) as delivery:
        first = delivery.accept([record(b"x")] * 8)
        for more in ([record(b"x")] * 3, [record(b"x" * 993)]):
            with pytest.raises(Overloaded):
                delivery.accept(more)
        outcomes = await asyncio.wait_for(first, 5)
        assert {type(outcome) for outcome in outcomes} == {Failure}
        assert all(isinstance(outcome, Failure) and outcome.retriable for outcome in outcomes)
        assert delivery.pending_records == 0


async def test_what_is_larger_than_the_bounds_goes_alone(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix, max_records=10) as delivery:
        assert {type(outcome) for outcome in await delivery.accept([record(b"x")] * 100)} == {tuple}
    assert len(raw.values("raw.syslog")) == 100


async def test_a_stop_answers_everyone() -> None:
    delivery = DeadlineProducer(NOWHERE, overrides={"log_level": 0}, wait=60)
    await delivery.start()
    pending = delivery.accept([record(b"x")] * 5)
    await delivery.stop(grace=0.1)
    assert {type(outcome) for outcome in await asyncio.wait_for(pending, 1)} == {Failure}


async def test_kafka_is_known(raw: Raw) -> None:
    async with DeadlineProducer(raw.servers, raw.prefix) as delivery:
        cluster = KafkaMetadata(raw.prefix)
        await cluster.start(delivery.producer)
        cluster.require()
        assert cluster.topics() == ["raw.syslog", "raw.events"]
        found = cluster.topic("raw.events")
        assert found is not None
        assert len(found.partitions) == PARTITIONS
        assert cluster.topic("deadletter") is None
        await cluster.stop()


async def test_kafka_is_known_to_be_away() -> None:
    async with DeadlineProducer(NOWHERE, overrides={"log_level": 0}) as delivery:
        cluster = KafkaMetadata("")
        await cluster.start(delivery.producer)
        await cluster.stop()
    with pytest.raises(KafkaNotAnswering):
        cluster.require()
