"""Reads records of a typed topic for rules: what matches in them, and the time that they tell.

The detect role and backtests share it, so that they come to the same alerts.
"""

from collections.abc import Sequence
from typing import Protocol

from agents.counting.stream_time import StreamTime
from alerts.engine.engines import Engine
from alerts.engine.view import Match
from topics.avro.attempt_header import ARRIVAL, arrival, stamp
from topics.avro.codec import CodecError
from topics.avro.wire import UnknownSchema


class Encoded(Protocol):
    """A record with an encoded event."""

    @property
    def value(self) -> bytes:
        """The event."""


class Clock:
    """Notes in a log's time when the raw records of its events reached Kafka, in their order."""

    def __init__(self, time: StreamTime, records: Sequence[Encoded]) -> None:
        self._time, self._records = time, records
        self._next, self._seen = 0, b""

    def advance(self, place: int) -> None:
        """Note the records up to a place."""
        for record in self._records[self._next : place + 1]:
            value = record.value
            if value[ARRIVAL] != self._seen:
                self._seen = self._note(value)
        self._next = max(self._next, place + 1)

    def _note(self, value: bytes) -> bytes:
        """Returns the bytes of arrivals that need not be noted again, b"" for none."""
        try:
            came = arrival(value)
        except (CodecError, UnknownSchema):
            return b""  # the engine reports it
        self._time.note(came)
        return b"" if self._time.unsure or came > self._time.now else stamp(value)


def matches_of(engine: Engine, values: Sequence[bytes]) -> tuple[list[Match], int]:
    """The matches of a batch, and how many of its events cannot be decoded. Raises `UnknownSchema`."""
    try:
        return engine.match(values), 0
    except CodecError:
        pass  # one record must not hide the others
    found, undecodable = list[Match](), 0
    for place, value in enumerate(values):
        try:
            found += [match._replace(place=place) for match in engine.match([value])]
        except CodecError:
            undecodable += 1
    return found, undecodable
