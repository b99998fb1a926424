"""Looks up the ids of topics, by which Kafka tells a topic from one of the same name that was deleted before.

https://kafka.apache.org/documentation/#design_replicatedlog
"""

from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from topics.kafka.client import client_conf

_TIMEOUT, _GRACE = 10.0, 2.0  # seconds that Kafka has to answer, and librdkafka to report that it did not

Identities = dict[str, str]
"""Maps names of topics to their ids."""


def identities(servers: str, topics: Collection[str], optional: Collection[str] = ()) -> Identities:
    """The ids of topics. Those of `optional` need not exist. Blocks; raises `KafkaException`."""
    client = AdminClient(client_conf(servers) | {"log_level": 2})
    found: Identities = {}
    for name, future in client.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT).items():
        try:
            found[name] = str(future.result(_TIMEOUT + _GRACE).topic_id)
        except TimeoutError:  # librdkafka ends the request at about the time that we do
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
        except KafkaException as error:
            if error.args[0].retriable() or name not in optional:
                raise
    return found


def partition_counts(servers: str, topics: Collection[str]) -> dict[str, int]:
    """The number of partitions of topics, 0 for one that does not exist. Blocks; raises `KafkaException`."""
    found = AdminClient(client_conf(servers) | {"log_level": 2}).list_topics(timeout=_TIMEOUT).topics
    return {name: len(found[name].partitions) if name in found else 0 for name in topics}


def replaced(before: Identities, now: Identities) -> list[str]:
    """The names of topics whose id has changed; missing topics are not among them."""
    return [name for name, identity in before.items() if now.get(name, identity) != identity]


def recreated(before: Identities, now: Identities) -> str:
    """A sentence without its full stop about topics that were deleted and created again, "" if none was."""
    names = sorted(replaced(before, now))
    return f"topic {', '.join(names)} was deleted and created again: its offsets begin anew" if names else ""
