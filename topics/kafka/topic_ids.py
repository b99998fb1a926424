"""Names of topics in, what Kafka tells them apart by out: one that is deleted and created again is another topic.

https://kafka.apache.org/documentation/#design_replicatedlog
"""

from collections.abc import Collection

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from topics.kafka.client import client_conf

_TIMEOUT, _GRACE = 10.0, 2.0  # seconds that Kafka has to answer, and librdkafka to say that it has not

Identities = dict[str, str]
"""By name."""


def identities(servers: str, topics: Collection[str], optional: Collection[str] = ()) -> Identities:
    """The identities of topics; blocks. Those of `optional` may be missing. Raises `KafkaException`."""
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
    """How many partitions topics have, 0 for one that is not there; blocks. Raises `KafkaException`."""
    found = AdminClient(client_conf(servers) | {"log_level": 2}).list_topics(timeout=_TIMEOUT).topics
    return {name: len(found[name].partitions) if name in found else 0 for name in topics}


def replaced(before: Identities, now: Identities) -> list[str]:
    """Names of topics that are other ones than before; one that is not there is none."""
    return [name for name, identity in before.items() if now.get(name, identity) != identity]
