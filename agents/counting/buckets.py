"""Defines the minute buckets of attempts, their entries, and the payload of each entry in the changelog.

A bucket (`Minute`) has one entry for each service, address and user. Payloads are JSON arrays, as orjson writes one in
0.1 us. A worker keeps hundreds of thousands of entries. With slots, shared strings and shared tuples one takes 200
bytes.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from sys import intern
from typing import Any

import orjson

from agents.counting.cardinality import cost
from agents.state.changelog import UNWRITTEN

MINUTE = 60
"""Seconds. A minute is named by its start, seconds since 1970."""
SERVICE, ADDRESS, USER, SENT, ROW, OUTBOX = b"saumro"
"""Kinds of entries, the second byte of their names. The last two belong to a partition, not to a minute."""
OTHERS = ""
"""Name of the entry for all names beyond the limit of their minute; an attempt without a name has no entry."""
DIMENSIONS = (SERVICE, ADDRESS, USER)
NAMES = 64
"""Most users, and most hosts, that an address's entry lists."""
MORE_USERS, MORE_HOSTS = 1, 2
"""Bits of `Source.more`: an address had more users, or more hosts, than its entry lists."""
SERVICES = 16
"""Most services whose failures an address's entry tells apart."""
OTHER_SERVICES = ""
"""Name of the services beyond those, and of all services in entries of earlier releases, which do not name them."""

_single = lru_cache(16_384)(lambda name: (intern(name),))


class Counts:
    """Attempts of one service or user in one minute. `dirty` means that it changed since it was written; `born` is the
    offset at which it began, -1 when that is unknown.
    """

    __slots__ = ("born", "dirty", "failure", "generation", "position", "success", "unknown")

    def __init__(self) -> None:
        self.success = self.failure = self.unknown = 0
        self.position = self.born = -1
        self.generation, self.dirty = UNWRITTEN, False

    @property
    def attempts(self) -> int:
        """The number of all attempts."""
        return self.success + self.failure + self.unknown

    def payload(self) -> bytes:
        """Return the counts, and the offset at which it began."""
        return orjson.dumps((self.success, self.failure, self.unknown, self.born))

    @classmethod
    def load(cls, payload: bytes) -> "Counts":
        """Read the entry of a payload; payloads of earlier releases do not say where it began."""
        entry = cls()
        entry.success, entry.failure, entry.unknown, *born = orjson.loads(payload)
        entry.born = born[0] if born else -1
        return entry


class Source(Counts):
    """What one address did in one minute. `users` and `hosts` are in order of appearance; `first`, `last` and `got_in`
    (its last success, 0 without one) are microseconds since 1970. `services` has its failures by service; it is the
    name alone when there was only one, as is usual, so that it costs no object.
    """

    __slots__ = ("country", "first", "got_in", "hosts", "last", "more", "services", "users")

    def __init__(self) -> None:
        self.success = self.failure = self.unknown = self.more = self.first = self.last = self.got_in = 0
        self.position = self.born = -1
        self.generation, self.dirty, self.country = UNWRITTEN, False, ""
        self.users: tuple[str, ...] = ()
        self.hosts: tuple[str, ...] = ()
        self.services: str | dict[str, int] = ""

    def meet(self, user: str, host: str, country: str, at: int) -> None:
        """Note user, host, country and time (microseconds) of an attempt."""
        if user not in self.users and user:
            if len(self.users) < NAMES:
                self.users = (*self.users, intern(user)) if self.users else _single(user)
            else:
                self.more |= MORE_USERS
        if host not in self.hosts and host:
            if len(self.hosts) < NAMES:
                self.hosts = (*self.hosts, intern(host)) if self.hosts else _single(host)
            else:
                self.more |= MORE_HOSTS
        if country and country != self.country:
            self.country = intern(country)
        if at > self.last:
            self.last = at
        if at < self.first or not self.first:
            self.first = at

    def tell(self, service: str, failures: int) -> None:
        """Note the service of an attempt, and how many failures it stands for; `failure` has them already."""
        if isinstance(self.services, str):
            if not self.services and self.failure == failures:
                self.services = intern(service)
                return
            self.services = {self.services: self.failure - failures}
        key = service if service in self.services or len(self.services) < SERVICES else OTHER_SERVICES
        self.services[intern(key)] = self.services.get(key, 0) + failures

    def by_service(self) -> dict[str, int]:
        """Return its failures by service."""
        return {self.services: self.failure} if isinstance(self.services, str) else self.services

    def payload(self) -> bytes:
        """Return all fields."""
        return orjson.dumps(
            (self.success, self.failure, self.unknown, self.country, self.first, self.last, self.users, self.hosts,
             self.more, self.born, self.got_in, self.services)
        )  # fmt: skip

    @classmethod
    def load(cls, payload: bytes) -> "Source":
        """Read the entry of a payload; those of earlier releases end with `more`, or with `born`."""
        entry = cls()
        (
            entry.success,
            entry.failure,
            entry.unknown,
            country,
            entry.first,
            entry.last,
            users,
            hosts,
            entry.more,
            *later,
        ) = orjson.loads(payload)
        defaults: tuple[Any, ...] = (-1, 0, "")
        entry.born, entry.got_in, entry.services = tuple(later) + defaults[len(later) :]
        if isinstance(entry.services, str):
            entry.services = intern(entry.services)
        entry.last = entry.first if entry.last == entry.first else entry.last  # as in most entries: one object for both
        entry.country, entry.users, entry.hosts = intern(country), _names(users), _names(hosts)
        return entry


