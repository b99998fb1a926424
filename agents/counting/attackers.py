"""Answers questions about addresses: which ones attack, what one of them did, and where they are.

Times of entries are microseconds since 1970; those of answers are seconds.
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Any

from agents.counting.break_in import broke_in
from agents.counting.buckets import MORE_HOSTS, MORE_USERS, Source
from agents.counting.partition_store import PartitionStore
from agents.counting.queries import UNNAMED, Span, minutes
from agents.state.changelog import ChangelogPartition

NAMES = 20
"""Most users, and most hosts, that an answer lists."""
_HOUR = 3600  # seconds
_PLACE = ("success", "failure", "unknown", "addresses", "broke_in")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attackers are asked for, and in which order; empty texts are no filter.

    `prefix` is the beginning of an address. An address is chosen by what it did within the span; its numbers are those
    of all that it did there. `system` is the number of an autonomous system.
    """

    limit: int
    sort: str = "broke_in"
    ascending: bool = False
    service: str = ""
    country: str = ""
    user: str = ""
    host: str = ""
    prefix: str = ""
    system: int = 0

    @property
    def filtered(self) -> bool:
        """Whether anything but the beginning of the address is asked for, so that entries have to be looked at."""
        return bool(self.service or self.country or self.user or self.host)


SORTS = ("broke_in", "failures", "successes", "last_seen", "first_seen", "users", "hosts", "address")
"""What attackers can be sorted by. Those that guessed and got in come first whatever it is."""
SystemOf = Callable[[str], int]
"""Returns the number of the autonomous system of an address, 0 when it is unknown."""


async def attackers(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, wanted: Wanted, system_of: SystemOf = lambda _: 0
) -> dict[str, Any]:
    """Return addresses that failed, their number (`total`), and how many got in (`broke_in_total`).

    Those that guessed and got in come first, so that no number of louder ones hides them. Equal ones are in the order
    of failures, then the latest first. Each row has `minutes` of the last hour of the span: start, successes, failures.
    """
    parts = list(parts)
    sums = await _sums(parts, span, wanted)
    failed = {key: row for key, row in sums.items() if row.failures and row.matches(wanted)}
    if wanted.system:
        failed = {key: row for key, row in failed.items() if system_of(key) == wanted.system}
    ranks = await _ranks(parts, span, failed, wanted)
    chosen = nlargest(wanted.limit, failed, key=ranks)
    rows = await _rows(parts, span, chosen)
    breaches = sum(broke_in(row.failures, row.successes) for row in failed.values())
    return {"attackers": [rows[key] for key in chosen], "total": len(failed), "broke_in_total": breaches}


async def _sums(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, wanted: Wanted) -> dict[str, "_Sums"]:
    """Return what ranks each address: less than an answer has, since there may be hundreds of thousands."""
    sums: dict[str, _Sums] = {}
    prefix, filtered = wanted.prefix, wanted.filtered
    async for _, minute in minutes(parts, span):
        for key, entry in minute.addresses.items():
            if not key or (prefix and not key.startswith(prefix)):
                continue
            row = sums.get(key)
            if row is None:
                row = sums[key] = _Sums(first=entry.first)
            row.failures += entry.failure
            row.successes += entry.success
            if entry.last > row.last:
                row.last = entry.last
            if entry.first < row.first:
                row.first = entry.first
            if filtered:
                row.note(entry, wanted)
    return sums


async def _ranks(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, failed: dict[str, "_Sums"], wanted: Wanted
) -> Callable[[str], tuple[bool, Any, int, int]]:
    """Return the function that ranks addresses; users and hosts have to be gathered for it."""
    sign, values = (-1 if wanted.ascending else 1), dict[str, int]()
    if wanted.sort in ("users", "hosts"):
        values = await _numbers(parts, span, failed, wanted.sort)
    elif wanted.sort == "address":
        values = {key: place for place, key in enumerate(sorted(failed))}
    elif wanted.sort != "broke_in":
        name = {"last_seen": "last", "first_seen": "first"}.get(wanted.sort, wanted.sort)
        values = {key: getattr(row, name) for key, row in failed.items()}

    def rank(key: str) -> tuple[bool, Any, int, int]:
        row = failed[key]
        return broke_in(row.failures, row.successes), sign * values.get(key, 0), row.failures, row.last

    return rank


async def _numbers(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, failed: Container[str], what: str
) -> dict[str, int]:
    """Count the users, or hosts, of each address."""
    found: dict[str, set[str]] = {}
    async for _, minute in minutes(parts, span):
        for key, entry in minute.addresses.items():
            if key in failed:
                found.setdefault(key, set()).update(entry.users if what == "users" else entry.hosts)
    return {key: len(names) for key, names in found.items()}


