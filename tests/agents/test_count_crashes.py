"""Counting through crashes at every possible moment, played through in memory with the real entries and records.

A worker dies after any prefix of what it writes; or it is stopped there, and the rest of that step lands later, while
its successor is at work. The changelog is compacted at random. In the end the counts are those of a plain recount, and
the published windows add up to them.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from count_kit import Attempt, Stored, recount

from agents.changelog import Part
from agents.counting.checkpoint import resume, take
from agents.counting.log import Log
from agents.counting.minute import DIMENSIONS
from agents.counting.room import ROOM
from agents.counting.shelf import Shelf
from agents.settings import Settings
from agents.transport import Outgoing
from topics.stats import AuthWindow, decode

KEEP = 600.0
TOPIC = "events.authentication"
FOREVER = 1 << 62
TIGHT = 40  # names that there is room for


class Crash(Exception):
    """The worker is gone."""


class World:
    """What outlives the workers: the topics and the committed offset."""

    def __init__(self, seed: int, names: int = 6) -> None:
        self.random = random.Random(seed)
        self.typed = _typed(self.random, names)
        self.records = [attempt.record(offset) for offset, attempt in enumerate(self.typed)]
        self.changelog: list[Stored] = []
        self.windows: dict[str, AuthWindow] = {}
        self.committed = self.generation = 0
        self.late: list[Outgoing] = []  # of a worker that was stopped, and is not done

    def write(self, records: Sequence[Outgoing]) -> None:
        for topic, key, value, _, _, _ in records:
            if topic != "changelog":
                assert value is not None
                window = decode(value)
                assert self.windows.setdefault(window.id, window) == window
            else:
                self.changelog.append(Stored(0, 0, key or b"", value))

    def compact(self) -> None:
        """Keep the last record of each key of a beginning; of what was erased, maybe nothing."""
        cut = self.random.randrange(len(self.changelog) + 1)
        last = {record.key: record for record in self.changelog[:cut]}
        kept = [record for record in self.changelog[:cut] if last[record.key] is record]
        kept = [record for record in kept if record.value is not None or self.random.random() < 0.5]
        self.changelog = kept + self.changelog[cut:]

    def some(self, records: list[Outgoing]) -> tuple[list[Outgoing], list[Outgoing]]:
        cut = self.random.randrange(len(records) + 1)
        return records[:cut], records[cut:]


class Worker:
    """One owner of the partition, from its recovery to its death."""

    def __init__(self, world: World, dies: float) -> None:
        self.world, self.dies = world, dies
        world.generation += 1
        self.part = Part("changelog", 0, Shelf(Settings(keep=KEEP), 0, ROOM // TIGHT))
        self.part.apply(world.changelog)
        for each in self.part.shelf.logs.values():
            each.resume()
        self.part.generation = world.generation
        self.log: Log = self.part.shelf.logs[TOPIC]
        self.owed = resume(self.log)

    def run(self) -> None:
        offset = self.world.committed
        assert offset <= self.log.position + 1
        while offset < len(self.world.records):
            batch = self.world.records[offset : offset + self.world.random.randint(1, 30)]
            self.log.count(batch)
            offset += len(batch)
            self._zombie()
            if self.world.random.random() < 0.5:
                self.flush(self.log.newest)
        self.dies = 0.0
        self.flush(FOREVER)

    def flush(self, now: int) -> None:
        checkpoint = take(self.log, self.part, now, self.owed)
        self.owed = []
        position = self.log.position
        self._step(checkpoint.entries)
        self._step(checkpoint.row)
        self.world.committed = position + 1
        self._step(checkpoint.last(""))

    def _step(self, records: list[Outgoing]) -> None:
        if self.world.random.random() >= self.dies:
            self.world.write(records)
            self._zombie()
            return
        landed, rest = self.world.some(records)
        self.world.write(landed)
        self.world.late = rest if self.world.random.random() < 0.5 else []
        raise Crash

    def _zombie(self) -> None:
        """Something that a predecessor had on its way lands."""
        landed, self.world.late = self.world.some(self.world.late)
        self.world.write(landed)

    def counts(self) -> Counter[tuple[int, str, str]]:
        found: Counter[tuple[int, str, str]] = Counter()
        for begin, minute in self.log.minutes.items():
            for service, entry in minute.services.items():
                found[begin, service, "success"] += entry.success
                found[begin, service, "failure"] += entry.failure
                found[begin, service, "unknown"] += entry.unknown
        return +found


def _typed(rng: random.Random, names: int) -> list[Attempt]:
    """The events of three raw partitions as a normalize that is killed now and then writes them."""
    lines = {p: [_attempt(rng, p, offset, names) for offset in range(rng.randint(20, 120))] for p in range(3)}
    at = dict.fromkeys(lines, 0)
    found = []
    while unfinished := [p for p in lines if at[p] < len(lines[p])]:
        p = rng.choice(unfinished)
        found.append(lines[p][at[p]])
        at[p] += 1
        if rng.random() < 0.05:
            at[p] = rng.randrange(at[p] + 1)
    return found


def _attempt(rng: random.Random, partition: int, offset: int, names: int) -> Attempt:
    """Arrivals go on by the half minute; some events are old by then, a few too old or of the future."""
    arrival = offset * 30 + rng.random() * 30
    age = rng.choice([0, 0, 0, 0, 1, 3, 8, 12, 30, -2, -20])
    return Attempt(
        partition, offset, int(arrival // 60) - age, arrival,
        rng.choice(["success", "failure", "failure", "unknown"]), rng.choice(["sshd", "ldap"]),
        f"203.0.113.{rng.randrange(names)}", rng.choice(["root", "admin", ""]), rng.choice([1, 1, 3]),
    )  # fmt: skip


def _play(world: World, each: Callable[[World], None]) -> Worker:
    for _ in range(25):
        worker = Worker(world, dies=0.15)
        try:
            worker.run()
        except Crash:
            each(world)
            continue
        return worker
    worker = Worker(world, dies=0.0)
    worker.run()
    return worker


@pytest.mark.parametrize("seed", range(60))
def test_counts_are_those_of_a_recount_whenever_workers_die(seed: int) -> None:
    world = World(seed)
    worker = _play(world, World.compact)
    counts, sums = recount(world.typed, KEEP)
    assert (worker.log.totals[0], worker.log.late) == (sums["all"], sums["late"])
    assert worker.log.verified
    live = {key: number for key, number in counts.items() if key[0] >= worker.log.floor}
    assert worker.counts() == live
    _same_after_recovery(world, worker)
    _windows_add_up(world, counts)


@pytest.mark.parametrize("seed", range(60))
def test_the_same_names_find_room_whenever_workers_die(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.counting.room.MOST", 4)
    monkeypatch.setattr("agents.counting.room.FEW", 2)
    world = World(seed, names=20)
    worker = _play(world, World.compact)
    straight = Log(TOPIC, "authentication", ord("a"), 0, KEEP, TIGHT)
    straight.resume()
    straight.count(world.records)
    assert worker.log.verified
    assert straight.unnamed > 0
    assert (worker.log.totals, worker.log.weight) == (straight.totals, straight.weight)
    assert _payloads(worker.log) == _payloads(straight)
    _same_after_recovery(world, worker)


def _payloads(log: Log) -> dict[tuple[int, int, str], bytes]:
    return {
        (begin, dimension, name): entry.payload()
        for begin, minute in log.minutes.items()
        for dimension in DIMENSIONS
        for name, entry in minute.tables[dimension].items()
    }


def _same_after_recovery(world: World, worker: Worker) -> None:
    world.write(world.late)
    again = Worker(world, dies=0.0)
    assert again.log.verified
    assert again.counts() == worker.counts()
    for begin, minute in worker.log.minutes.items():
        same = again.log.minutes[begin]
        for address, source in minute.addresses.items():
            assert same.addresses[address].payload() == source.payload()
        assert {user: entry.payload() for user, entry in same.users.items()} == {
            user: entry.payload() for user, entry in minute.users.items()
        }


def _windows_add_up(world: World, counts: Counter[tuple[int, str, str]]) -> None:
    sums: Counter[tuple[int, str, str]] = Counter()
    for window in world.windows.values():
        for outcome in ("success", "failure", "unknown"):
            sums[window.minute, window.service, outcome] += getattr(window, outcome)
    assert +sums == counts
