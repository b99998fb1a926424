"""Asks Kafka every few seconds for its metadata: whether it answers, its id, topics, partitions and brokers.

Requests are then answered from the last result, without a question to Kafka for each.
"""

import asyncio
import contextlib
from typing import Any

from confluent_kafka import KafkaException, Producer

from ingest.base import KafkaNotAnswering
from topics.catalogue import CATALOGUE

_INTERVAL, _INTERVAL_DOWN = 5.0, 0.5  # seconds between questions: normally; while Kafka does not answer or lacks topics
_TIMEOUT = 2.0  # seconds to wait for Kafka's answer

WRITABLE_TOPICS = {topic.name: topic for topic in CATALOGUE if topic.external}
"""Topics that senders may write."""


class KafkaMetadata:
    """Kafka's metadata as of the last question. `start` waits for the first answer."""

    def __init__(self, prefix: str) -> None:
        self.up = False
        self.identity = ""
        self.controller = -1
        self.brokers: dict[int, Any] = {}
        self._prefix = prefix
        self._topics: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self, producer: Producer) -> None:
        """Ask once, then go on asking in the background."""
        await self._update(producer)
        self._task = asyncio.create_task(self._keep_updating(producer))

    async def stop(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def require(self) -> None:
        """Raises `KafkaNotAnswering` when Kafka did not answer the last question."""
        if not self.up:
            raise KafkaNotAnswering("Kafka does not answer", 2.0)

    def topic(self, name: str) -> Any | None:
        """Kafka's metadata of a topic that senders may write; None when there is no such topic."""
        return self._topics.get(name) if name in WRITABLE_TOPICS else None

    def topics(self) -> list[str]:
        """Names of the topics that senders may write and that exist."""
        return [name for name in WRITABLE_TOPICS if name in self._topics]

    async def _keep_updating(self, producer: Producer) -> None:
        while True:
            await asyncio.sleep(_INTERVAL if self.up and len(self._topics) == len(WRITABLE_TOPICS) else _INTERVAL_DOWN)
            await self._update(producer)

    async def _update(self, producer: Producer) -> None:
        try:
            found = await asyncio.to_thread(producer.list_topics, timeout=_TIMEOUT)
        except KafkaException:
            self.up = False
            return
        topics = {name: found.topics.get(self._prefix + name) for name in WRITABLE_TOPICS}
        self._topics = {name: topic for name, topic in topics.items() if topic is not None and topic.error is None}
        self.identity, self.controller, self.brokers = found.cluster_id or "", found.controller_id, found.brokers
        self.up = bool(found.brokers)