def _names(names: list[str]) -> tuple[str, ...]:
    return _single(names[0]) if len(names) == 1 else tuple(intern(name) for name in names)


class Sent:
    """The counts that were published of one service's minute; its position is the revision."""

    __slots__ = ("failure", "generation", "position", "success", "unknown")

    def __init__(self, success: int, failure: int, unknown: int) -> None:
        self.success, self.failure, self.unknown = success, failure, unknown
        self.position, self.generation = 0, UNWRITTEN

    def payload(self) -> bytes:
        """Return the counts."""
        return orjson.dumps((self.success, self.failure, self.unknown))

    @classmethod
    def load(cls, payload: bytes) -> "Sent":
        """Read the entry of a payload."""
        return cls(*orjson.loads(payload))


class State:
    """An entry with a JSON value: the row or the outbox of a partition."""

    __slots__ = ("generation", "position", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.position, self.generation = -1, UNWRITTEN

    def payload(self) -> bytes:
        """Return the value as JSON."""
        return orjson.dumps(self.value)

    @classmethod
    def load(cls, payload: bytes) -> "State":
        """Read the entry of a payload."""
        return cls(orjson.loads(payload))


KINDS: dict[int, type[Any]] = {ADDRESS: Source, USER: Counts}
LOADERS: dict[int, Any] = {SERVICE: Counts.load, ADDRESS: Source.load, USER: Counts.load, SENT: Sent.load}


class Minute:
    """The entries of one minute by name, and in `tables` by dimension, too.

    `weight` is the cost of its names (see `cardinality`), `there` their number by dimension, both at the offset up to
    which its partition has been counted.
    """

    __slots__ = ("addresses", "sent", "services", "tables", "there", "users", "weight")

    def __init__(self) -> None:
        self.weight, self.there = 0, {ADDRESS: 0, USER: 0}
        self.services: dict[str, Counts] = {}
        self.addresses: dict[str, Source] = {}
        self.users: dict[str, Counts] = {}
        self.sent: dict[str, Sent] = {}
        self.tables: dict[int, dict[str, Any]] = {
            SERVICE: self.services,
            ADDRESS: self.addresses,
            USER: self.users,
            SENT: self.sent,
        }

    def counts(self) -> Iterator[Counts]:
        """Iterate over all entries that count attempts."""
        return chain(self.services.values(), self.addresses.values(), self.users.values())

    def sums(self) -> list[int]:
        """Return the sums of attempts by dimension."""
        return [sum(entry.attempts for entry in self.tables[dimension].values()) for dimension in DIMENSIONS]

    def weigh(self, position: int) -> None:
        """Set weight and number of the names that existed at a position."""
        for dimension in self.there:
            names = [name for name, entry in self.tables[dimension].items() if name and entry.born <= position]
            self.there[dimension] = len(names)
            self.weight += sum(map(cost, names))
