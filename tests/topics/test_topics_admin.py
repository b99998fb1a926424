"""Tests, on a real Kafka, that the topics of the catalogue are created once and corrected."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from topics.catalogue import CATALOGUE, RAW, RULES
from topics.errors import KafkaUnavailable
from topics.kafka.admin import create_topics, partitions_of, settle_topics


@pytest.fixture
def prefix(kafka: str, unique: str) -> Iterator[str]:
    yield f"{unique}."
    client = AdminClient({"bootstrap.servers": kafka})
    for future in client.delete_topics([f"{unique}.{topic.name}" for topic in CATALOGUE]).values():
        future.result(30)


def test_what_is_missing_is_created_once(kafka: str, prefix: str) -> None:
    names = sorted(prefix + topic.name for topic in CATALOGUE)
    assert create_topics(kafka, prefix=prefix, partitions=2, replication=1) == names
    assert create_topics(kafka, prefix=prefix, partitions=2, replication=1) == []
    assert partitions_of(kafka, prefix) == {**dict.fromkeys(names, 2), prefix + RULES.name: 1}


@pytest.mark.parametrize(
    "ask",
    [lambda away: create_topics(away, prefix="", partitions=1, replication=1), lambda away: partitions_of(away, "")],
)
def test_kafka_that_is_away_is_told_in_a_sentence(ask: Callable[[str], object]) -> None:
    with pytest.raises(KafkaUnavailable, match=r"^Kafka at 127\.0\.0\.1:1 does not answer\. Is it running\?"):
        ask("127.0.0.1:1")


def test_a_raw_topic_takes_lines_of_a_sender_whose_clock_is_wrong(kafka: str, prefix: str) -> None:
    create_topics(kafka, prefix=prefix, partitions=1, replication=1)
    now, refused = int(time.time() * 1000), []
    producer = Producer({"bootstrap.servers": kafka})
    for topic in RAW:
        for timestamp in (1, now + 86_400_000 * 365):
            producer.produce(
                prefix + topic.name, b"x", timestamp=timestamp, on_delivery=lambda error, _: refused.append(error)
            )
    assert producer.flush(30) == 0
    assert refused == [None] * 4


def test_topics_of_an_earlier_version_are_set_right_but_for_how_long_they_are_kept(kafka: str, prefix: str) -> None:
    config = {"message.timestamp.type": "CreateTime", "max.message.bytes": str(17 << 20), "retention.ms": "123456789"}
    client = AdminClient({"bootstrap.servers": kafka})
    old = [prefix + name for name in ("raw.syslog", "replay", "events.web")]
    for future in client.create_topics([NewTopic(name, 1, 1, config=config) for name in old]).values():
        future.result(30)
    create_topics(kafka, prefix=prefix, partitions=1, replication=1)
    end, found = time.monotonic() + 60, dict[str, dict[str, str]]()
    while {settings["message.timestamp.type"] for settings in found.values()} != {"LogAppendTime"}:
        assert time.monotonic() < end
        with suppress(KafkaException):  # brokers hear of new topics and settings a little later
            found = _configs(client, [prefix + topic.name for topic in CATALOGUE])
    assert {found[name]["retention.ms"] for name in old} == {"123456789"}
    assert {found[prefix + topic.name]["max.message.bytes"] for topic in RAW} == {str(9 << 20)}
    assert found[f"{prefix}events.web"]["max.message.bytes"] == str(17 << 20)
    assert settle_topics(kafka, prefix) == []


def _configs(client: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    asked = client.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {name: entry.value for name, entry in future.result(30).items()}
        for resource, future in asked.items()
    }
