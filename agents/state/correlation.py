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

from collections.abc import Iterator
from typing import Any

import orjson

from agents.state.changelog import UNWRITTEN, ChangelogPartition
from agents.state.correlation_store import MINUTE, CorrelationStore, Entry, Version, clock_of, owners_of, prefix_of
from agents.transport import Outgoing

MOST_CLOSED = 25_000
"""Closed entries that wait for their erasure; beyond that the one closed first is erased."""
OPEN, CLOSED = 86_400, 600
"""Seconds for which an open entry is kept that nobody writes, and a closed one's record: by then no worker that was
stopped in the middle of its work should write the entry once more."""
LARGEST = 400_000
"""Bytes of an entry from which on a batch waits for a commit, which lets go of versions: Kafka takes a MiB."""
_LONGEST, _LONGEST_VALUE = 512, 65_536
"""Bytes of a name and of an encoded value; what is longer is not kept."""
_BY_GENERATION = 1 << 62
"""Positions of records: this and the generation of the writer. Which owner is the latest decides, not who was further:
its entries began at a commit, while one that lost its partition may not know some ends of the successor's batches."""
_MOST_OWNERS = 20


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
            if len(closed) <= MOST_CLOSED and self._minute < closed[0][1] + CLOSED // MINUTE:
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
            if entry.newest.minute > minute - OPEN // MINUTE:
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
