"""Turns raw records into encoded, enriched events or dead letters: the work of `normalize` without Kafka.

Any error with a record, even an unexpected one, becomes that record's dead letter and never reaches the caller.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from agents.settings import Settings
from enrichers.enricher import Enricher
from streams.base import StateStore
from streams.dispatch import Dispatcher
from topics.avro.codec import CodecError, encode
from topics.catalogue import MAX_RECORD, REPLAY, typed
from topics.event import Event, key_of, kind_of
from topics.kafka.producer import Outgoing
from topics.records.deadletter import is_too_large, letter, reason_of
from topics.records.provenance import put_received
from topics.records.replay import original, replay_position_header

_LATEST = 4_102_444_800_000
"""The year 2100 in milliseconds: a producer may claim any time, and no arithmetic on it should fail."""


class LineState(StateStore, Protocol):
    """Correlation state that knows which line is parsed."""

    def at(self, offset: int, timestamp: int) -> None:
        """Go on to the line at `offset`, which arrived at `timestamp`, milliseconds since 1970."""


class Pipeline:
    """Parses and enriches lines as the settings say. Raises `GeoDatabaseError` when a database cannot be opened."""

    def __init__(self, settings: Settings) -> None:
        self.dispatcher = Dispatcher(settings.zone)
        self.enricher = Enricher(settings.geoip, settings.asn)
        self._prefix, self._replay = settings.prefix, settings.prefix + REPLAY.name

    def event(self, raw: bytes, received: int, state: StateStore, program: str | None = None) -> Event:
        """Return the event of a line that was received at `received`, microseconds since 1970. Never raises."""
        event = self.dispatcher.parse(raw, received, state, program)
        self.enricher.enrich(event)
        return event

    def records(self, batch: Iterable[Any], state: LineState) -> list[Outgoing]:
        """Return for each raw Kafka record of a batch a typed event or a dead letter. Never raises."""
        return [self._record(record, state) for record in batch]

    def _record(self, record: Any, state: LineState) -> Outgoing:
        state.at(record.offset, record.timestamp)
        headers: Any = None
        try:
            if record.topic == self._replay:
                headers, record = [replay_position_header(record.partition, record.offset)], original(record)
            if is_too_large(record):
                return self._letter(record, "too_large", f"a record may have {MAX_RECORD} bytes")
            return self._typed(record, state, headers)
        except CodecError as error:
            return self._letter(record, "encoding", str(error))
        except Exception as error:
            return self._letter(record, "failure", reason_of(error))

    def _typed(self, record: Any, state: StateStore, headers: Any) -> Outgoing:
        received = min(max(record.timestamp, 0), _LATEST) * 1000
        event = self.event(record.value or b"", received, state)
        if record.headers:
            put_received(event, record.headers)
        event["event_created"] = received
        event["ogrewatch_raw_topic"] = record.topic
        event["ogrewatch_raw_partition"] = record.partition
        event["ogrewatch_raw_offset"] = record.offset
        kind, key = kind_of(event), key_of(event)
        value = encode(kind, event)
        if len(value) > MAX_RECORD - len(key):
            raise CodecError(f"an event of {len(value)} bytes")
        dated = 0 if headers else record.timestamp  # what is sent again must not be older than its topic keeps
        return tuple.__new__(Outgoing, (self._prefix + typed(kind), key, value, None, dated, headers))

    def _letter(self, record: Any, reason: str, text: str) -> Outgoing:
        return letter(self._prefix, "normalize", record, reason, text)
