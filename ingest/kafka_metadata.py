"""Kafka's own account of itself, looked at now and then: whether it answers, its topics, partitions and brokers."""

import asyncio
import contextlib
from typing import Any

from confluent_kafka import KafkaException, Producer

from ingest.base import KafkaNotAnswering
from topics.catalogue import CATALOGUE

_CALM, _WORRIED = 5.0, 0.5  # seconds between looks; while Kafka is away, or lacks topics
_PATIENCE = 2.0  # seconds for an answer

OUTSIDE = {topic.name: topic for topic in CATALOGUE if topic.external}
"""Topics that senders may write."""


class KafkaMetadata:
    """The last look at Kafka. `start` waits for the first one."""

    def __init__(self, prefix: str) -> None:
        self.up = False
        self.identity = ""
        self.controller = -1
        self.brokers: dict[int, Any] = {}
        self._prefix = prefix
        self._topics: dict[str, Any] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self, producer: Producer) -> None:
        """Look once, then keep looking."""
        await self._look(producer)
        self._watch = asyncio.create_task(self._keep_looking(producer))

    async def stop(self) -> None:
        """End looking."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    def require(self) -> None:
        """Raises `KafkaNotAnswering` when Kafka did not answer at the last look."""
        if not self.up:
            raise KafkaNotAnswering("Kafka does not answer", 2.0)

    def topic(self, name: str) -> Any | None:
        """What Kafka says of a topic that senders may write; None when there is none of this name."""
        return self._topics.get(name) if name in OUTSIDE else None

    def topics(self) -> list[str]:
        """Names of the topics that senders may write and that exist."""
        return [name for name in OUTSIDE if name in self._topics]

    async def _keep_looking(self, producer: Producer) -> None:
        while True:
            await asyncio.sleep(_CALM if self.up and len(self._topics) == len(OUTSIDE) else _WORRIED)
            await self._look(producer)

    async def _look(self, producer: Producer) -> None:
        try:
            found = await asyncio.to_thread(producer.list_topics, timeout=_PATIENCE)
        except KafkaException:
            self.up = False
            return
        topics = {name: found.topics.get(self._prefix + name) for name in OUTSIDE}
        self._topics = {name: topic for name, topic in topics.items() if topic is not None and topic.error is None}
        self.identity, self.controller, self.brokers = found.cluster_id or "", found.controller_id, found.brokers
        self.up = bool(found.brokers)
