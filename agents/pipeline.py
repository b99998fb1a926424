"""One raw line in, one event out, enriched and encoded: the work of `normalize` without Kafka."""

from collections.abc import Iterable
from typing import Any

from agents.settings import Settings
from enrichers.enricher import Enricher
from streams.base import Joins
from streams.dispatch import Dispatcher
from topics.catalogue import DEADLETTER, MAX_RECORD, typed
from topics.codec import CodecError, encode
from topics.deadletter import headers
from topics.event import Event, key_of, kind_of

_HALF = 50_000
"""Values in a generation of `RecentJoins`."""


_LATEST = 4_102_444_800_000
"""The year 2100 in milliseconds: a producer may claim any time, and no arithmetic on it should fail."""

Outgoing = tuple[str, bytes | None, bytes | None, int | None, int, Any]
"""topic, key, value, partition, timestamp in milliseconds, headers: what `Delivery.send` takes."""


class RecentJoins:
    """State that joins lines, in memory: at least the last 50,000 values touched, at most twice as many."""

    def __init__(self) -> None:
        self._new: dict[str, Any] = {}
        self._old: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        value = self._new.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: str, value: Any) -> None:
        if len(self._new) >= _HALF:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def close(self, key: str) -> None:
        """Left to age: a replay may still ask for it."""


class Pipeline:
    """Parses and enriches lines as the settings say. Raises `GeoDatabaseError` when a database cannot be opened."""

    def __init__(self, settings: Settings) -> None:
        self.dispatcher = Dispatcher(settings.zone)
        self.enricher = Enricher(settings.geoip, settings.asn)
        self._topics = settings.prefix

    def event(self, raw: bytes, received: int, joins: Joins, program: str | None = None) -> Event:
        """The event of a line that was received at `received`, microseconds since 1970. Never raises."""
        event = self.dispatcher.parse(raw, received, joins, program)
        self.enricher.enrich(event)
        return event

    def records(self, topic: str, partition: int, batch: Iterable[Any], joins: Joins) -> list[Outgoing]:
        """What to produce for a batch of raw Kafka records: a typed event each, or a dead letter."""
        return [self._record(topic, partition, record, joins) for record in batch]

    def _record(self, topic: str, partition: int, record: Any, joins: Joins) -> Outgoing:
        received = min(max(record.timestamp, 0), _LATEST) * 1000
        event = self.event(record.value or b"", received, joins)
        event["event_created"] = received
        event["ogrewatch_raw_topic"] = topic
        event["ogrewatch_raw_partition"] = partition
        event["ogrewatch_raw_offset"] = record.offset
        kind = kind_of(event)
        try:
            value = encode(kind, event)
            if len(value) > MAX_RECORD - len(key_of(event)):
                raise CodecError(f"an event of {len(value)} bytes")
        except CodecError as error:
            why = headers("normalize", topic, partition, record.offset, "encoding", str(error))
            return self._topics + DEADLETTER.name, record.key, record.value, None, record.timestamp, why
        return self._topics + typed(kind), key_of(event), value, None, record.timestamp, None
