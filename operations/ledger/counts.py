"""Kafka in, where every partition of an installation stands out. Nothing here is a process's own memory.

What is read when matters, for a running installation moves meanwhile: first how far the groups are, and ends last.
So whatever was not read, stored or given up at a later look is at or behind what the groups had done at the first.
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
    """A raw partition from `begin` (the first record that is looked at) to `end`, and what became of its records.

    `produced` events and `missing` records, which are neither events nor letters, are known after a scan.
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
        """Records that normalize has not finished with."""
        return max(0, self.end - max(self.consumed, self.begin))


@dataclass(slots=True)
class Typed:
    """A typed partition from `begin` to `end`. `counted` is None where nothing is counted.

    Known after a scan: different `events`, records that are one of them once more (`repeated`), those `stored`, ids
    stored more than once (`doubled`), and those that are neither stored nor letters (`missing`).
    """

    topic: str
    partition: int
    begin: int
    end: int
    indexed: int
    counted: int | None
    letters: int = 0
    events: int | None = None
    repeated: int = 0
    stored: int = 0
    doubled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def lag(self) -> int:
        """Records that index has not finished with."""
        return max(0, self.end - max(self.indexed, self.begin))

    @property
    def count_lag(self) -> int | None:
        """Records that count has not finished with."""
        return None if self.counted is None else max(0, self.end - max(self.counted, self.begin))


@dataclass(slots=True)
class Facts:
    """All partitions, since a time in milliseconds; `replay` are those of records that were sent again."""

    since: int
    raw: dict[At, Raw]
    replay: dict[At, Raw]
    typed: dict[At, Typed]

    def under_way(self) -> int:
        """The most events that may not be stored yet: records that somebody has not finished with."""
        events = (row for row in self.typed.values() if not row.topic.endswith(STATS.name))
        return sum(row.lag for rows in (self.raw.values(), self.replay.values(), events) for row in rows)


Done = dict[str, dict[At, int]]


def done(reader: Reader, settings: Settings) -> Done:
    """How far each role is, by its topics; blocks."""
    prefix = settings.prefix
    return {role: reader.committed(group_of(role, prefix), read_by(role, prefix)) for role in READ_BY}


def facts(reader: Reader, settings: Settings, since: int, groups: Done) -> Facts:
    """All partitions as they are now; blocks."""
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
        (at := (name, number)): Typed(name, number, begin, end, groups["index"][at], groups["count"].get(at))
        for name in names
        for number, (begin, end) in reader.bounds(name, since).items()
    }
