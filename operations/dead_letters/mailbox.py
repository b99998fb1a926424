"""Reads dead letters and the decisions on them from Kafka, and selects letters."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.settings import Settings
from topics.catalogue import DEADLETTER, DECISIONS
from topics.kafka.reader import Reader
from topics.records.deadletter import DeadLetter, InvalidDeadLetter, read

Place = tuple[int, int]
"""Partition and offset of a letter."""
REPLAYED, DROPPED, PRESENT = "replayed", "dropped", "present"
"""Decisions on a letter: it was sent again, given up, or found to be stored already."""
CUT = "cut"
"""The answer of a replay about a letter that has only the beginning of its record: nothing was decided on it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Selects letters that agree with all fields that are set. Times of letters are milliseconds since 1970."""

    ids: frozenset[str] = frozenset()
    component: str = ""
    reason: str = ""
    topic: str = ""
    since: int = 0
    until: int = 0
    contains: bytes = b""
    decided: bool = False
    """Those too that were sent again or dropped."""

    def fits(self, letter: DeadLetter) -> bool:
        """Whether a letter agrees with the fields; `decided` is not looked at."""
        return (
            (not self.ids or letter.id in self.ids)
            and self.component in ("", letter.component)
            and self.reason in ("", letter.reason)
            and self.topic in ("", letter.topic)
            and self.since <= letter.time
            and (not self.until or letter.time < self.until)
            and (self.contains in (letter.value or b"") or self.contains in letter.error.encode())
        )


@dataclass(slots=True)
class Decisions:
    """The last decision by id of letters. A decision is about the letters whose places it names, and no later ones."""

    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, letter: DeadLetter) -> dict[str, Any] | None:
        """The decision on a letter, None if there is none."""
        found = self.by_id.get(letter.id)
        return found if found is not None and list(letter.place) in found["letters"] else None


def decision(what: str, by: str, places: Iterable[Place]) -> bytes:
    """Encode a record of `DECISIONS` about the letters of one id at these places."""
    return orjson.dumps({"fate": what, "at": time.time_ns() // 1_000_000, "by": by, "letters": list(places)})


def decisions(reader: Reader, settings: Settings) -> Decisions:
    """Read all decisions; blocks."""
    topic, found = settings.prefix + DECISIONS.name, Decisions()
    for message in reader.read(topic, reader.bounds(topic)):
        identity, said = message.key().decode(), orjson.loads(message.value())
        before = found.by_id.get(identity)
        found.by_id[identity] = {**said, "letters": said["letters"] + (before["letters"] if before else [])}
    return found


def letters(reader: Reader, settings: Settings, since: int = 0) -> Iterator[DeadLetter]:
    """Read letters about records since a time in milliseconds, partition by partition in their order; blocks.

    Records of the topic that are no letters are left out.
    """
    topic = settings.prefix + DEADLETTER.name
    for message in reader.read(topic, reader.bounds(topic, since)):
        with suppress(InvalidDeadLetter):
            letter = read(message)
            if letter.timestamp >= since:
                yield letter


def search(reader: Reader, settings: Settings, wanted: Wanted) -> Iterator[tuple[DeadLetter, dict[str, Any] | None]]:
    """Read the letters that are wanted, each with the decision on it; blocks."""
    decided = decisions(reader, settings)
    for letter in letters(reader, settings):
        if wanted.fits(letter):
            said = decided.of(letter)
            if said is None or wanted.decided:
                yield letter, said
