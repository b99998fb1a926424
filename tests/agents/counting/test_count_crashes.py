"""Counting through crashes at every possible moment, played through in memory with the real entries and records.

Workers run the real flusher on a changelog in memory. At any record, and while it reads or asks, a worker may die; or
it is stopped there and becomes a zombie, which goes on at any later moment, some records at a time, while successors
read, count, write, die and become zombies themselves. Nobody tells it but the broker, when it asks. The changelog is
compacted at random. In the end the counts are those of a plain recount, no window was published with two values, and
the windows add up to the counts.
"""

import random
from collections import Counter
from collections.abc import Coroutine, Generator, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from count_kit import Attempt, Stored, recount

from agents.counting import flush
from agents.counting.buckets import DIMENSIONS
from agents.counting.cardinality import BUDGET
from agents.counting.flush import Flusher, FlushTuning
from agents.counting.partition_counts import InconsistentState, PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.transport import Outgoing
from topics.records.stats import AuthWindow, decode

KEEP = 600.0
TOPIC = "events.authentication"
FOREVER = 1 << 62
TUNING = FlushTuning(poll_seconds=0, idle_seconds=1e9)
TIGHT = 40  # cost of names within the budget
CHANGELOG = "changelog"
BOUNDARIES = 25  # owners that die or are stopped, at most
ZOMBIES = 4  # at a time; others are dead


