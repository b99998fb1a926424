"""Topics in, their records out, as far as they reach now; and from a time on."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from topics.catalogue import group_of, read_by
from topics.kafka.client import answers, client_conf

TIMEOUT = 15.0  # seconds
_BATCH, _PAUSE = 5000, 0.1  # messages at a time, or seconds
_AGAIN = 0.2  # seconds before Kafka is asked again
_PASSING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNKNOWN_TOPIC_OR_PART,  # some broker has not heard of it yet
    KafkaError._UNKNOWN_PARTITION,
}
_NOBODY = "ogrewatch-reads"  # a group that never commits


class Reader:
    """Reads without a group, and only what no transaction aborted. Every method blocks; raises `KafkaException`.

    Entering it raises `Refused` when Kafka will not have us.
    """

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self.client = Consumer(self._conf(_NOBODY))
        self._partitions: dict[str, list[int]] = {}

    def __enter__(self) -> "Reader":
        answers(self._servers)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def partitions(self, topic: str) -> list[int]:
        """The partitions of a topic; raises `KafkaException` when it is missing."""
        if topic not in self._partitions:
            found = self.client.list_topics(topic, timeout=TIMEOUT).topics[topic]
            if found.error is not None:
                raise KafkaException(_missing(topic, found.error))
            self._partitions[topic] = sorted(found.partitions)
        return self._partitions[topic]

    def bounds(self, topic: str, since: int = 0) -> dict[int, tuple[int, int]]:
        """By partition: the first offset that is there and not from before `since` (milliseconds), and the end."""
        found = {}
        starts = self._since(topic, since) if since else {}
        for number in self.partitions(topic):
            ask = partial(self.client.get_watermark_offsets, TopicPartition(topic, number), timeout=TIMEOUT)
            begin, end = _patiently(ask)
            found[number] = (min(end, max(begin, starts.get(number, end))) if since else begin, end)
        return found

    def committed(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], int]:
        """Where a group goes on; -1 where it has committed nothing."""
        return {at: offset for at, (offset, _) in self.commits(group, topics).items()}

    def commits(self, group: str, topics: Iterable[str]) -> dict[tuple[str, int], tuple[int, str]]:
        """Where a group goes on (-1 where it has committed nothing), and the metadata of that commit."""
        asked = [TopicPartition(topic, number) for topic in topics for number in self.partitions(topic)]
        client = Consumer(self._conf(group))
        try:
            found = _patiently(lambda: client.committed(asked, timeout=TIMEOUT))
            return {(tp.topic, tp.partition): (max(-1, tp.offset), tp.metadata or "") for tp in found}
        finally:
            client.close()

    def left(self, role: str, prefix: str) -> int:
        """Records that the group of a role has not committed; those that come meanwhile are among them."""
        topics = read_by(role, prefix)
        done = self.committed(group_of(role, prefix), topics)
        return sum(map(self.end, topics)) - sum(max(0, offset) for offset in done.values())

    def end(self, topic: str) -> int:
        """The ends of all partitions of a topic, added up."""
        return sum(end for _, end in self.bounds(topic).values())

    def read(self, topic: str, spans: dict[int, tuple[int, int]]) -> Iterator[Any]:
        """Messages of partitions, each from an offset up to before another. One read at a time."""
        left = {number: end for number, (begin, end) in spans.items() if begin < end}
        self.client.assign([TopicPartition(topic, number, spans[number][0]) for number in left])
        heard = time.monotonic()
        try:
            while left:
                messages = self.client.consume(_BATCH, _PAUSE)
                heard = time.monotonic() if messages else _patient(heard)
                for message in messages:
                    yield from self._take(message, left)
        finally:
            self.client.resume(self.client.assignment())  # else the next read finds them paused
            self.client.unassign()

    def _take(self, message: Any, left: dict[int, int]) -> Iterator[Any]:
        """The message, if it lies before its end; a partition that has come to its end is left."""
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
        found = _patiently(lambda: self.client.offsets_for_times(asked, timeout=TIMEOUT))
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
    """The same error, with what helps if that can be known."""
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return KafkaError(error.code(), f"there is no topic {topic}; `ogrewatch topics create` makes what is missing")
    return error


def _patiently(ask: Callable[[], Any]) -> Any:
    """An answer of Kafka; leaders and coordinators that are changing are asked again for a while."""
    until = time.monotonic() + TIMEOUT
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in _PASSING or time.monotonic() > until:
                raise
            time.sleep(_AGAIN)


def _patient(heard: float) -> float:
    """When something was heard last; raises `KafkaException` when that is long ago."""
    if time.monotonic() - heard > TIMEOUT:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    return heard
