"""What commits say of a log, as text and back; comparing it with logs, `test_transport_flow` does on a real Kafka."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faust.types import TP

from agents.state.log_identity import NO_EPOCH, LastRecord, Position, checksum, differences, position_of
from agents.transport.log_check import LogCheck
from topics.cut import Cut

RECORD = LastRecord(41, 1_795_548_348_257, 2_413_880_352, 34)


@pytest.mark.parametrize("topic_id", [None, "v+MTSqanTNmezV1DF6zKXg", "l/w_rjWJUnRGT8ySdg5pEIO-"])
@pytest.mark.parametrize("record", [None, RECORD])
def test_a_position_survives_its_commit(topic_id: str | None, record: LastRecord | None) -> None:
    position = Position(42, topic_id, record)
    assert position_of(42, position.metadata()) == position


@pytest.mark.parametrize("garbage", ["", "\xff\xff\x02", "1", " 0"])
def test_what_a_client_reads_behind_the_text_is_left_out(garbage: str) -> None:
    position = Position(42, "topic", RECORD)
    assert position_of(42, position.metadata() + garbage) == position


@pytest.mark.parametrize("text", [None, "", "a commit of somebody else's", "2 topic 41 1 2 3", "1 topic 41", "1 topic"])
def test_a_text_that_is_not_ours_says_nothing_of_a_record(text: str | None) -> None:
    found = position_of(42, text)
    assert (found.offset, found.record) == (42, None)


def test_a_record_behind_the_offset_is_none_of_its() -> None:
    assert position_of(41, Position(42, None, RECORD).metadata()).record is None


def test_a_record_that_was_not_read_whole_is_known_by_its_time() -> None:
    """A worker reads the beginning of a value that no record may have, and the check reads all of it."""
    value = b"x" * 100
    kept = LastRecord(7, 1_000, checksum(b"k", Cut(value[:10], len(value))))
    again = position_of(8, Position(8, None, kept).metadata()).record
    assert again is not None
    assert again.same(LastRecord(7, 1_000, checksum(b"k", value)))
    assert not again.same(LastRecord(7, 1_001, checksum(b"k", value)))
    assert not LastRecord(7, 1_000, checksum(b"k", value)).same(LastRecord(7, 1_000, checksum(b"k", value[:10])))


def test_many_logs_with_much_behind_their_positions_are_compared_at_once(kafka: str, unique: str) -> None:
    """What lies behind one position keeps Kafka from sending the records of no other."""
    partitions, records, at = 12, 200, 1_795_548_348_257
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(unique, partitions, 1)])[unique].result(30)
    producer = Producer({"bootstrap.servers": kafka, "batch.num.messages": 1, "enable.idempotence": True})
    for number in range(records):
        for partition in range(partitions):
            producer.produce(unique, b"v%d" % number, b"k", partition, timestamp=at + number)
        producer.poll(0)
    assert producer.flush(60) == 0
    last = LastRecord(0, at, checksum(b"k", b"v0"), NO_EPOCH)
    try:
        for _ in range(3):  # Kafka begins with another partition each time
            places = {(unique, partition): Position(1, None, last) for partition in range(partitions)}
            assert differences(kafka, places, {}) == {}
    finally:
        admin.delete_topics([unique])[unique].result(30)


async def test_a_topic_created_again_at_work_is_noticed(
    kafka: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("agents.transport.log_check.abort_process", told.append)
    admin, check = AdminClient({"bootstrap.servers": kafka}), LogCheck(SimpleNamespace(servers=kafka))
    admin.create_topics([NewTopic(unique, 1, 1)])[unique].result(30)
    try:
        await check.watch()
        await check.confirm({TP(unique, 0): Position(0)})
        await check.watch()
        admin.delete_topics([unique])[unique].result(30)
        await check.watch()
        assert not told  # a broker may not know it for a while
        await asyncio.to_thread(_create_again, admin, unique)
        async with asyncio.timeout(90):
            while not told:
                await check.watch()
        assert f"topic {unique} was deleted and created again" in told[0]
    finally:
        admin.delete_topics([unique])[unique].result(30)


def _create_again(admin: AdminClient, name: str) -> None:
    for number in range(100, -1, -1):
        try:
            admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
            return
        except KafkaException:  # the old one is still being deleted
            if not number:
                raise
            time.sleep(0.3)
