"""Gives the fields of an encoded event by their ECS names; decodes the event when it is first asked for one."""

from typing import Any, NamedTuple, Protocol

from alerts.engine.predicate import Getter
from alerts.engine.values import texts_of
from alerts.rules.model import Rule
from topics.avro.codec import decode
from topics.event import Event
from topics.fields import FIELDS

_COLUMNS = {field.ecs: (field.column, field.absent) for field in FIELDS.values()}


LINE = "event.original"


class Reference(NamedTuple):
    """An event: topic, partition and offset of its raw record, and when it happened, microseconds since 1970."""

    topic: str
    partition: int
    offset: int
    at: int

    @property
    def id(self) -> str:
        """The event's id (`topics.event.id_of`)."""
        return f"{self.topic}-{self.partition}-{self.offset}"


class View(Protocol):
    """An encoded event, as conditions and alerts look at it."""

    @property
    def reference(self) -> Reference:
        """Which event it is."""

    def get(self, field: str) -> tuple[str, ...]:
        """The texts of a field; none when the event lacks it."""

    def line(self) -> str:
        """The line as it was received."""


class Match(NamedTuple):
    """A rule that holds for an event. `place` is the event's in the batch."""

    place: int
    rule: Rule
    view: View

    @property
    def get(self) -> Getter:
        """Gives the event's fields."""
        return self.view.get


class EventView:
    """One event. Raises as `topics.avro.codec.decode` when it is first asked and cannot be decoded."""

    __slots__ = ("_event", "_texts", "value")

    def __init__(self, value: bytes, event: Event | None = None) -> None:
        self.value, self._event = value, event
        self._texts: dict[str, tuple[str, ...]] = {}

    @property
    def event(self) -> Event:
        """The decoded event."""
        if self._event is None:
            self._event = decode(self.value)[1]
        return self._event

    @property
    def reference(self) -> Reference:
        """As `View.reference`."""
        event = self.event
        raw = (event.get(f"ogrewatch_raw_{part}") for part in ("topic", "partition", "offset"))
        topic, partition, offset = raw
        return Reference(topic or "", int(partition or 0), int(offset or 0), int(event.get("timestamp") or 0))

    def line(self) -> str:
        """As `View.line`."""
        return "".join(self.get(LINE)[:1])

    def get(self, field: str) -> tuple[str, ...]:
        """As `View.get`."""
        found = self._texts.get(field)
        if found is None:
            found = self._texts[field] = self._read(field)
        return found

    def _read(self, field: str) -> tuple[str, ...]:
        place = _COLUMNS.get(field)
        if place is not None:
            value = self.event.get(place[0])
            if value is not None:
                return () if value == place[1] else texts_of(value)
        return texts_of(find(self.event.get("extra") or {}, field))


def find(values: dict[str, Any], name: str) -> Any:
    """The value of a dotted name, as it stands or in an object under the name's beginning. None if it is absent."""
    if name in values:
        return values[name]
    at = name.find(".")
    while at >= 0:
        inner = values.get(name[:at])
        if isinstance(inner, dict) and (found := find(inner, name[at + 1 :])) is not None:
            return found
        at = name.find(".", at + 1)
    return None
