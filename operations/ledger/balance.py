"""Decides whether every record that was received is accounted for, from offsets and sums or record by record."""

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
    """The state of an installation in numbers of records.

    Of the records `received`, some are `stored`, some are `dead` letters, and at most `in_flight` are being processed.
    `exact` says that every record was looked at. `truncated` has a sentence for each log of which Kafka has lost the
    end: the sums say nothing about records that it has written in that place.
    """

    facts: Facts
    received: int
    stored: int
    dead: int
    in_flight: int
    exact: bool = False
    attempts: Attempts | None = None
    truncated: list[str] = field(default_factory=list)

    @property
    def absent(self) -> int:
        """The number of records that are neither stored nor dead letters."""
        return self.received - self.stored - self.dead

    @property
    def missing(self) -> int:
        """The number of lost records: the exact one after `verify`, else the least one that the sums prove."""
        if not self.exact:
            return max(0, self.absent - self.in_flight)
        raw, typed = self.facts.raw.values(), self.facts.typed.values()
        return sum(len(row.missing) for row in raw) + sum(len(row.missing) for row in typed)

    @property
    def wrongs(self) -> list[str]:
        """A sentence for each error. The installation is balanced when there is none."""
        counted = self.attempts.wrongs if self.attempts is not None else []
        return [*self.truncated, *(_by_partition(self.facts) if self.exact else _in_all(self)), *counted]


def look(reader: Reader, store: Store, settings: Settings, since: int) -> tuple[Ledger, Given]:
    """Compare offsets and sums of everything since a time in milliseconds; blocks for about a second."""
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
    return Ledger(now, received, stored, dead, now.in_flight(), truncated=logs), given


def verify(reader: Reader, store: Store, settings: Settings, seen: Ledger, given: Given, step: Step) -> Ledger:
    """Look at every record of the partitions in `seen`; blocks for some fifteen seconds for each million."""
    scan = Scan(reader, store, seen.facts, given, Origins(settings), step)
    scan.run()
    return replace(seen, received=seen.received - scan.holes, stored=scan.stored, exact=True)


def count(reader: Reader, store: Store, settings: Settings, seen: Ledger) -> None:
    """Compare attempts with closed minutes and live counts, if attempts are counted; blocks for up to a minute."""
    if any(row.counted is not None and row.counted >= 0 for row in seen.facts.typed.values()):
        seen.attempts = compare(reader, store, settings, seen.facts.since, lambda: _left(reader, settings))


def _left(reader: Reader, settings: Settings) -> int:
    """The number of records that normalize, count and index have still to process."""
    return sum(reader.left(role, settings.prefix) for role in ("normalize", "count", "index"))


def _dead(store: Store, now: Facts, given: Given) -> int:
    """The number of dead letters about records of these partitions that are not stored as well."""
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
    elif seen.absent > seen.in_flight:
        lost = seen.absent - seen.in_flight
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
