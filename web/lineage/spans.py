"""Finds in a raw line the texts that the fields of its event were read from.

Positions count UTF-16 code units, as JavaScript's strings do. A value is looked for in the part it was read from,
header or message, longer values first; spans do not overlap. Values that were calculated, such as places, have none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from topics.event import Event
from topics.fields import FIELDS

_WHOLE = frozenset({"message", "event_original", "event_dataset", "event_kind", "event_category", "event_type"})
_CALCULATED = re.compile(r"timestamp|event_created|event_outcome|event_action|ogrewatch_|.*_geo_|.*_as_")
_HEADER = ("host_hostname", "process_name", "process_pid")
_STAMP = re.compile(
    r"[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}[0-9.,]{0,10}(?:Z|[+-][0-9:]{4,5})?"
)
_PRIORITY = re.compile(r"<[0-9]{1,3}>")
_LONGEST = 16_384  # characters of a line that are looked at
_MOST = 200  # spans


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the line, and the ECS field that it became."""

    begin: int
    end: int
    field: str

    def shown(self, text: str) -> dict[str, Any]:
        """The span in UTF-16 code units of `text`."""
        before = _units(text[: self.begin])
        return {"from": before, "to": before + _units(text[self.begin : self.end]), "field": self.field}


def spans(text: str, event: Event) -> list[dict[str, Any]]:
    """The spans of a line, in order."""
    text = text[:_LONGEST]
    message = event.get("message", "")
    begin = text.rfind(message) if message and text.endswith(message) else text.find(message[:_LONGEST])
    header = max(0, begin)
    free = bytearray(b"\1" * len(text))
    found = list(_of_header(text, header, event, free))
    for name, value in sorted(_values(event), key=lambda pair: -len(pair[1])):
        if len(found) < _MOST and (span := _place(text, value, name, header, len(text), free)) is not None:
            found.append(span)
    return [span.shown(text) for span in sorted(found, key=lambda span: span.begin)]


def _of_header(text: str, end: int, event: Event, free: bytearray) -> Iterator[Span]:
    if (priority := _PRIORITY.match(text, 0, end)) and "log_syslog_priority" in event:
        yield _take(priority.start(), priority.end(), "log.syslog.priority", free)
    if stamp := _STAMP.search(text, 0, end):
        yield _take(stamp.start(), stamp.end(), "@timestamp", free)
    for column in _HEADER:
        value = str(event.get(column, ""))
        if value and (span := _place(text, value, FIELDS[column].ecs, 0, end, free)) is not None:
            yield span


def _values(event: Event) -> Iterator[tuple[str, str]]:
    """The names and texts of fields that may stand in a message."""
    for column, value in event.items():
        if column == "extra":
            yield from _leaves(value.items())
        elif column in FIELDS and column not in _WHOLE and not _CALCULATED.match(column):
            yield from _texts(FIELDS[column].ecs, value)


def _leaves(members: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in members:
        if not name.startswith(("ogrewatch.", "log.syslog.", "tags")):
            yield from _texts(name, value)


def _texts(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for one in value[:10]:
            yield from _texts(name, one)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and len(str(value)) > 1:
        yield name, str(value)


def _place(text: str, value: str, field: str, begin: int, end: int, free: bytearray) -> Span | None:
    """The first place where a value stands as a word of its own and nothing else was found."""
    at = text.find(value, begin, end)
    tries = 0
    while at >= 0 and tries < 20:
        last = at + len(value)
        if all(free[at:last]) and not _continues(text, at, last):
            return _take(at, last, field, free)
        at, tries = text.find(value, at + 1, end), tries + 1
    return None


def _continues(text: str, begin: int, end: int) -> bool:
    """Whether a word goes on before or behind a place, so that the value is only a part of it."""
    return (begin > 0 and text[begin].isalnum() and text[begin - 1].isalnum()) or (
        end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    )


def _take(begin: int, end: int, field: str, free: bytearray) -> Span:
    free[begin:end] = bytes(end - begin)
    return Span(begin, end, field)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