async def _rows(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, chosen: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """Return the rows of the chosen addresses, with the minutes of the last hour."""
    found = {key: _Attacker(address=key) for key in chosen}
    async for time, minute in minutes(parts, span):
        if len(found) < len(minute.addresses):
            hits: Iterable[str] = (key for key in found if key in minute.addresses)
        else:
            hits = (key for key in minute.addresses if key in found)
        for key in hits:
            found[key].add(time, minute.addresses[key])
    since = span.until - _HOUR
    return {key: row.row() | {"minutes": row.rates(since)} for key, row in found.items()}


async def attacker(
    parts: Iterable[ChangelogPartition[PartitionStore]], span: Span, address: str
) -> dict[str, Any] | None:
    """Return one address and its minutes (start, successes, failures), None if nothing is known of it."""
    found = _Attacker(address=address)
    async for time, minute in minutes(parts, span):
        if (entry := minute.addresses.get(address)) is not None:
            found.add(time, entry)
    if not found.minutes:
        return None
    return {**found.row(), "minutes": found.rates(0)}


async def countries(parts: Iterable[ChangelogPartition[PartitionStore]], span: Span) -> dict[str, dict[str, int]]:
    """Return attempts by country of the address, "" where it is unknown, with the number of addresses that tried and
    of those that broke in."""
    sums: dict[str, _Attacker] = {}
    async for _, minute in minutes(parts, span):
        for key, entry in minute.addresses.items():
            row = sums.setdefault(key, _Attacker(address=key))
            row.failures += entry.failure
            row.successes += entry.success
            row.unknown += entry.unknown
            row.country = entry.country or row.country
    found: dict[str, dict[str, int]] = {}
    for key, row in sums.items():
        place = found.setdefault(row.country, dict.fromkeys(_PLACE, 0))
        for name, number in zip(_PLACE, row.place(key), strict=True):
            place[name] += number
    return found


@dataclass(slots=True)
class _Sums:
    """The counts of one address over several minutes; `first` and `last` in microseconds; `met` has a bit for each
    filter that one of its minutes satisfied."""

    failures: int = 0
    successes: int = 0
    first: int = 0
    last: int = 0
    met: int = 0

    def note(self, entry: Source, wanted: Wanted) -> None:
        """Note which filters this entry satisfies."""
        self.met |= (
            (entry.country == wanted.country)
            | (wanted.service in entry.by_service()) << 1
            | (wanted.user in entry.users) << 2
            | (wanted.host in entry.hosts) << 3
        )

    def matches(self, wanted: Wanted) -> bool:
        """Whether every filter was satisfied by some minute."""
        texts = (wanted.country, wanted.service, wanted.user, wanted.host)
        return all(self.met & 1 << bit for bit, text in enumerate(texts) if text)


@dataclass(slots=True)
class _Attacker(_Sums):
    """What an answer says of one address."""

    address: str = ""
    country: str = ""
    users: dict[str, None] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)
    more: int = 0
    unknown: int = 0
    got_in: int = 0
    minutes: dict[int, list[int]] = field(default_factory=dict)

    def add(self, minute: int, entry: Source) -> None:
        self.failures += entry.failure
        self.successes += entry.success
        self.users.update(dict.fromkeys(entry.users))
        self.hosts.update(dict.fromkeys(entry.hosts))
        self.more |= entry.more
        self.country = entry.country or self.country
        self.first = min(self.first, entry.first) if self.first else entry.first
        self.last = max(self.last, entry.last)
        self.got_in = max(self.got_in, entry.got_in)
        for name, failures in entry.by_service().items():
            self.services[name] = self.services.get(name, 0) + failures
        counts = self.minutes.setdefault(minute, [0, 0])
        counts[0] += entry.success
        counts[1] += entry.failure

    def row(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "country": self.country,
            "failures": self.failures,
            "successes": self.successes,
            "users": list(self.users)[:NAMES],
            "user_count": len(self.users),
            "users_more": bool(self.more & MORE_USERS),
            "hosts": list(self.hosts)[:NAMES],
            "host_count": len(self.hosts),
            "hosts_more": bool(self.more & MORE_HOSTS),
            "first_seen": self.first / 1_000_000,
            "last_seen": self.last / 1_000_000,
            "last_success": self.got_in / 1_000_000,
            "services": {name or UNNAMED: number for name, number in self.services.items()},
        }

    def rates(self, since: int) -> list[list[int]]:
        """Its minutes from `since` on: start, successes, failures."""
        return [[time, *counts] for time, counts in sorted(self.minutes.items()) if time >= since]

    def place(self, key: str) -> tuple[int, int, int, int, int]:
        """What it adds to its country, in the order of _PLACE; those without a name of their own are no address."""
        counts = self.successes, self.failures, self.unknown
        return (*counts, bool(key and self.failures), bool(key) and broke_in(self.failures, self.successes))
