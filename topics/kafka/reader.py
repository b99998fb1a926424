"""Reads records and offsets of topics as they are at present, outside of any consumer group."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from topics.catalogue import group_of, read_by
from topics.kafka.client import answers, client_conf

_T = TypeVar("_T")

TIMEOUT = 15.0  # seconds without any answer, after which a read fails
_BATCH, _PAUSE = 5000, 0.1  # messages of one call, and seconds that it waits for them
_RETRY = 0.2  # seconds before Kafka is asked again
_PASSING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # a broker may not know a new topic yet
    KafkaError._UNKNOWN_PARTITION,
}
_GROUP = "ogrewatch-reads"  # librdkafka wants a group; this one never commits


class Reader:
    """Reads records that no aborted transaction wrote. Every method blocks, and raises `KafkaException`.

    Entering it raises `AccessRefused`.
    """

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self.client = Consumer(self._conf(_GROUP))
        self._partitions: dict[str, list[int]] = {}

    def __enter__(self) -> "Reader":
        answers(self._servers)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def partitions(self, topic: str) -> list[int]:
        """The numbers of the partitions of a topic. Raises `KafkaException` when there is no such topic."""
        if topic not in self._partitions:
            found = self.client.list_topics(topic, timeout=TIMEOUT).topics[topic]
            if found.error is not None:
                raise KafkaException(_missing(topic, found.error))
            self._partitions[topic] = sorted(found.partitions)
        return self._partitions[topic]

    def bounds(self, topic: str, since: int = 0) -> dict[int, tuple[int, int]]:
        """By partition: the first offset that is not older than `since` (milliseconds since 1970), and the end."""
        found = {}
        starts = self._since(topic, since) if since else {}
        for number in self.partitions(topic):
            ask = partial(self.client.get_watermark_offsets, TopicPartition(topic, number), timeout=TIMEOUT)
            begin, end = with_retries(ask)
            found[number] = (min(end, max(begin, starts.get(number, end))) if since else begin, end)
        return found

    def committed(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """The committed offsets of a group by topic and partition; -1 where it has committed nothing."""
        return {at: offset for at, (offset, _) in self.commits(group, topics).items()}

    def commits(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, str]]:
        """The committed offsets of a group (-1 where there is none), each with the metadata of the commit."""
        asked = [TopicPartition(topic, number) for topic in topics for number in self.partitions(topic)]
        client = Consumer(self._conf(group))
        try:
            found = with_retries(lambda: client.committed(asked, timeout=TIMEOUT))
            return {(tp.topic, tp.partition): (max(-1, tp.offset), tp.metadata or "") for tp in found}
        finally:
            client.close()

    def left(self, role: str, prefix: str) -> int:
        """The number of records that the group of a role has not committed, with those that arrive during the call."""
        topics = read_by(role, prefix)
        done = self.committed(group_of(role, prefix), topics)
        return sum(map(self.end, topics)) - sum(max(0, offset) for offset in done.values())

    def end(self, topic: str) -> int:
        """The sum of the ends of all partitions of a topic."""
        return sum(end for _, end in self.bounds(topic).values())

    def read(self, topic: str, spans: dict[int, tuple[int, int]]) -> Iterator[Any]:
        """Yield messages from the first offset of each partition up to before its second. One read at a time."""
        left = {number: end for number, (begin, end) in spans.items() if begin < end}
        self.client.assign([TopicPartition(topic, number, spans[number][0]) for number in left])
        heard = time.monotonic()
        try:
            while left:
                messages = self.client.consume(_BATCH, _PAUSE)
                heard = time.monotonic() if messages else _require_recent(heard)
                for message in messages:
                    yield from self._take(message, left)
        finally:
            self.client.resume(self.client.assignment())  # else the next read finds them paused
            self.client.unassign()

    def _take(self, message: Any, left: dict[int, int]) -> Iterator[Any]:
        """Yield the message if it lies before the end; pause a partition that has reached its end."""
        number, error = message.partition(), message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        if number not in left:
            return
        if error is None and message.offset() < left[number]:
            yield message
        if error is not None or message.offset() + 1 >= left[number]:
            del left[number]
            self.client.pause([TopicPartition(message.topic(), number)])

    def _since(self, topic: str, since: int) -> dict[int, int]:
        asked = [TopicPartition(topic, number, since) for number in self.partitions(topic)]
        found = with_retries(lambda: self.client.offsets_for_times(asked, timeout=TIMEOUT))
        return {tp.partition: tp.offset for tp in found if tp.offset >= 0}

    def _conf(self, group: str) -> dict[str, Any]:
        return {
            **client_conf(self._servers),
            "group.id": group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }


def _missing(topic: str, error: KafkaError) -> KafkaError:
    """The same error, with advice when a topic is missing."""
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return KafkaError(error.code(), f"there is no topic {topic}; `ogrewatch topics create` makes what is missing")
    return error


def with_retries(ask: Callable[[], _T]) -> _T:
    """Ask Kafka, again for up to `TIMEOUT` seconds while leaders or coordinators change."""
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > until:
                raise
            time.sleep(_RETRY)


def _require_recent(heard: float) -> float:
    """Return `heard`, a monotonic time; raises `KafkaException` when it is more than `TIMEOUT` seconds ago."""
    if time.monotonic() - heard > TIMEOUT:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    return heard
