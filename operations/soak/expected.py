"""Computes what must have become of the raw topic, by parsing it again in a process that is not killed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from confluent_kafka import Message

from agents.settings import Settings
from operations.soak.load import RAW, fingerprint
from topics.catalogue import COUNTED_KINDS, MAX_RECORD
from topics.kafka.reader import Reader

Cell = tuple[int, str, str]
"""Minute, service, outcome."""
_MANY = 2_000  # records at a time


@dataclass(slots=True)
class Expected:
    """The content of the raw topic: number of lines, their fingerprint, ids of their events, attempts by cell.

    `letters` are the identities of the dead letters of normalize.
    """

    lines: int = 0
    print: int = 0
    ids: list[str] = field(default_factory=list)
    attempts: Counter[Cell] = field(default_factory=Counter)
    letters: set[str] = field(default_factory=set)


def recount(settings: Settings) -> Expected:
    """Read and parse the whole raw topic. Blocks; raises `KafkaException`."""
    from agents.pipeline import Pipeline
    from agents.state.changelog import ChangelogPartition
    from agents.state.correlation import BatchState
    from agents.state.correlation_store import CorrelationStore

    truth, pipeline = Expected(), Pipeline(settings)
    for partition in range(settings.partitions):
        part = ChangelogPartition("", partition, CorrelationStore())  # in memory only
        for messages in _batches(settings, RAW, partition):
            truth.lines += len(messages)
            truth.print = truth.print + fingerprint([message.value() or b"" for message in messages]) & (1 << 64) - 1
            first = messages[0].offset() or 0
            state = BatchState(part, 0, first, committed=first)
            for message in messages:
                add(truth, pipeline, state, message)
            state.expired()
            state.records(messages[-1].offset() or 0)
    return truth


def records(settings: Settings, topic: str) -> Iterator[Message]:
    """Read all records of a topic. Blocks; raises `KafkaException`."""
    for partition in range(settings.partitions):
        for messages in _batches(settings, topic, partition):
            yield from messages


def add(truth: Expected, pipeline: Any, state: Any, message: Message) -> None:
    """Add what must become of a record of the raw topic, when `state` has been told the lines before it."""
    from topics.event import kind_of

    value = message.value() or b""
    state.at(message.offset(), message.timestamp()[1])
    place = f"{message.topic()}-{message.partition()}-{message.offset()}"
    if len(value) + len(message.key() or b"") > MAX_RECORD:
        truth.letters.add(f"normalize:{place}")
        return
    event = pipeline.event(value, message.timestamp()[1] * 1000, state)
    truth.ids.append(place)
    if (number := event.get("ogrewatch_attempt", 0)) > 0 and kind_of(event) in COUNTED_KINDS:
        outcome = event.get("event_outcome")
        minute = event["timestamp"] // 60_000_000 * 60
        service = event.get("ogrewatch_service") or "unknown"
        truth.attempts[minute, service, outcome if outcome in ("success", "failure") else "unknown"] += number


def _batches(settings: Settings, topic: str, partition: int) -> Iterator[list[Message]]:
    name = settings.prefix + topic
    with Reader(settings.kafka) as reader:
        messages = reader.read(name, {partition: reader.bounds(name)[partition]})
        while batch := list(islice(messages, _MANY)):
            yield batch
