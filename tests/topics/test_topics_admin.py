"""The catalogue is created once, on a real Kafka."""

import time
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from topics.admin import create_topics, partitions_of
from topics.catalogue import CATALOGUE, RAW
from topics.connection import Away


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
    assert partitions_of(kafka, prefix) == dict.fromkeys(names, 2)


@pytest.mark.parametrize(
    "ask",
    [lambda away: create_topics(away, prefix="", partitions=1, replication=1), lambda away: partitions_of(away, "")],
)
def test_kafka_that_is_away_is_told_in_a_sentence(ask: Callable[[str], object]) -> None:
    with pytest.raises(Away, match=r"^Kafka at 127\.0\.0\.1:1 does not answer\. Is it running\?"):
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
