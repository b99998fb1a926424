"""Reads topics from their ends, outside of any group, in a thread, as long as somebody wants to.

Memory is bounded: librdkafka keeps 8 MiB, and what is not taken in time is passed over, since only the present counts.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from topics.errors import AccessRefused
from topics.kafka.client import client_conf

Take = Callable[[list[Any]], None]
"""Called in the thread with the messages of a quarter of a second, none among them."""

TICK = 0.25
"""Seconds."""
_MOST = 20_000  # messages of a tick
_TIMEOUT = 5.0  # seconds that Kafka has to say which partitions there are
_PAUSE = 2.0  # seconds before Kafka is asked again
_GROUP = "ogrewatch-looks"  # librdkafka wants a group; this one never commits

_log = logging.getLogger("ogrewatch.web")


class TopicEnds:
    """Reads `topics`, beginning `back` records before the end of each partition, and gives the messages to `take`."""

    def __init__(self, servers: str, topics: Sequence[str], back: int, take: Take) -> None:
        self._servers, self._topics, self._back, self._take = servers, list(topics), back, take
        self.ends: dict[int, int] = {}
        """The ends of the partitions when reading began, of the last topic."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topic-ends", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop soon; returns at once."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read()
            except (KafkaException, AccessRefused) as error:
                _log.warning("the ends of topics cannot be read: %s", error)
            except Exception:
                _log.exception("reading the ends of topics failed")
            self._stopping.wait(_PAUSE)

    def _read(self) -> None:
        consumer = Consumer(client_conf(self._servers) | _CONF)
        try:
            consumer.assign(self._begin(consumer))
            while not self._stopping.is_set():
                begin = time.monotonic()
                messages = [one for one in consumer.consume(_MOST, TICK) if one.error() is None]
                self._take(messages)
                self._stopping.wait(max(0.0, TICK - (time.monotonic() - begin)))
        finally:
            consumer.close()

    def _begin(self, consumer: Consumer) -> list[TopicPartition]:
        found = consumer.list_topics(timeout=_TIMEOUT).topics
        there = [
            TopicPartition(topic, number)
            for topic in self._topics
            if topic in found
            for number in found[topic].partitions
        ]
        for one in there:
            low, high = consumer.get_watermark_offsets(one, timeout=_TIMEOUT)
            one.offset, self.ends[one.partition] = max(low, high - self._back), high
        if not there:
            raise KafkaException(f"there is none of the topics {', '.join(self._topics)}")
        return there


_CONF: dict[str, Any] = {
    "group.id": _GROUP,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "latest",
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": 8192,
    "fetch.message.max.bytes": 1 << 20,
    "fetch.wait.max.ms": 100,
    "log_level": 2,
}
