"""Reads many partitions of many topics at once, in the order in which their records came, with bounded memory.

The partitions advance together: each `stride` holds all records up to a moment that every partition has passed. So what
is read of one is never far ahead of another, as it is for a worker that keeps up.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from topics.kafka.reader import TIMEOUT, Reader

_AT_ONCE, _PAUSE = 5000, 0.1  # records of one call, and seconds that it waits for them
_KEPT = 200_000  # records in memory, about
_LEAST = 1000
_NEVER = 1 << 62

LogName = tuple[str, int]
"""A topic and a partition."""


class Record(NamedTuple):
    """A record. `came` is the greatest timestamp of its partition so far, milliseconds since 1970."""

    came: int
    offset: int
    value: bytes
    headers: list[tuple[str, bytes]]


@dataclass(slots=True)
class _Log:
    end: int
    records: deque[Record] = field(default_factory=deque)
    came: int = 0
    read: bool = False
    paused: bool = False

    def passed(self) -> int:
        """The time up to which all of its records are in memory; a full log does not wait for more of the same time."""
        return _NEVER if self.read else self.came if self.paused else self.came - 1


class Merge:
    """The records of some topics that came at `since` (milliseconds since 1970) or later, up to the ends of now.

    Blocks. Raises `KafkaException`, also when there is no such topic, or when Kafka does not answer for long.
    """

    def __init__(self, reader: Reader, topics: list[str], since: int) -> None:
        self._client = reader.client
        spans = {
            (topic, number): span
            for topic in topics
            for number, span in reader.bounds(topic, since).items()
            if span[0] < span[1]
        }
        self.total = sum(end - begin for begin, end in spans.values())
        self._logs = {name: _Log(end) for name, (_, end) in spans.items()}
        self._most = max(_LEAST, _KEPT // max(1, len(self._logs)))
        self._client.assign([TopicPartition(*name, begin) for name, (begin, _) in spans.items()])

    def strides(self) -> Iterator[dict[LogName, list[Record]]]:
        """All records, some of each partition at a time, by partition."""
        try:
            yield from self._strides(time.monotonic())
        finally:
            self._client.resume(self._client.assignment())  # else the next read finds them paused
            self._client.unassign()

    def _strides(self, heard: float) -> Iterator[dict[LogName, list[Record]]]:
        while any(not log.read or log.records for log in self._logs.values()):
            moment = min(log.passed() for log in self._logs.values())
            found = {name: taken for name, log in self._logs.items() if (taken := _up_to(log.records, moment))}
            if found:
                yield found
                self._resume()
            if not all(log.read for log in self._logs.values()):
                heard = self._fetch(heard)

    def _fetch(self, heard: float) -> float:
        """Take what Kafka sends; returns when it last sent something, monotonic seconds."""
        messages = self._client.consume(_AT_ONCE, _PAUSE)
        for message in messages:
            self._keep(message)
        if messages:
            return time.monotonic()
        if time.monotonic() - heard > TIMEOUT:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return heard

    def _keep(self, message: Any) -> None:
        error, name = message.error(), (message.topic(), message.partition())
        log = self._logs[name]
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            log.read = True
            return
        if log.read:
            return
        offset, value = message.offset(), message.value()
        if offset < log.end:
            log.came = max(log.came, message.timestamp()[1])
            if value:
                log.records.append(Record(log.came, offset, value, message.headers() or []))
        if offset + 1 >= log.end:
            log.read = True
        if log.read or (len(log.records) >= self._most and not log.paused):
            log.paused = True
            self._client.pause([TopicPartition(*name)])

    def _resume(self) -> None:
        for name, log in self._logs.items():
            if log.paused and not log.read and len(log.records) < self._most // 2:
                log.paused = False
                self._client.resume([TopicPartition(*name)])


def _up_to(records: deque[Record], moment: int) -> list[Record]:
    """Take the records that came at a moment or before."""
    found = []
    while records and records[0].came <= moment:
        found.append(records.popleft())
    return found
