"""Names of topics in, what Kafka tells them apart by out: one that is deleted and created again is another topic.

https://kafka.apache.org/documentation/#design_replicatedlog
"""

from collections.abc import Collection

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from topics.connection import client_conf

_TIMEOUT = 10.0  # seconds

Identities = dict[str, str]
"""By name."""


def identities(servers: str, topics: Collection[str], optional: Collection[str] = ()) -> Identities:
    """The identities of topics; blocks. Those of `optional` may be missing. Raises `KafkaException`."""
    client = AdminClient(client_conf(servers) | {"log_level": 2})
    found: Identities = {}
    for name, future in client.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT).items():
        try:
            found[name] = str(future.result(_TIMEOUT).topic_id)
        except KafkaException as error:
            if error.args[0].retriable() or name not in optional:
                raise
    return found


def replaced(before: Identities, now: Identities) -> list[str]:
    """Names of topics that are other ones than before; one that is not there is none."""
    return [name for name, identity in before.items() if now.get(name, identity) != identity]
