"""Finds out whether Kafka answers, at most once every two seconds however many viewers ask."""

import asyncio
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from topics.kafka.client import client_conf

_KEEP = 2.0  # seconds for which one result serves all requests
_TIMEOUT = 1.0  # seconds; as long as the count workers have


class Broker:
    """Asks Kafka for the metadata of a topic, since a server may accept connections and still not work."""

    def __init__(self, servers: str, topic: str) -> None:
        self._topic = topic
        # librdkafka would report failures on standard error as well: the health check shows them.
        self._client = AdminClient(client_conf(servers) | {"log_level": 0})
        self._lock = asyncio.Lock()
        self._asked, self._answers = float("-inf"), False

    async def reachable(self) -> bool:
        """Whether Kafka answered within the last two seconds. Takes up to a second; never raises."""
        async with self._lock:
            if time.monotonic() - self._asked > _KEEP:
                self._answers = await asyncio.to_thread(self._ask)
                self._asked = time.monotonic()
        return self._answers

    def _ask(self) -> bool:
        try:
            self._client.list_topics(self._topic, timeout=_TIMEOUT)
        except KafkaException:
            return False
        return True
