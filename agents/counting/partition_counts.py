"""Counts the login attempts of one partition of a typed topic by minute; its state depends on the records alone.

What is counted, what is late and what has expired is a function of the partition's records up to `position`, in their
order. No clock is read. So every worker that has read as far has the same state, and a record that is read twice, or an
event that was written twice, changes nothing:

- a record at or below `position` was counted before (it is read again);
- an event at or below the greatest raw offset seen of its raw partition (`raw`) was counted before: normalize writes
  the events of a raw partition in their order, and after a restart some of them again. An event that was a dead letter
  first comes later than its neighbours; a header of it names the partition and offset to compare instead
  (`topics.records.replay`);
- up to offset `ahead`, entries may be newer than the row that was recovered with them; each entry skips the records
  that it contains already.

The time of the stream (`newest`, milliseconds) is the latest credible arrival of a raw line, as its event says it; see
`stream_time`. A minute expires `keep` seconds after its end. An attempt for an expired minute, or for one that is
further ahead than `keep`, is late: it is counted as late, and in no minute.
"""

import struct
from collections.abc import Iterable
from sys import intern
from typing import Any, TypeVar

from agents.counting.buckets import (
    ADDRESS,
    KINDS,
    LOADERS,
    MINUTE,
    OTHERS,
    OUTBOX,
    ROW,
    SERVICE,
    USER,
    Counts,
    Minute,
    State,
)
from agents.counting.cardinality import BUDGET, admits, cost
from agents.counting.stream_time import StreamTime
from topics.avro.attempt_header import ARRIVAL, AttemptHeader, arrival, decode_attempt, stamp
from topics.avro.wire import UnknownSchema
from topics.records.deadletter import reason_of
from topics.records.replay import counting_position

C = TypeVar("C", bound=Counts)

_NOTHING: dict[str, Any] = {"gone": 0, "windows": []}
_NAME = struct.Struct(">BBI")


class InconsistentState(Exception):
    """The recovered entries contradict the row or Kafka: records of the changelog are missing."""


