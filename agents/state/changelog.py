"""Writes entries of a table to a changelog and reads them back, so that the newest state of each outlives its writer.

A record's key is the generation in which its writer was given the partition (four bytes), then the entry's name; its
value is the entry's position (eight bytes), then the payload. An entry's state is a function of its position, so the
record with the greatest position is valid, whoever wrote it: a worker that lost its partition and does not know it
yet can only add records under its own generation, never replace those of its successor.

A record is erased only by an owner that has written the entry again under its own generation, or that no longer needs
the entry. Reading follows compaction: the last record of a key counts, and in place of an erased record the one with
the next lower position is valid.
"""

import struct
from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from agents.transport import Outgoing

_GENERATION, _POSITION = struct.Struct(">I"), struct.Struct(">q")
UNWRITTEN = 0
"""The generation of an entry that no record tells of yet. Kafka counts from 1."""


class Entry(Protocol):
    """An entry in memory; `position` and `generation` are those of its newest record."""

    position: int
    generation: int

    def payload(self) -> bytes:
        """What its record holds."""
        ...


class EntryStore(Protocol):
    """Where the entries of one partition are kept, by name."""

    def find(self, name: bytes) -> Entry | None:
        """The entry, if it is there."""

    def put(self, name: bytes, payload: bytes) -> Entry:
        """Make the entry that a record tells of, in place of one of that name."""
        ...

    def remove(self, name: bytes) -> None:
        """Forget an entry that is there."""


S = TypeVar("S", bound=EntryStore)


class ChangelogPartition(Generic[S]):
    """One partition of a changelog and its entries. Its `generation` is set once its owner has recovered it."""

    def __init__(self, topic: str, partition: int, store: S) -> None:
        self.topic, self.partition, self.store = topic, partition, store
        self.generation = UNWRITTEN
        self._competing: dict[bytes, dict[int, tuple[int, bytes]]] = {}
        self._stale: list[Outgoing] = []

    @property
    def recovered(self) -> bool:
        """Whether the entries are complete."""
        return self.generation != UNWRITTEN

    # Writing

    def write(self, name: bytes, entry: Entry, position: int) -> Outgoing:
        """Return the record of an entry as it is now; erasures of outdated records go to `stale_records`."""
        if entry.generation not in (UNWRITTEN, self.generation):
            self._stale.append(self._erasure(entry.generation, name))
        if self._competing:
            self._collect_stale(name)
        entry.generation, entry.position = self.generation, position
        value = _POSITION.pack(position) + entry.payload()
        return Outgoing(self.topic, _GENERATION.pack(self.generation) + name, value, self.partition)

    def erasures(self, name: bytes, entry: Entry) -> list[Outgoing]:
        """Return the erasures of an entry under every generation it was found under; the store is not changed."""
        generations = {entry.generation, *self._competing.pop(name, ())} - {UNWRITTEN}
        return [self._erasure(generation, name) for generation in sorted(generations)]

    def stale_records(self) -> list[Outgoing]:
        """Return the erasures of records that `write` replaced; to be sent when those writes are durable."""
        taken, self._stale = self._stale, []
        return taken

    def _collect_stale(self, name: bytes) -> None:
        for generation in self._competing.pop(name, ()):
            if generation != self.generation:
                self._stale.append(self._erasure(generation, name))

    def _erasure(self, generation: int, name: bytes) -> Outgoing:
        return Outgoing(self.topic, _GENERATION.pack(generation) + name, None, self.partition)

    # Reading

    def apply(self, records: Iterable[Any]) -> None:
        """Apply records of the changelog, in their order."""
        find, unpack, same = self.store.find, _GENERATION.unpack_from, -1
        for record in records:
            generation, name = unpack(record.key)[0], record.key[4:]
            entry = find(name)
            if record.value is None:
                self._apply_erasure(name, generation, entry)
                continue
            position, payload = _POSITION.unpack_from(record.value)[0], record.value[8:]
            same = position = same if position == same else position  # one object for all records of a flush
            if entry is None or entry.generation == generation:
                self._keep(name, generation, position, payload)
            else:
                self._compare(name, entry, generation, position, payload)

    def _keep(self, name: bytes, generation: int, position: int, payload: bytes) -> None:
        entry = self.store.put(name, payload)
        entry.generation, entry.position = generation, position

    def _compare(self, name: bytes, entry: Entry, generation: int, position: int, payload: bytes) -> None:
        competing = self._competing.setdefault(name, {})
        if (position, generation) > (entry.position, entry.generation):
            competing.pop(generation, None)
            competing[entry.generation] = entry.position, entry.payload()
            self._keep(name, generation, position, payload)
        else:
            competing[generation] = position, payload

    def _apply_erasure(self, name: bytes, generation: int, entry: Entry | None) -> None:
        competing = self._competing.get(name, {})
        competing.pop(generation, None)
        if entry is not None and entry.generation == generation:
            self.store.remove(name)
            if competing:
                best = max(competing, key=lambda competitor: (competing[competitor][0], competitor))
                self._keep(name, best, *competing.pop(best))
        if not competing:
            self._competing.pop(name, None)
