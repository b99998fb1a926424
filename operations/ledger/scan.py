"""Finds out what became of every single record, by reading all topics and asking Elasticsearch for every id.

Memory is one byte of flags for each raw offset. Events are identified by their raw record, so an event that normalize
wrote twice counts once.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from agents.state.log_identity import copied_from
from operations.ledger.counts import At, Facts, Raw, Typed
from operations.ledger.dead_letters import Given, OriginOf
from operations.ledger.store import Store
from topics.catalogue import STATS
from topics.kafka.reader import Reader

PRODUCED, FINISHED, WAITING = 1, 2, 4
"""Flags: there is an event; index has processed a record of it; index has still to process a record of it."""
_IDS = 10_000  # ids in one question to Elasticsearch
_TICK = 1000  # records between two steps of the progress

Step = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(slots=True)
class Marks:
    """The flags of a raw partition by offset from `begin` on, and the number of the typed partition, counted from 1."""

    row: Raw
    flags: bytearray = field(init=False)
    typed: "array[int]" = field(init=False)

    def __post_init__(self) -> None:
        self.flags = bytearray(self.row.end - self.row.begin)
        self.typed = array("H", bytes(2 * len(self.flags)))


class Scan:
    """One scan, which completes the rows of `facts`. `run` blocks, and calls `step` now and then.

    Afterwards `stored` is the number of records in Elasticsearch, and `holes` the number of offsets without a record,
    such as ends of transactions.
    """

    def __init__(
        self, reader: Reader, store: Store, facts: Facts, given: Given, origin_of: OriginOf, step: Step
    ) -> None:
        self._reader, self._store, self._facts, self._given = reader, store, facts, given
        self._origin_of, self._step = origin_of, step
        self.stored = self.holes = 0
        self._marks = {at: Marks(row) for at, row in facts.raw.items()}
        self._rows: list[Typed | None] = [None, *facts.typed.values()]
        self._numbers = {at: number for number, at in enumerate(facts.typed, 1)}

    def run(self) -> None:
        """Read the typed topics, ask Elasticsearch, and look for records without an event."""
        for topic in dict.fromkeys(row.topic for row in self._facts.typed.values()):
            if not topic.endswith(STATS.name):
                self._read(topic)
        self._store.refresh()
        for at, marks in self._marks.items():
            marks.row.produced = sum(flags & PRODUCED for flags in marks.flags)
            self._ask(at, marks)

    def _read(self, topic: str) -> None:
        rows = {at[1]: row for at, row in self._facts.typed.items() if at[0] == topic}
        total = sum(row.end - row.begin for row in rows.values())
        for row in rows.values():
            row.events = 0
        spans = {number: (row.begin, row.end) for number, row in rows.items()}
        for number, message in enumerate(self._reader.read(topic, spans)):
            origin = self._origin_of(message.value() or b"")
            if origin is not None and (marks := self._marks.get(origin[:2])) is not None:
                self._mark(rows[message.partition()], marks, origin[2], message.offset())
            if number % _TICK == 0:
                self._step(topic, number, total)

    def _mark(self, row: Typed, marks: Marks, offset: int, at: int) -> None:
        index = offset - marks.row.begin
        if not 0 <= index < len(marks.flags):
            return
        if marks.flags[index] & PRODUCED:
            row.repeated += 1
        else:
            row.events = (row.events or 0) + 1
            marks.typed[index] = self._numbers[row.topic, row.partition]
        marks.flags[index] |= PRODUCED | (FINISHED if at < row.indexed else WAITING)

    def _ask(self, at: At, marks: Marks) -> None:
        """Ask which records of a raw partition are stored, and note those that should be and are not."""
        consumed = max(0, marks.row.consumed - marks.row.begin)
        asked = (index for index, flags in enumerate(marks.flags) if flags or index < consumed)
        prefix, absent = f"{at[0]}-{at[1]}-", list[int]()
        for some in _some(asked, _IDS):
            found = self._store.stored([f"{prefix}{marks.row.begin + index}" for index in some])
            for index in some:
                identity = f"{prefix}{marks.row.begin + index}"
                if number := found[identity]:
                    self._stored_in(self._rows[marks.typed[index]], identity, number)
                elif self._owed(at, marks, index):
                    absent.append(index)
            self._step(f"Elasticsearch, {at[0]}-{at[1]}", some[-1], len(marks.flags))
        self._attribute(at, marks, absent)

    def _stored_in(self, row: Typed | None, identity: str, number: int) -> None:
        self.stored += 1
        if row is not None:
            row.stored += 1
            if number > 1:
                row.doubled.append(identity)

    def _owed(self, at: At, marks: Marks, index: int) -> bool:
        """Whether a record should be stored: a role has processed it, and it is no dead letter."""
        offset, flags = marks.row.begin + index, marks.flags[index]
        if offset in self._given.records[at] or offset in self._given.events[at]:
            return False
        if offset in self._given.again[at]:
            return not flags & WAITING and not any(row.lag for row in self._facts.replay.values())
        return bool(flags & FINISHED) or not flags

    def _attribute(self, at: At, marks: Marks, absent: list[int]) -> None:
        """Note absent records as lost by index if there is an event, else by normalize if there is a record at all."""
        lost = [marks.row.begin + index for index in absent if not marks.typed[index]]
        for index in absent:
            if (row := self._rows[marks.typed[index]]) is not None:
                row.missing.append(f"{at[0]}-{at[1]}-{marks.row.begin + index}")
        if lost:
            wanted = set(lost)
            found = self._reader.read(at[0], {at[1]: (lost[0], lost[-1] + 1)})
            there = {message.offset(): message for message in found if message.offset() in wanted}
            marks.row.missing = sorted(there.keys() - self._copied(at, marks.row, there))
            self.holes += len(lost) - len(marks.row.missing)

    def _copied(self, at: At, row: Raw, there: dict[int, Any]) -> set[int]:
        """Offsets of records of which `ogrewatch repair` has written a copy further behind.

        Normalize processes the copy instead.
        """
        if not there:
            return set()
        behind = self._reader.read(at[0], {at[1]: (min(there) + 1, row.end)})
        return {
            origin for message in behind if (origin := copied_from(message)) in there and _same(message, there[origin])
        }


def _same(one: Any, other: Any) -> bool:
    return bool(one.key() == other.key() and one.value() == other.value())


def _some(items: Iterable[int], number: int) -> Iterator[list[int]]:
    iterator = iter(items)
    while some := list(islice(iterator, number)):
        yield some