class PartitionCounts:
    """The counts of one partition of one typed topic.

    `code` stands for the topic in the names of entries; `budget` is the cost of names (see `cardinality`). `totals` and
    `expired` are sums of attempts by service, address and user; `unsent` has the minutes to publish, and since when.
    """

    def __init__(self, topic: str, kind: str, code: int, partition: int, keep: float, budget: int = BUDGET) -> None:
        self.topic, self.kind, self.code, self.partition = topic, kind, code, partition
        self.position = self.ahead = -1
        self.time = StreamTime()
        self.floor = self.late = 0
        self.keep = self._wanted_keep = keep
        self.budget, self.weight, self.unnamed = budget, 0, 0
        self.totals, self.expired = [0, 0, 0], [0, 0, 0]
        self.raw: dict[tuple[str, int], int] = {}
        self.ids: dict[str, str] = {}
        self.minutes: dict[int, Minute] = {}
        self.expiring: dict[int, Minute] = {}
        self.unsent: dict[int, int] = {}
        self.undecodable: list[tuple[Any, str]] = []
        self.dirty: list[tuple[int, int, str, Counts]] = []
        self.row, self.outbox = State(None), State(dict(_NOTHING))
        self.verified = False
        self._next_expiry, self._ceiling = 0, 0.0

    @property
    def newest(self) -> int:
        """The time of the stream in milliseconds."""
        return self.time.now

    # Entries by name

    def name(self, dimension: int, minute: int = 0, key: str = "") -> bytes:
        """Return the name of an entry in the changelog."""
        return _NAME.pack(self.code, dimension, minute // MINUTE) + key.encode()

    def find(self, name: bytes) -> Any:
        """Return the entry of a name, or None."""
        _, dimension, number = _NAME.unpack_from(name)
        if dimension == ROW:
            return self.row if self.row.value is not None else None
        if dimension == OUTBOX:
            return self.outbox if self.outbox.position >= 0 else None
        minute = self.minutes.get(number * MINUTE)
        return minute.tables[dimension].get(name[_NAME.size :].decode()) if minute is not None else None

    def put(self, name: bytes, payload: bytes) -> Any:
        """Make the entry that a record holds, and return it."""
        _, dimension, number = _NAME.unpack_from(name)
        if dimension == ROW:
            self.row = State.load(payload)
            return self.row
        if dimension == OUTBOX:
            self.outbox = State.load(payload)
            return self.outbox
        minute = self.minutes.setdefault(number * MINUTE, Minute())
        entry = minute.tables[dimension][intern(name[_NAME.size :].decode())] = LOADERS[dimension](payload)
        return entry

    def remove(self, name: bytes) -> None:
        """Delete an entry. It must exist."""
        _, dimension, number = _NAME.unpack_from(name)
        if dimension == ROW:
            self.row = State(None)
        elif dimension == OUTBOX:
            self.outbox = State(dict(_NOTHING))
        else:
            del self.minutes[number * MINUTE].tables[dimension][name[_NAME.size :].decode()]

    # Counting

    def count(self, records: Iterable[Any]) -> None:
        """Count records, offsets ascending. Blocks. Records that are no events are appended to `undecodable`."""
        seen = b""
        for record in records:
            if record.offset <= self.position:
                continue
            value = record.value
            if value:
                if value[ARRIVAL] != seen:
                    seen = self._date(value)
                self._read(record)
            self.position = record.offset

    def _date(self, value: bytes) -> bytes:
        """Note when an event's raw line reached Kafka; the event itself may have been written much later.

        Returns the bytes at `ARRIVAL` of events whose arrival does not have to be noted again, b"" for none.
        """
        try:
            came = arrival(value)
        except UnknownSchema:
            raise
        except Exception:
            return b""  # `_read` reports what cannot be decoded
        self._advance(came)
        return b"" if self.time.unsure or came > self.time.now else stamp(value)

    def _read(self, record: Any) -> None:
        try:
            head = decode_attempt(record.value)
            again = counting_position(record) if record.headers else None
        except UnknownSchema:
            raise
        except Exception as error:  # one record must not stop the others
            self.undecodable.append((record, reason_of(error)))
            return
        if head is not None:
            source, offset = again or (head.source, head.offset)
            if offset > self.raw.get(source, -1):
                self.raw[source] = offset
                self._count(head, record.offset)

    def _count(self, head: AttemptHeader, offset: int) -> None:
        """Count attempts in all entries that they belong to and that do not contain them yet."""
        number, at, _, _, outcome, service, address, user, host, country = head
        minute = at // 60_000_000 * MINUTE
        if minute < self.floor or minute > self._ceiling:
            self.late += number
            return
        entries, totals = self.minutes.get(minute), self.totals
        if entries is None or minute not in self.unsent:
            entries = self._open(minute)
        totals[0] += number
        service = service or "unknown"
        total = entries.services.get(service) or self._make(Counts, entries.services, service)
        self._add(total, SERVICE, minute, service, outcome, number, offset)
        if user:
            totals[2] += number
            key, entry = user, entries.users.get(user)
            if entry is None or entry.born >= offset:
                key, entry = self._name(entries, USER, user, number, offset)
            self._add(entry, USER, minute, key, outcome, number, offset)
        if address:
            totals[1] += number
            key, source = address, entries.addresses.get(address)
            if source is None or source.born >= offset:
                key, source = self._name(entries, ADDRESS, address, number, offset)
            if self._add(source, ADDRESS, minute, key, outcome, number, offset) and key:
                source.meet(user, host, country, at)
                if outcome == "success":
                    source.got_in = max(source.got_in, at)
                if service != source.services:
                    source.tell(service, number if outcome == "failure" else 0)

    def _open(self, minute: int) -> Minute:
        self.unsent.setdefault(minute, self.newest)
        return self.minutes.setdefault(minute, Minute())

    def _make(self, kind: type[C], entries: dict[str, C], key: str) -> C:
        entry = entries[intern(key)] = kind()
        return entry

    def _name(self, minute: Minute, dimension: int, key: str, number: int, offset: int) -> tuple[str, Any]:
        """Return key and entry for a name that has no entry before this offset: a new entry, or that of the others.

        A recovered entry may be newer than `position`. If it began at this offset, it is the one to use; if it began
        later, it did not exist yet, and the attempt belongs to the others.
        """
        entries, kind = minute.tables[dimension], KINDS[dimension]
        entry = entries.get(key)
        if entry is None and admits(self.weight, self.budget, minute.there[dimension]):
            entry = self._make(kind, entries, key)
            entry.born = offset
        if entry is None or entry.born != offset:
            self.unnamed += number
            return OTHERS, entries.get(OTHERS) or self._make(kind, entries, OTHERS)
        minute.there[dimension] += 1
        minute.weight += cost(key)
        self.weight += cost(key)
        return key, entry

    def _add(
        self, entry: Counts, dimension: int, minute: int, key: str, outcome: str, number: int, offset: int
    ) -> bool:
        """Count attempts in an entry; False if the entry contains them already."""
        if offset <= entry.position:
            return False
        if not entry.dirty:
            entry.dirty = True
            self.dirty.append((dimension, minute, key, entry))
        if outcome == "failure":
            entry.failure += number
        elif outcome == "success":
            entry.success += number
        else:
            entry.unknown += number
        return True

    def _advance(self, arrival: int) -> None:
        """Advance the time of the stream if an arrival does, and move minutes that expire thereby to `expiring`."""
        moved = self.time.note(arrival)
        self._ceiling = self.time.latest // 1000 + self.keep
        if not moved or self.time.now < self._next_expiry:
            return
        self.floor = max(self.floor, int((self.time.now / 1000 - self.keep) // MINUTE) * MINUTE)
        self._next_expiry = int((self.floor + MINUTE + self.keep) * 1000)
        for minute in [minute for minute in self.minutes if minute < self.floor]:
            entries = self.expiring[minute] = self.minutes.pop(minute)
            self.weight -= entries.weight
            self.expired = [old + new for old, new in zip(self.expired, entries.sums(), strict=True)]

    # Checkpoints

    def checkpoint(self) -> State:
        """Return the row: the state at `position` besides the entries."""
        raw: dict[str, dict[str, int]] = {}
        for (topic, partition), offset in self.raw.items():
            raw.setdefault(topic, {})[str(partition)] = offset
        self.row.value = {
            "position": self.position, "newest": self.newest, "time": self.time.dump(),
            "floor": self.floor, "keep": self.keep, "late": self.late,
            "totals": self.totals, "expired": self.expired, "raw": raw, "ids": self.ids,
        }  # fmt: skip
        return self.row

    def resume(self) -> None:
        """Restore the state from the recovered row and entries. Raises `InconsistentState`."""
        if self.row.value is not None:
            row = self.row.value
            self.position = row.get("position", self.row.position)  # rows of earlier releases do not say it
            self.time = StreamTime.load(row["newest"], row.get("time"))
            self.floor, self.keep, self.late = row["floor"], row["keep"], row["late"]
            self.totals, self.expired, self.ids = row["totals"], row["expired"], row["ids"]
            self.raw = {(t, int(p)): offset for t, offsets in row["raw"].items() for p, offset in offsets.items()}
        for minute in [minute for minute in self.minutes if minute < self.floor]:
            self.expiring[minute] = self.minutes.pop(minute)
        for entries in self.minutes.values():
            entries.weigh(self.position)
        self.weight = sum(entries.weight for entries in self.minutes.values())
        self.ahead = max((e.position for m in self.minutes.values() for e in m.counts()), default=-1)
        left = [minute for minute in self.expiring if minute >= self.outbox.value["gone"]]
        self.unsent = dict.fromkeys((*self.minutes, *left), self.newest)
        self.verify()

    def verify(self) -> None:
        """Compare the entries with the totals, once `position` has reached all of them. Raises `InconsistentState`.

        Only then the present setting of `keep` takes effect: until then it must be the one the entries were written by.
        """
        if self.verified or self.position < self.ahead:
            return
        sums = [sum(column) for column in zip([0, 0, 0], *(m.sums() for m in self.minutes.values()), strict=True)]
        want = [total - gone for total, gone in zip(self.totals, self.expired, strict=True)]
        if sums != want:
            raise InconsistentState(
                f"{self.topic}-{self.partition}: the table holds {sums} attempts by service, address and user "
                f"where {want} were counted up to offset {self.position}"
            )
        self.verified, self.keep, self._next_expiry = True, self._wanted_keep, 0
