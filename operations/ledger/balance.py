"""What is known of an installation in, whether everything is accounted for out."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from agents.settings import Settings
from operations.ledger.attempts import Attempts, compare
from operations.ledger.counts import Facts, Raw, Typed, done, facts
from operations.ledger.dead_letters import Given, given_up
from operations.ledger.logs import truncated
from operations.ledger.origins import Origins
from operations.ledger.scan import Scan, Step
from operations.ledger.store import Store
from topics.kafka.reader import Reader


@dataclass(slots=True)
class Ledger:
    """A look at an installation: of `received` records some are `stored`, some `dead`, at most `under_way` others are
    somewhere between. `exact` says that every single record was looked at. `truncated` are sentences about logs
    of which Kafka has lost the end: sums say nothing of what it has written in that place.
    """

    facts: Facts
    received: int
    stored: int
    dead: int
    under_way: int
    exact: bool = False
    attempts: Attempts | None = None
    truncated: list[str] = field(default_factory=list)

    @property
    def absent(self) -> int:
        """Records that are neither stored nor letters."""
        return self.received - self.stored - self.dead

    @property
    def missing(self) -> int:
        """Records that are owed: all of them after a look at each, else as many as the sums prove."""
        if not self.exact:
            return max(0, self.absent - self.under_way)
        raw, typed = self.facts.raw.values(), self.facts.typed.values()
        return sum(len(row.missing) for row in raw) + sum(len(row.missing) for row in typed)

    @property
    def wrongs(self) -> list[str]:
        """A sentence for each thing that is wrong; none: balanced."""
        counted = self.attempts.wrongs if self.attempts is not None else []
        return [*self.truncated, *(_by_partition(self.facts) if self.exact else _in_all(self)), *counted]


def look(reader: Reader, store: Store, settings: Settings, since: int) -> tuple[Ledger, Given]:
    """What offsets and sums say of everything since a time in milliseconds; blocks, for a second or so."""
    groups = done(reader, settings)
    store.refresh()
    stored = store.total(since)
    given = given_up(reader, settings, since, Origins(settings))
    now = facts(reader, settings, since, groups)
    for rows in (now.raw, now.typed):
        for at, row in rows.items():
            row.letters = given.number[at]
    received = sum(row.end - row.begin for row in now.raw.values())
    dead, logs = _dead(store, now, given), truncated(reader, settings)
    return Ledger(now, received, stored, dead, now.under_way(), truncated=logs), given


def verify(reader: Reader, store: Store, settings: Settings, seen: Ledger, given: Given, step: Step) -> Ledger:
    """The same look, at every single record; blocks, some fifteen seconds for each million."""
    scan = Scan(reader, store, seen.facts, given, Origins(settings), step)
    scan.run()
    return replace(seen, received=seen.received - scan.holes, stored=scan.stored, exact=True)


def count(reader: Reader, store: Store, settings: Settings, seen: Ledger) -> None:
    """Compare attempts with closed minutes and live counts, where any are counted; blocks, up to a minute."""
    if any(row.counted is not None and row.counted >= 0 for row in seen.facts.typed.values()):
        seen.attempts = compare(reader, store, settings, seen.facts.since, lambda: _left(reader, settings))


def _left(reader: Reader, settings: Settings) -> int:
    """Records that normalize, count and index have not finished with."""
    return sum(reader.left(role, settings.prefix) for role in ("normalize", "count", "index"))


def _dead(store: Store, now: Facts, given: Given) -> int:
    """Letters about records of these partitions that are not stored all the same."""
    ids = [
        f"{at[0]}-{at[1]}-{offset}"
        for at, row in now.raw.items()
        for offset in given.records[at] | given.events[at]
        if row.begin <= offset < row.end
    ]
    return len(ids) - len(store.stored(ids)) + given.unread.total()


def _in_all(seen: Ledger) -> Iterator[str]:
    if seen.absent < 0:
        yield f"{-seen.absent:,} more events are stored than records were received."
    elif seen.absent > seen.under_way:
        lost = seen.absent - seen.under_way
        yield f"At least {lost:,} records are neither stored nor dead letters nor on their way."


def _by_partition(now: Facts) -> Iterator[str]:
    for raw in now.raw.values():
        yield from _of_raw(raw)
    for typed in now.typed.values():
        yield from _of_typed(typed)


def _of_raw(row: Raw) -> Iterator[str]:
    if row.missing:
        yield (f"{row.topic}-{row.partition} is off by {len(row.missing):,}: normalize has finished with records that "
               f"are neither events nor dead letters, the first at offset {row.missing[0]}.")  # fmt: skip


def _of_typed(row: Typed) -> Iterator[str]:
    where = f"{row.topic}-{row.partition}"
    if row.missing:
        yield (f"{where} is off by {len(row.missing):,}: index has finished with events that are neither stored nor "
               f"dead letters, the first of {row.missing[0]}.")  # fmt: skip
    if row.doubled:
        yield f"{where} is off by {len(row.doubled):,}: events are stored twice, the first of them {row.doubled[0]}."
