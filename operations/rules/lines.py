"""Turns raw lines into encoded events, as the normalize role does, but without Kafka."""

from typing import NamedTuple

from agents.pipeline import Pipeline
from agents.settings import Settings
from streams.base import MemoryState
from topics.avro.codec import encode
from topics.event import key_of, kind_of


class Encoded(NamedTuple):
    """An event of a line: its type, its bytes, when it happened (microseconds since 1970), and its key in Kafka."""

    kind: str
    value: bytes
    at: int
    key: bytes


class LineEncoder:
    """Encodes lines one after the other; what one of them says of a connection, the next ones know."""

    def __init__(self, settings: Settings) -> None:
        self._pipeline = Pipeline(settings)
        self.restart()

    def restart(self) -> None:
        """Forget all lines so far."""
        self._state, self._offset = MemoryState(), 0

    def encode(self, line: bytes, received: int, program: str | None = None) -> Encoded:
        """The event of a line that was received at `received`, microseconds since 1970."""
        event = self._pipeline.event(line, received, self._state, program)
        event["event_created"], event["ogrewatch_raw_topic"] = received, "raw.syslog"
        event["ogrewatch_raw_partition"], event["ogrewatch_raw_offset"] = 0, self._offset
        self._offset += 1
        kind = kind_of(event)
        return Encoded(kind, encode(kind, event), event["timestamp"], key_of(event))
