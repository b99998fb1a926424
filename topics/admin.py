"""The catalogue in, topics in Kafka out."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from topics.catalogue import CATALOGUE, MAX_RECORD, RAW, Topic
from topics.connection import client_conf, require

_TIMEOUT = 30.0  # seconds
_ROOM = 1 << 20  # bytes for what a batch adds to its records


def create_topics(bootstrap: str, *, prefix: str, partitions: int, replication: int) -> list[str]:
    """Create what is missing of the catalogue; blocks. Returns the names that are new.

    Raises `KafkaException`, `Away` when Kafka does not answer, and `Refused` when it will not have us.
    """
    require(bootstrap)
    client = AdminClient(client_conf(bootstrap))
    missing = [_new(topic, prefix, partitions, replication) for topic in CATALOGUE]
    created = []
    for name, future in client.create_topics(missing, operation_timeout=_TIMEOUT).items():
        try:
            future.result(_TIMEOUT)
            created.append(name)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return sorted(created)


def partitions_of(bootstrap: str, prefix: str) -> dict[str, int]:
    """Topics of the catalogue that exist, and their partitions; blocks. Raises as `create_topics`."""
    require(bootstrap)
    found = AdminClient(client_conf(bootstrap)).list_topics(timeout=_TIMEOUT).topics
    names = [prefix + topic.name for topic in CATALOGUE]
    return {name: len(found[name].partitions) for name in names if name in found}


def _new(topic: Topic, prefix: str, partitions: int, replication: int) -> NewTopic:
    config = {
        "retention.ms": str(topic.retention * 1000),
        "max.message.bytes": str(2 * MAX_RECORD + _ROOM),
        "cleanup.policy": "delete",
    }
    if topic in RAW:  # the broker's clock: Kafka refuses records of senders whose clocks are an hour ahead
        config["message.timestamp.type"] = "LogAppendTime"
    return NewTopic(prefix + topic.name, partitions, replication, config=config)
