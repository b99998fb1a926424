"""Keeps the values of correlation state in memory, with as many older versions as a replay may need.

`agents.state.correlation` writes them, and explains what an entry is.
"""

from collections import OrderedDict, deque
from typing import Any, NamedTuple

import orjson

from agents.state.changelog import UNWRITTEN

MOST = 25_000
"""Open entries of a partition of a raw topic; beyond that the one longest not written is closed. Senders decide how
many connections there are."""
MAX_BYTES = 16 << 20
"""Bytes of names and values of the open entries."""
TOPICS = b"topics"
"""The name of the entry that says which raw topics these are; no line's begins so, and it is never forgotten."""
MINUTE = 60
_UNFINISHED = 1 << 62


class Version(NamedTuple):
    """The value of an entry after the line at `offset`: JSON, or b"" for none. `minute` is the time since 1970."""

    offset: int
    minute: int
    value: bytes


_NOTHING = Version(-1, 0, b"")


class Entry:
    """The versions of one value, oldest first; there is at least one."""

    __slots__ = ("generation", "position", "versions")

    def __init__(self, value: Any = None, touched: int = 0) -> None:
        """An entry that holds `value` since `touched` (seconds), before all lines."""
        self.versions = [_NOTHING if value is None else Version(-1, touched // MINUTE, orjson.dumps(value))]
        self.position, self.generation = -1, UNWRITTEN

    @property
    def newest(self) -> Version:
        """The version that the next line finds."""
        return self.versions[-1]

    @property
    def value(self) -> Any:
        """The value, or None."""
        encoded = self.versions[-1].value
        return orjson.loads(encoded) if encoded else None

    def payload(self) -> bytes:
        """Return the value of its record."""
        return b"[%s]" % b",".join(b"[%d,%d,%s]" % (one[0], one[1], one[2] or b"null") for one in self.versions)

    def size(self, committed: int) -> int:
        """Bytes of its record at the most, without versions that no line at or above `committed` finds."""
        self.prune(committed)
        return sum(len(version.value) + 40 for version in self.versions)

    def prune(self, committed: int) -> None:
        """Forget versions that no line at or above `committed` finds."""
        versions = self.versions
        while len(versions) > 1 and versions[1].offset < committed:
            del versions[0]

    def rewind(self, offset: int) -> int:
        """Take back what lines at or above `offset` wrote. Returns the offset of the newest version there was."""
        newest = self.versions[-1].offset
        if newest >= offset:
            self.versions = [version for version in self.versions if version.offset < offset] or [_NOTHING]
        return newest


def _entry(payload: bytes) -> Entry:
    found, entry = orjson.loads(payload), Entry()
    if found and not isinstance(found[0], list):  # of an earlier release
        touched, closed, value = found
        return Entry(None if closed else value, touched)
    entry.versions = [
        Version(offset, minute, b"" if value is None else orjson.dumps(value)) for offset, minute, value in found
    ]
    return entry


class TopicState:
    """The state that the lines of one raw topic below offset `next` left. A batch below that is a replay.

    `live` has the open entries and their sizes, the one longest not written first; `closed` those whose records wait
    to be erased, and `pruned` those that have older versions, each with the last offset of their batch.
    """

    def __init__(self) -> None:
        self.next = 0
        self.minute = 0
        self.size = 0
        self.live: OrderedDict[bytes, int] = OrderedDict()
        self.closed: deque[tuple[int, int, bytes]] = deque()
        self.pruned: deque[tuple[int, bytes]] = deque()

    def open(self, name: bytes, size: int) -> None:
        """Note that an entry was written."""
        self.size += size - self.live.pop(name, 0)
        self.live[name] = size

    def close(self, name: bytes) -> None:
        """Note that an entry has no value any more."""
        self.size -= self.live.pop(name, 0)

    @property
    def full(self) -> bool:
        """Whether the first of the open entries must be closed."""
        return len(self.live) > MOST or (self.size > MAX_BYTES and len(self.live) > 1)


class CorrelationStore:
    """The entries of one partition, by name, and the state of each raw topic."""

    def __init__(self) -> None:
        self._entries: dict[bytes, Entry] = {}
        self._states: dict[int, TopicState] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: bytes) -> Entry | None:
        """The entry, if it is there."""
        return self._entries.get(name)

    def put(self, name: bytes, payload: bytes) -> Entry:
        """Make the entry that a record holds, and return it."""
        return self.keep(name, _entry(payload))

    def keep(self, name: bytes, entry: Entry) -> Entry:
        """Keep an entry."""
        self._entries[name] = entry
        return entry

    def remove(self, name: bytes) -> None:
        """Forget an entry that is there."""
        del self._entries[name]

    def state(self, topic: int, first: int) -> TopicState:
        """Return the state for the line at offset `first`; values of that and later offsets are removed."""
        state = self._states.get(topic)
        if state is None or first < state.next:
            state = self._states[topic] = self._rewound(topic, first)
        state.next = _UNFINISHED
        return state

    def owners(self, topic: int) -> list[tuple[int, int]]:
        """Generations of the latest owners, and the offset that each began at."""
        entry = self._entries.get(owners_of(topic))
        return [(generation, first) for generation, first in entry.value or ()] if entry is not None else []

    def _rewound(self, topic: int, first: int) -> TopicState:
        state, prefix, owners = TopicState(), prefix_of(topic), self.owners(topic)
        if clock := self._entries.get(clock_of(topic)):
            clock.rewind(_end_of(clock, owners, first))
            state.minute = clock.newest.minute
        closed, opened, pruned = [], [], []
        for name in [name for name in self._entries if name.startswith(prefix)]:
            entry = self._entries[name]
            newest = entry.rewind(_end_of(entry, owners, first))
            if len(entry.versions) > 1:
                pruned.append((newest, name))
            if entry.newest.value:
                opened.append((entry.newest[:2], name))
            elif entry.generation == UNWRITTEN:
                del self._entries[name]
            else:
                closed.append((newest, state.minute, name))
        for _, name in sorted(opened):
            state.open(name, len(name) + len(self._entries[name].newest.value))
        state.closed.extend(sorted(closed))
        state.pruned.extend(sorted(pruned))
        return state


def _end_of(entry: Entry, owners: list[tuple[int, int]], first: int) -> int:
    """Return the offset from which on versions of an entry are invalid, when the next line is at `first`.

    From where the next owner began, only its versions count. If it wrote none, it began and closed the entry within one
    batch, and this version was written late, by a worker that did not know yet that it had lost the partition.
    """
    generation = entry.generation
    if generation == UNWRITTEN:
        return first
    return min([first, *(began for owner, began in owners if owner > generation)])


def prefix_of(topic: int) -> bytes:
    """Return the beginning of the names of a raw topic's entries."""
    return b"%d|" % topic


def clock_of(topic: int) -> bytes:
    """Return the name of the entry with the minute of a raw topic's latest arrival; no line's name begins so."""
    return b"clock|%d" % topic


def owners_of(topic: int) -> bytes:
    """Return the name of the entry with the owners of a raw topic."""
    return b"owners|%d" % topic
