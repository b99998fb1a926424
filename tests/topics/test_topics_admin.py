"""The catalogue is created once, on a real Kafka."""

from confluent_kafka.admin import AdminClient

from topics.admin import create_topics, partitions_of
from topics.catalogue import CATALOGUE


def test_what_is_missing_is_created_once(kafka: str, unique: str) -> None:
    prefix = f"{unique}."
    names = sorted(prefix + topic.name for topic in CATALOGUE)
    try:
        assert create_topics(kafka, prefix=prefix, partitions=2, replication=1) == names
        assert create_topics(kafka, prefix=prefix, partitions=2, replication=1) == []
        assert partitions_of(kafka, prefix) == dict.fromkeys(names, 2)
    finally:
        client = AdminClient({"bootstrap.servers": kafka})
        for future in client.delete_topics(names).values():
            future.result(30)
