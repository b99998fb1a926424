"""Kafka's address in, whether it answers out."""

import asyncio
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from topics.kafka.client import client_conf

_KEEP = 2.0  # seconds a finding serves every page that asks
_PATIENCE = 1.0  # seconds


class Broker:
    """Asks Kafka for a topic's metadata: a server that only accepts connections does not pass."""

    def __init__(self, servers: str, topic: str) -> None:
        self._topic = topic
        # Whoever wants to know asks; librdkafka need not tell standard error as well.
        self._client = AdminClient(client_conf(servers) | {"log_level": 0})
        self._lock = asyncio.Lock()
        self._asked, self._answers = float("-inf"), False

    async def reachable(self) -> bool:
        """Whether Kafka answers, as of two seconds ago at most. Takes up to a second; never raises."""
        async with self._lock:
            if time.monotonic() - self._asked > _KEEP:
                self._answers = await asyncio.to_thread(self._ask)
                self._asked = time.monotonic()
        return self._answers

    def _ask(self) -> bool:
        try:
            self._client.list_topics(self._topic, timeout=_PATIENCE)
        except KafkaException:
            return False
        return True