class Pause:
    """What a worker awaits wherever it may be stopped."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class World:
    """What outlives the workers: the topics, the committed offset, the group; and those who are not dead yet."""

    def __init__(self, seed: int, names: int = 6) -> None:
        self.random = random.Random(seed)
        self.typed = _typed(self.random, names)
        self.records = [attempt.record(offset) for offset, attempt in enumerate(self.typed)]
        self.changelog: list[Stored] = []
        self.end = 0
        self.windows: dict[str, AuthWindow] = {}
        self.contradictions: list[str] = []
        self.committed = self.generation = 0
        self.credulous = False
        self.zombies: list[Worker] = []

    def write(self, record: Outgoing) -> None:
        topic, key, value, *_ = record
        if topic == CHANGELOG:
            self.changelog.append(Stored(self.end, 0, key or b"", value))
            self.end += 1
            return
        window = decode(value or b"")
        if self.windows.setdefault(window.id, window) != window:
            self.contradictions.append(window.id)

    def compact(self) -> None:
        """Keep the last record of each key of a beginning; of what was erased, maybe nothing."""
        cut = self.random.randrange(len(self.changelog) + 1)
        last = {record.key: record for record in self.changelog[:cut]}
        kept = [record for record in self.changelog[:cut] if last[record.key] is record]
        kept = [record for record in kept if record.value is not None or self.random.random() < 0.5]
        self.changelog = kept + self.changelog[cut:]

    def stir(self) -> None:
        """Let some of the zombies go on for a while."""
        for zombie in list(self.zombies):
            if self.random.random() < 0.1:
                for _ in range(self.random.choice((1, 2, 5, 40))):
                    if zombie in self.zombies and not zombie.step():
                        self.zombies.remove(zombie)


class Worker:
    """One owner of the partition, from when it was given it to its death: a coroutine, driven step by step."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.generation += 1
        self.generation = world.generation
        self.part = ChangelogPartition(CHANGELOG, 0, PartitionStore(Settings(keep=KEEP), 0, BUDGET // TIGHT))
        self.store = SimpleNamespace(parts={0: self.part}, moving=False, generation=self.generation)
        self.flusher = Flusher(self._app(), SimpleNamespace(store=self.store), "", TUNING)  # type: ignore[arg-type]
        self.partition_counts: PartitionCounts = self.part.store.by_topic[TOPIC]
        self.acknowledged = 0
        self.idle = False
        self._life: Coroutine[Any, Any, None] = self._live()

    def step(self) -> bool:
        """Go on to the next place where it may be stopped; False when it has come to its end."""
        clock.idle = self.idle
        try:
            self._life.send(None)
        except StopIteration:
            return False
        return True

    def _app(self) -> Any:
        return SimpleNamespace(
            delivery=SimpleNamespace(send=self._send),
            commit_as_owner=self._commit_as_owner,
            rebalancing=True,
            should_stop=False,
        )

    async def _live(self) -> None:
        await self._recover()
        offset = self.world.committed
        assert offset <= self.partition_counts.position + 1 or self.generation < self.world.generation
        while offset < len(self.world.records):
            batch = self.world.records[offset : offset + self.world.random.randint(1, 30)]
            offset += len(batch)
            self._count(batch, offset)
            await Pause()
            if self.world.random.random() < 0.5:
                await self.flusher.flush()
            if not self.store.parts:
                return
        await self._close()

    async def _recover(self) -> None:
        """Read the changelog up to what was its end when the partition was given; in pieces, and maybe further."""
        await Pause()
        at, end = 0, self.world.end
        while at < end:
            until = max(at + 1, self.world.random.choice((end, self.world.end, self.world.random.randint(at, end))))
            self.part.apply(record for record in list(self.world.changelog) if at <= record.offset < until)
            at = until
            await Pause()
        for counts in self.part.store.by_topic.values():
            counts.resume()
        self.part.generation = self.generation
        self.flusher.open(self.part)

    def _count(self, batch: Sequence[Stored], end: int) -> None:
        self.partition_counts.count(batch)

        def acknowledge() -> None:
            self.acknowledged = max(self.acknowledged, end)

        self.flusher.add(self.partition_counts, SimpleNamespace(ack=acknowledge), len(batch))

    async def _close(self) -> None:
        """Nothing comes any more: close all minutes."""
        await self.flusher.flush()
        self.idle = clock.idle = True
        while self.store.parts and any(one.due(True) for one in self.flusher._partitions.values()):
            await self.flusher.flush()
        if self.store.parts:
            await self._commit_as_owner(self.generation, {0})

    async def _send(self, records: list[Outgoing]) -> Any:
        """Each partition has its records in order; how those of several meet is chance."""
        table = [record for record in records if record.topic == CHANGELOG]
        others = [record for record in records if record.topic != CHANGELOG]
        self.world.random.shuffle(others)
        while table or others:
            await Pause()
            chosen = table if table and (not others or self.world.random.random() < 0.5) else others
            self.world.write(chosen.pop(0))
        await Pause()
        return Pause()

    async def _commit_as_owner(self, generation: int, partitions: set[int]) -> bool:
        """What the broker says, and whatever may happen before it is asked and before its answer is there."""
        await Pause()
        taken = generation == self.world.generation or self.world.credulous
        if taken:
            self.world.committed = max(self.world.committed, self.acknowledged)
        await Pause()
        if not taken:
            self.store.parts.clear()  # it joins anew
        return taken

    def counts(self) -> Counter[tuple[int, str, str]]:
        found: Counter[tuple[int, str, str]] = Counter()
        for begin, minute in self.partition_counts.minutes.items():
            for service, entry in minute.services.items():
                found[begin, service, "success"] += entry.success
                found[begin, service, "failure"] += entry.failure
                found[begin, service, "unknown"] += entry.unknown
        return +found


class Clock:
    """Time that passes with each look. For whoever is idle it has gone on for ever."""

    idle = False
    now = 0.0

    def monotonic(self) -> float:
        self.now += 1.0
        return self.now + (FOREVER if self.idle else 0)

    def time(self) -> float:
        return FOREVER / 1000


clock = Clock()


@pytest.fixture(autouse=True)
def played_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flush, "time", clock)


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


def _play(world: World) -> Worker:
    for _ in range(BOUNDARIES):
        worker = Worker(world)
        lives = world.random.choice((5, 50, 500, 2_000))
        if _run(world, worker, world.random.randint(1, lives)):
            return worker
        if world.random.random() < 0.7 and len(world.zombies) < ZOMBIES:
            world.zombies.append(worker)
        world.compact()
    worker = Worker(world)
    assert _run(world, worker, FOREVER)
    return worker


def _run(world: World, worker: Worker, steps: int) -> bool:
    """Whether a worker comes to its end within so many steps."""
    while steps and worker.step():
        world.stir()
        steps -= 1
    return bool(steps)


@pytest.mark.parametrize("seed", range(50))
def test_counts_are_those_of_a_recount_whenever_workers_die(seed: int) -> None:
    world = World(seed)
    worker = _play(world)
    counts, sums = recount(world.typed, KEEP)
    assert (worker.partition_counts.totals[0], worker.partition_counts.late) == (sums["all"], sums["late"])
    assert worker.partition_counts.verified
    live = {key: number for key, number in counts.items() if key[0] >= worker.partition_counts.floor}
    assert worker.counts() == live
    _same_after_recovery(world, worker)
    _windows_add_up(world, counts)


@pytest.mark.parametrize("seed", range(50))
def test_the_same_names_are_told_apart_whenever_workers_die(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.counting.cardinality.LIMIT", 4)
    monkeypatch.setattr("agents.counting.cardinality.LIMIT_UNDER_PRESSURE", 2)
    world = World(seed, names=20)
    worker = _play(world)
    straight = PartitionCounts(TOPIC, "authentication", ord("a"), 0, KEEP, TIGHT)
    straight.resume()
    straight.count(world.records)
    assert worker.partition_counts.verified
    assert straight.unnamed > 0
    assert (worker.partition_counts.totals, worker.partition_counts.weight) == (straight.totals, straight.weight)
    assert _payloads(worker.partition_counts) == _payloads(straight)
    _same_after_recovery(world, worker)


def _payloads(counts: PartitionCounts) -> dict[tuple[int, int, str], bytes]:
    return {
        (begin, dimension, name): entry.payload()
        for begin, minute in counts.minutes.items()
        for dimension in DIMENSIONS
        for name, entry in minute.tables[dimension].items()
    }


def _same_after_recovery(world: World, worker: Worker) -> None:
    while world.zombies:
        world.stir()
    again = Worker(world)
    while not again.part.recovered:
        assert again.step()
    assert again.partition_counts.verified
    assert again.counts() == worker.counts()
    for begin, minute in worker.partition_counts.minutes.items():
        same = again.partition_counts.minutes[begin]
        for address, source in minute.addresses.items():
            assert same.addresses[address].payload() == source.payload()
        assert {user: entry.payload() for user, entry in same.users.items()} == {
            user: entry.payload() for user, entry in minute.users.items()
        }


def _windows_add_up(world: World, counts: Counter[tuple[int, str, str]]) -> None:
    assert not world.contradictions
    sums: Counter[tuple[int, str, str]] = Counter()
    for window in world.windows.values():
        for outcome in ("success", "failure", "unknown"):
            sums[window.minute, window.service, outcome] += getattr(window, outcome)
    assert +sums == counts


def test_windows_would_contradict_each_other_if_nobody_asked_the_broker() -> None:
    assert any(_contradicts(World(seed)) for seed in range(10))


def _contradicts(world: World) -> bool:
    world.credulous = True
    with suppress(AssertionError, InconsistentState):
        _play(world)
    return bool(world.contradictions)
