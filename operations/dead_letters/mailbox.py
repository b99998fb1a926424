"""The dead-letter topic and what was decided of its letters in, the letters that somebody asks for out."""

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
"""What can become of a letter: sent again, given up, or found to be stored already."""
CUT = "cut"
"""What a replay answers of a letter that has only the beginning of its record: nothing was decided of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters: those that agree with all that is set. Times are milliseconds since 1970, of the giving up."""

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
        """Whether a letter is one of them, as far as it itself can tell."""
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
    """The last decision on each letter, by its id. It holds for the letters it names by their places, and no later."""

    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, letter: DeadLetter) -> dict[str, Any] | None:
        """What was decided of a letter, if anything was."""
        found = self.by_id.get(letter.id)
        return found if found is not None and list(letter.place) in found["letters"] else None


def decision(what: str, by: str, places: Iterable[Place]) -> bytes:
    """The value of a record of `DECISIONS`, for the letters of one id at these places."""
    return orjson.dumps({"fate": what, "at": time.time_ns() // 1_000_000, "by": by, "letters": list(places)})


def decisions(reader: Reader, settings: Settings) -> Decisions:
    """All decisions; blocks."""
    topic, found = settings.prefix + DECISIONS.name, Decisions()
    for message in reader.read(topic, reader.bounds(topic)):
        identity, said = message.key().decode(), orjson.loads(message.value())
        before = found.by_id.get(identity)
        found.by_id[identity] = {**said, "letters": said["letters"] + (before["letters"] if before else [])}
    return found


def letters(reader: Reader, settings: Settings, since: int = 0) -> Iterator[DeadLetter]:
    """Letters of records that came since a time (milliseconds), partition by partition in their order; blocks.

    What is in the topic and no letter is passed over.
    """
    topic = settings.prefix + DEADLETTER.name
    for message in reader.read(topic, reader.bounds(topic, since)):
        with suppress(InvalidDeadLetter):
            letter = read(message)
            if letter.timestamp >= since:
                yield letter


def search(reader: Reader, settings: Settings, wanted: Wanted) -> Iterator[tuple[DeadLetter, dict[str, Any] | None]]:
    """Letters that are wanted, and what was decided of each; blocks."""
    decided = decisions(reader, settings)
    for letter in letters(reader, settings):
        if wanted.fits(letter):
            said = decided.of(letter)
            if said is None or wanted.decided:
                yield letter, said
