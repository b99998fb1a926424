"""Keeps the correlation state of a raw partition, so that a line that is read again finds what it found at first.

It is the table of the normalize role. What a line finds depends only on the lines before it in its raw topic, whatever
was read, written or lost since: an entry has its newest value below the committed offset, and the value that each batch
since then ended with. A replay begins at a commit, which is the end of a batch. It removes every value of a later
offset (`TopicState`), and goes on as if nothing had been read yet. Expiry and eviction are written like a line's own
changes. Time is the latest arrival of the topic's lines, in whole minutes.

Records are written with the events of a batch, before it is acknowledged. An entry that a batch both begins and closes
is not written, because no later line finds it. A record is an array `[[offset, minute, value], ...]`, oldest
first; a value of null says that there is none. Earlier releases wrote `[seconds, closed, value]`; those are read, too.
`streams.base.StateStore` says what may be kept here.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from agents.state.changelog import UNWRITTEN, ChangelogPartition
from agents.transport import Outgoing

MOST = 25_000
"""Open entries of a partition of a raw topic; beyond that the one longest not written is closed. Senders decide how
many connections there are."""
MOST_CLOSED = 25_000
"""Closed entries that wait for their erasure; beyond that the one closed first is erased."""
MAX_BYTES = 16 << 20
"""Bytes of names and values of the open entries."""
OPEN, CLOSED = 86_400, 600
"""Seconds for which an open entry is kept that nobody writes, and a closed one's record: by then no worker that was
stopped in the middle of its work should write the entry once more."""
TOPICS = b"topics"
"""The name of the entry that says which raw topics these are; no line's begins so, and it is never forgotten."""
LARGEST = 400_000
"""Bytes of an entry from which on a batch waits for a commit, which lets go of versions: Kafka takes a MiB."""
_LONGEST, _LONGEST_VALUE = 512, 65_536
"""Bytes of a name and of an encoded value; what is longer is not kept."""
_MINUTE = 60
_UNFINISHED = 1 << 62
_BY_GENERATION = 1 << 62
"""Positions of records: this and the generation of the writer. Which owner is the latest decides, not who was further:
its entries began at a commit, while one that lost its partition may not know some ends of the successor's batches."""
_MOST_OWNERS = 20


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
        self.versions = [_NOTHING if value is None else Version(-1, touched // _MINUTE, orjson.dumps(value))]
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


class BatchState:
    """The correlation state of one batch, whose first line is at offset `first`. `topic` numbers the raw topic.

    `at` is called before each line. The group's `committed` offset may be an older one than it is by now.
    """

    def __init__(self, part: ChangelogPartition[CorrelationStore], topic: int, first: int, committed: int = 0) -> None:
        self._part, self._store = part, part.store
        self._prefix, self._clock = prefix_of(topic), clock_of(topic)
        self._state = self._store.state(topic, first)
        self._offset, self._minute = first, self._state.minute
        self._tick = (self._minute + 1) * 60_000
        self._changed: dict[bytes, Entry] = {}
        self._values: dict[bytes, Any] = {}  # decoded; parsers leave them as they are
        self.committed = committed
        self._enter(topic, first)

    def at(self, offset: int, timestamp: int) -> None:
        """Go on to the line at `offset`, which arrived at `timestamp`, milliseconds since 1970."""
        self._offset = offset
        if timestamp >= self._tick:
            self._advance(timestamp // 60_000)

    def get(self, key: str) -> Any:
        """The value, or None."""
        name = self._name(key)
        value = self._values.get(name)
        if value is None and (entry := self._store.find(name)) is not None:
            value = self._values[name] = entry.value
        return value

    def put(self, key: str, value: Any) -> None:
        """Keep `value` until it was not written for a day. What is no JSON, or too long, is not kept."""
        name, encoded = self._name(key), _encoded(value)
        if len(name) > _LONGEST:
            return
        if not encoded:
            self._close(name)
            return
        self._write(name, self._store.find(name) or self._store.keep(name, Entry()), encoded)
        self._values[name] = value
        self._state.open(name, len(name) + len(encoded))
        while self._state.full:
            self._close(next(iter(self._state.live)))

    def close(self, key: str) -> None:
        """Forget the value."""
        self._close(self._name(key))

    @property
    def too_large(self) -> bool:
        """Whether an entry that the batch changed has too many versions that a replay may need."""
        return any(entry.size(self.committed) > LARGEST for entry in self._changed.values() if len(entry.versions) > 4)

    def records(self, last: int) -> list[Outgoing]:
        """Return what must be durable before the batch, which ends at offset `last`, is acknowledged."""
        self._state.next = last + 1
        records = []
        for name, entry in self._changed.items():
            entry.prune(self.committed)
            closed = not entry.newest.value
            if closed and entry.generation == UNWRITTEN:
                self._store.remove(name)
                continue
            records.append(self._part.write(name, entry, _BY_GENERATION + self._part.generation))
            if closed:
                self._state.closed.append((last, self._minute, name))
            elif len(entry.versions) > 1:
                self._state.pruned.append((last, name))
        return records

    def expired(self) -> list[Outgoing]:
        """Return the erasures of entries that are no longer needed. Send them before `records`: a later line may begin
        such an entry anew.
        """
        self._prune()
        return [record for name, entry in self._done() for record in self._part.erasures(name, entry)]

    def _enter(self, topic: int, first: int) -> None:
        """Note where this owner began. It is the first of the records, so that none is there without it."""
        owners, generation = self._store.owners(topic), self._part.generation
        if not owners or owners[-1][0] != generation:
            name = owners_of(topic)
            entry = self._store.keep(name, self._store.find(name) or Entry())
            entry.versions = [Version(-1, self._minute, orjson.dumps([*owners, (generation, first)][-_MOST_OWNERS:]))]
            self._changed[name] = entry

    def _done(self) -> Iterator[tuple[bytes, Entry]]:
        """Forget closed entries whose end no replay can come before, when it was long ago or there are too many."""
        closed = self._state.closed
        while closed and closed[0][0] < self.committed:
            if len(closed) <= MOST_CLOSED and self._minute < closed[0][1] + CLOSED // _MINUTE:
                return
            last, _, name = closed.popleft()
            entry = self._store.find(name)
            if entry is not None and not entry.newest.value and entry.newest.offset <= last:
                self._store.remove(name)
                yield name, entry

    def _prune(self) -> None:
        pruned = self._state.pruned
        while pruned and pruned[0][0] < self.committed:
            if (entry := self._store.find(pruned.popleft()[1])) is not None:
                entry.prune(self.committed)

    def _advance(self, minute: int) -> None:
        """Advance the time, and close entries that are too old: the first of the open ones, as time never goes back."""
        self._minute = self._state.minute = minute
        self._tick = (minute + 1) * 60_000
        self._write(self._clock, self._store.find(self._clock) or self._store.keep(self._clock, Entry()), b"0")
        live, find = self._state.live, self._store.find
        while live and (entry := find(name := next(iter(live)))) is not None:
            if entry.newest.minute > minute - OPEN // _MINUTE:
                return
            self._close(name)

    def _close(self, name: bytes) -> None:
        entry = self._store.find(name)
        if entry is not None and entry.newest.value:
            self._write(name, entry, b"")
            self._values.pop(name, None)
            self._state.close(name)

    def _write(self, name: bytes, entry: Entry, encoded: bytes) -> None:
        version = Version(self._offset, self._minute, encoded)
        if name in self._changed:
            entry.versions[-1] = version
        else:
            entry.versions.append(version)
            self._changed[name] = entry

    def _name(self, key: str) -> bytes:
        return self._prefix + key.encode("utf-8", "backslashreplace")


def _encoded(value: Any) -> bytes:
    """A value as JSON; nothing for what is not to be kept."""
    if value is None:
        return b""
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError:  # a parser's mistake
        return b""
    return encoded if len(encoded) <= _LONGEST_VALUE else b""
