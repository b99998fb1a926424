"""Reads from Kafka how far every partition of an installation has been processed.

A running installation moves meanwhile, so the order of reading matters: committed offsets are read first, and the ends
of partitions last. So every record that a group has not processed at the first reading counts as in flight.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agents.settings import Settings
from topics.catalogue import RAW, READ_BY, REPLAY, STATS, TYPED, group_of, read_by
from topics.kafka.reader import Reader

At = tuple[str, int]
"""A topic and a partition."""


@dataclass(slots=True)
class Raw:
    """A raw partition from `begin`, the first record that is looked at, to `end`, and the state of its records.

    `produced` (a number of events) and `missing` (offsets that are neither events nor letters) are known after a scan.
    """

    topic: str
    partition: int
    begin: int
    end: int
    consumed: int
    letters: int = 0
    produced: int | None = None
    missing: list[int] = field(default_factory=list)

    @property
    def lag(self) -> int:
        """The number of records that normalize has still to process."""
        return max(0, self.end - max(self.consumed, self.begin))


@dataclass(slots=True)
class Typed:
    """A typed partition from `begin` to `end`. `counted` is None where nothing is counted, `judged`
    where nothing is judged.

    Known after a scan: the numbers of different `events`, of records that repeat one of them (`repeated`) and of events
    that are `stored`; the ids that are stored more than once (`doubled`) or neither stored nor letters (`missing`).
    """

    topic: str
    partition: int
    begin: int
    end: int
    indexed: int
    counted: int | None
    judged: int | None
    letters: int = 0
    events: int | None = None
    repeated: int = 0
    stored: int = 0
    doubled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def lag(self) -> int:
        """The number of records that index has still to process."""
        return max(0, self.end - max(self.indexed, self.begin))

    @property
    def count_lag(self) -> int | None:
        """The number of records that count has still to process."""
        return None if self.counted is None else max(0, self.end - max(self.counted, self.begin))

    @property
    def judge_lag(self) -> int | None:
        """The number of records that detect has still to judge."""
        return None if self.judged is None else max(0, self.end - max(self.judged, self.begin))


@dataclass(slots=True)
class Facts:
    """All partitions, since a time in milliseconds. `replay` has those of the topic of records that were sent again."""

    since: int
    raw: dict[At, Raw]
    replay: dict[At, Raw]
    typed: dict[At, Typed]

    def in_flight(self) -> int:
        """The largest number of events that may not be stored yet: all records that a role has still to process."""
        events = (row for row in self.typed.values() if not row.topic.endswith(STATS.name))
        return sum(row.lag for rows in (self.raw.values(), self.replay.values(), events) for row in rows)


Done = dict[str, dict[At, int]]


def done(reader: Reader, settings: Settings) -> Done:
    """The committed offsets of each role; blocks."""
    prefix = settings.prefix
    return {role: reader.committed(group_of(role, prefix), read_by(role, prefix)) for role in READ_BY}


def facts(reader: Reader, settings: Settings, since: int, groups: Done) -> Facts:
    """Read the ends of all partitions as they are now; blocks."""
    names = [settings.prefix + topic.name for topic in RAW]
    return Facts(
        since,
        _raw(reader, names, since, groups),
        _raw(reader, [settings.prefix + REPLAY.name], 0, groups),
        _typed(reader, [settings.prefix + topic.name for topic in (*TYPED, STATS)], since, groups),
    )


def _raw(reader: Reader, names: Iterable[str], since: int, groups: Done) -> dict[At, Raw]:
    return {
        (name, number): Raw(name, number, begin, end, groups["normalize"][name, number])
        for name in names
        for number, (begin, end) in reader.bounds(name, since).items()
    }


def _typed(reader: Reader, names: Iterable[str], since: int, groups: Done) -> dict[At, Typed]:
    return {
        (at := (name, number)): Typed(
            name, number, begin, end, groups["index"][at], groups["count"].get(at), groups["detect"].get(at)
        )
        for name in names
        for number, (begin, end) in reader.bounds(name, since).items()
    }
