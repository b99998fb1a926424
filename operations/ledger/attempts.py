"""Compares attempts by minute, service and outcome in documents, in closed minutes and in count workers.

Minutes are compared that ended at least `SETTLED` seconds ago, so they are closed, and not longer ago than counts are
kept, so no event of them came too late to be counted. While a role lags, a difference may still vanish. A difference
that stays as it is although no role lags is an error.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from agents.counting.peers import PURPOSE
from agents.settings import Settings
from operations.ledger.store import Cell, Store
from topics.avro.attempt_header import decode_attempt
from topics.avro.wire import CodecError, UnknownSchema
from topics.catalogue import COUNTED_KINDS, DEADLETTER, STATS, typed
from topics.kafka.reader import Reader
from topics.records.deadletter import read
from topics.records.stats import MINUTE, AuthWindow, decode
from web import answers
from web.workers import NoWorkers, Workers

SETTLED = 45
"""Seconds after which a minute is closed, published and found by a search, if no role lags."""
_SHOWN = 20  # the most cells that are named
_LIMIT = 60.0  # seconds after which the comparison is given up
_STILL = 15.0  # seconds without a change after which a difference is an error
_PAUSE = 3.0  # seconds between looks


@dataclass(slots=True)
class Attempts:
    """The attempts of the minutes from `since` to before `until`, seconds since 1970.

    `live` is None when no count worker answered. `settled` says that no role lagged, so that a difference is an error.
    """

    since: int
    until: int
    documents: Counter[Cell]
    windows: Counter[Cell]
    live: Counter[Cell] | None = None
    contradictory: list[str] = field(default_factory=list)
    settled: bool = True

    def differing(self) -> list[Cell]:
        """Cells whose numbers in documents, closed minutes and workers are not equal."""
        others = [self.windows] if self.live is None else [self.windows, self.live]
        cells = {cell for found in (self.documents, *others) for cell in found}
        return sorted(cell for cell in cells if any(found[cell] != self.documents[cell] for found in others))

    @property
    def wrongs(self) -> list[str]:
        """A sentence for each thing that is wrong."""
        said = [f"Closed minute {name} was published with different values." for name in self.contradictory[:_SHOWN]]
        cells = self.differing() if self.settled else []
        said += map(self._sentence, cells[:_SHOWN])
        if len(cells) > _SHOWN:
            said.append(f"{len(cells) - _SHOWN:,} more minutes of services differ.")
        return said

    def _sentence(self, cell: Cell) -> str:
        minute, service, outcome = cell
        when = time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(minute))
        live = "" if self.live is None else f", and count workers {self.live[cell]:,}"
        return (f"{when} {service!r} {outcome}: documents tell of {self.documents[cell]:,} attempts, closed minutes of "
                f"{self.windows[cell]:,}{live}.")  # fmt: skip


def compare(reader: Reader, store: Store, settings: Settings, since: int, left: Callable[[], int]) -> Attempts:
    """Compare attempts received since a time in milliseconds. `left` returns how many records roles have to process.

    Blocks for about a second, and up to a minute when numbers differ.
    """
    until = (int(time.time()) - SETTLED) // MINUTE * MINUTE
    begin = max(since // 1000, int(time.time() - settings.keep) + 2 * MINUTE) // MINUTE * MINUTE + MINUTE
    given_up = refused(reader, settings, max(1, since - int(settings.keep * 1000)))
    found = _look(store, settings, begin, max(begin, until), given_up)
    found.contradictory = contradictory(reader, settings, since)
    deadline, same_since = time.monotonic() + _LIMIT, time.monotonic()
    while found.differing() and time.monotonic() < deadline:
        before, found.settled = found, not left()
        if found.settled and time.monotonic() - same_since >= _STILL:
            break
        time.sleep(_PAUSE)
        found = _look(store, settings, begin, found.until, given_up)
        found.contradictory = before.contradictory
        if found != before or not before.settled:
            same_since = time.monotonic()
    return found


def _look(store: Store, settings: Settings, since: int, until: int, given_up: Counter[Cell]) -> Attempts:
    store.refresh()
    documents, windows = store.attempts(since, until), store.windows(since, until)
    documents += Counter({cell: number for cell, number in given_up.items() if since <= cell[0] < until})
    found = Attempts(since, until, documents, windows)
    found.live = live(settings, since, until, {minute for minute, _, _ in (*documents, *windows)})
    return found


def live(settings: Settings, since: int, until: int, minutes: Iterable[int]) -> Counter[Cell] | None:
    """Ask the count workers about minutes; None when they do not answer for all partitions."""
    return asyncio.run(_live(settings, since, until, sorted(minutes)))


async def _live(settings: Settings, since: int, until: int, minutes: list[int]) -> Counter[Cell] | None:
    workers = Workers(settings.query_urls, key=settings.key(PURPOSE), deadline=10.0)
    found: Counter[Cell] = Counter()
    async with workers.connected():
        try:
            for minute in minutes:
                asked = {"by": "service", "since": minute, "until": minute + MINUTE}
                replies = await workers.ask("/v1/attempts", answers.attempts, asked)
                if replies.missing:
                    return None
                for said in replies.contents:
                    for service, counts in said.rows.items():
                        for outcome, number in zip(("success", "failure", "unknown"), counts, strict=True):
                            found[minute, service, outcome] += number
        except NoWorkers:
            return None
    return +found


def contradictory(reader: Reader, settings: Settings, since: int) -> list[str]:
    """Ids of closed minutes that were published with different values."""
    topic = settings.prefix + STATS.name
    values: dict[str, AuthWindow] = {}
    several: dict[str, None] = {}
    for message in reader.read(topic, reader.bounds(topic, since)):
        try:
            window = decode(message.value() or b"")
        except (CodecError, UnknownSchema):  # index makes a dead letter of it
            continue
        if values.setdefault(window.id, window) != window:
            several[window.id] = None
    return list(several)


def refused(reader: Reader, settings: Settings, since: int) -> Counter[Cell]:
    """Attempts of events of which index has made dead letters: they are counted, and have no document."""
    topic, found, seen = settings.prefix + DEADLETTER.name, Counter[Cell](), set()
    kinds = {settings.prefix + typed(kind) for kind in COUNTED_KINDS}
    for message in reader.read(topic, reader.bounds(topic, since)):
        with suppress(ValueError):
            letter = read(message)
            head = (
                decode_attempt(letter.value or b"") if letter.component == "index" and letter.topic in kinds else None
            )
            if head is not None and (head.source, head.offset) not in seen:
                seen.add((head.source, head.offset))
                number, at, _, _, outcome, service, *_ = head
                found[at // 60_000_000 * MINUTE, service or "unknown", outcome or "unknown"] += number
    return found
