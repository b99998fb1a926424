"""What lines of one raw partition tell each other, kept through restarts: values in, changelog records out.

The table of the normalize role. An entry is written with the events of its batch, before the batch is acknowledged;
one that a batch both begins and closes stays in memory, for no later batch needs it. Time is the arrival of the lines,
so that a replay forgets nothing that the first pass knew. `streams.base.Joins` says what may be kept here.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from agents.changelog import UNWRITTEN, Part
from agents.transport import Outgoing

MOST = 25_000
"""Entries of a partition; beyond that the oldest are forgotten. Senders decide how many connections there are."""
OPEN, CLOSED = 86_400, 600
"""Seconds for which an entry is kept that nobody touches."""
TOPICS = b"topics"
"""The name of the entry that says which raw topics these are; no line's begins so, and it is never forgotten."""
_LONGEST = 512  # bytes of a name; what is longer is not kept


class Entry:
    """One value. `touched` is when it was last written, in seconds since 1970."""

    __slots__ = ("closed", "generation", "position", "touched", "value")

    def __init__(self, value: Any, touched: int, closed: bool = False) -> None:
        self.value, self.touched, self.closed = value, touched, closed
        self.position, self.generation = -1, UNWRITTEN

    def payload(self) -> bytes:
        """What its record holds. Raises `orjson.JSONEncodeError` for a value that is not JSON."""
        return orjson.dumps([self.touched, self.closed, self.value])

    @property
    def due(self) -> int:
        """When it may be forgotten, unless it is touched again."""
        return self.touched + (CLOSED if self.closed else OPEN)


class Shelf:
    """The entries of one partition, by name, and when to look which of them are due."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._due: dict[int, list[bytes]] = {}
        self._looked = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: bytes) -> Entry | None:
        """The entry, if it is there."""
        return self._entries.get(name)

    def put(self, name: bytes, payload: bytes) -> Entry:
        """Make the entry that a record tells of."""
        touched, closed, value = orjson.loads(payload)
        return self.keep(name, Entry(value, touched, closed))

    def keep(self, name: bytes, entry: Entry) -> Entry:
        """Keep an entry, or one that is due earlier than it was."""
        self._entries[name] = entry
        self._due.setdefault(entry.due // 60 + 1, []).append(name)
        return entry

    def remove(self, name: bytes) -> None:
        """Forget an entry that is there."""
        del self._entries[name]

    def expire(self, now: int) -> Iterator[tuple[bytes, Entry]]:
        """Forget what is too much, and once a minute what is due, and say what."""
        while len(self._entries) > MOST:
            name = next(iter(self._entries))
            entry = self._entries.pop(name)
            if name == TOPICS:
                self._entries[name] = entry  # as the newest
            else:
                yield name, entry
        minute = now // 60
        if minute > self._looked:
            self._looked = minute
            for passed in sorted(due for due in self._due if due <= minute):
                yield from self._expire(self._due.pop(passed), now)

    def _expire(self, names: list[bytes], now: int) -> Iterator[tuple[bytes, Entry]]:
        for name in names:
            entry = self._entries.get(name)
            if entry is None:
                continue
            if entry.due <= now:
                yield name, self._entries.pop(name)
            else:
                self.keep(name, entry)


class BatchJoins:
    """The joins of one batch. `topic` numbers the raw topic; the first line arrived at `now`, seconds since 1970."""

    def __init__(self, part: Part[Shelf], topic: int, now: int) -> None:
        self._part, self._shelf = part, part.shelf
        self._prefix, self._now = b"%d|" % topic, now
        self._changed: dict[bytes, Entry] = {}

    def get(self, key: str) -> Any:
        """The value, or None."""
        entry = self._shelf.find(self._name(key))
        return entry.value if entry is not None else None

    def put(self, key: str, value: Any) -> None:
        """Keep `value` until it was not touched for a day."""
        name = self._name(key)
        if len(name) > _LONGEST:
            return
        entry = self._shelf.find(name)
        if entry is None:
            entry = self._shelf.keep(name, Entry(value, self._now))
        else:
            entry.value, entry.touched, entry.closed = value, self._now, False
        self._changed[name] = entry

    def close(self, key: str) -> None:
        """Forget the value in some minutes."""
        name = self._name(key)
        entry = self._shelf.find(name)
        if entry is not None and not entry.closed:
            entry.touched, entry.closed = self._now, True
            self._changed[name] = self._shelf.keep(name, entry)

    def records(self, position: int) -> list[Outgoing]:
        """What must be durable before the batch, which ends at `position`, is acknowledged."""
        records = []
        for name, entry in self._changed.items():
            if not entry.closed or entry.generation != UNWRITTEN:
                with suppress(orjson.JSONEncodeError):  # a parser's mistake; the entry lives as long as this process
                    records.append(self._part.write(name, entry, position))
        return records

    def expired(self) -> list[Outgoing]:
        """What erases entries that are due. To be sent before the records: a later line may begin an entry anew."""
        due = [self._part.erasures(name, entry) for name, entry in self._shelf.expire(self._now)]
        return [record for records in due for record in records]

    def _name(self, key: str) -> bytes:
        return self._prefix + key.encode("utf-8", "backslashreplace")
