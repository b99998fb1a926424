"""Reads single raw records, and the newest dead letters, from Kafka. Every function blocks, in a thread of its own.

An id of an event is `<raw topic>-<partition>-<offset>`; that of a dead letter has `<component>:` before it.
"""

import re
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from agents.settings import Settings
from topics.catalogue import DEADLETTER, RAW
from topics.kafka.client import client_conf
from topics.records.deadletter import DeadLetter, InvalidDeadLetter, read

_ID = re.compile(r"(?:([a-z]{1,20}):)?([A-Za-z0-9._-]{1,249})-([0-9]{1,6})-([0-9]{1,18})")
_TIMEOUT = 3.0  # seconds for everything that is asked of Kafka
_LETTERS = 5_000  # newest records of each partition of dead letters that are looked at
_GROUP = "ogrewatch-looks"  # librdkafka wants a group; this one never commits


@dataclass(frozen=True, slots=True)
class Identity:
    """What an id names; `component` is "" for an event."""

    component: str
    topic: str
    partition: int
    offset: int

    @property
    def event(self) -> str:
        """The id of the event of this record."""
        return f"{self.topic}-{self.partition}-{self.offset}"


def identity_of(text: str) -> Identity | None:
    """Read an id; None when it is none."""
    found = _ID.fullmatch(text)
    return Identity(found[1] or "", found[2], int(found[3]), int(found[4])) if found else None


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record of a raw topic. `timestamp` is in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes | None]]


def raw_record(settings: Settings, wanted: Identity) -> RawRecord | str:
    """The raw record of an id, or a sentence about why there is none. Raises `KafkaException`."""
    if wanted.topic not in {settings.prefix + topic.name for topic in RAW}:
        return "It did not come by a raw topic of this installation."
    place = TopicPartition(wanted.topic, wanted.partition, wanted.offset)
    with closing(_consumer(settings)) as consumer:
        low, high = consumer.get_watermark_offsets(place, timeout=_TIMEOUT)
        if wanted.offset < low:
            return f"Kafka has deleted the raw record: {wanted.topic}-{wanted.partition} begins at offset {low} now."
        if wanted.offset >= high:
            return f"There is no such raw record: {wanted.topic}-{wanted.partition} ends at offset {high}."
        for one in _read(consumer, [place], {wanted.partition: wanted.offset + 1}):
            if one.offset() == wanted.offset:
                return RawRecord(
                    wanted.topic, wanted.partition, wanted.offset, one.timestamp()[1], one.key(), one.value() or b"",
                    list(one.headers() or []),
                )  # fmt: skip
    return "Kafka has no record at this offset."


def newest_letters(settings: Settings) -> list[DeadLetter]:
    """The newest dead letters, newest first. Raises `KafkaException`."""
    topic, found = settings.prefix + DEADLETTER.name, []
    with closing(_consumer(settings)) as consumer:
        about = consumer.list_topics(topic, timeout=_TIMEOUT).topics[topic]
        if about.error is not None:
            return []
        places, ends = [], {}
        for number in about.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_TIMEOUT)
            places.append(TopicPartition(topic, number, max(low, high - _LETTERS)))
            ends[number] = high if high > low else 0
        for one in _read(consumer, places, ends):
            with suppress(InvalidDeadLetter):
                found.append(read(one))
    return sorted(found, key=lambda letter: -letter.time)


def _read(consumer: Consumer, places: list[TopicPartition], ends: dict[int, int]) -> Iterator[Any]:
    """Yield records until all ends are reached, or the time is over."""
    left = {one.partition for one in places if one.offset < ends[one.partition]}
    consumer.assign([one for one in places if one.partition in left])
    until = time.monotonic() + _TIMEOUT
    while left and time.monotonic() < until:
        for one in consumer.consume(1000, 0.1):
            number, offset, error = one.partition(), one.offset() or 0, one.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            if number is None or number not in left:
                continue
            if error is None and offset < ends[number]:
                yield one
            if error is not None or offset + 1 >= ends[number]:
                left.discard(number)


def _consumer(settings: Settings) -> Consumer:
    return Consumer(client_conf(settings.kafka) | {
        "group.id": _GROUP, "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0,
        "isolation.level": "read_committed", "queued.max.messages.kbytes": 4096, "fetch.wait.max.ms": 50,
    })  # fmt: skip
