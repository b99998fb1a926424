"""The entries of one minute, by dimension and name, and how each is read from its record."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from agents.counting.cardinality import cost
from agents.counting.entries import Counts, Sent, Source

MINUTE = 60
"""Seconds. A minute is named by its start, seconds since 1970."""
SERVICE, ADDRESS, USER, SENT, ROW, OUTBOX = b"saumro"
"""What an entry is: the second byte of its name. The last two belong to a log, not to a minute."""
OTHERS = ""
"""The name of the entry for all names that a minute has no room for; nobody is called so."""
DIMENSIONS = (SERVICE, ADDRESS, USER)
KINDS: dict[int, type[Any]] = {ADDRESS: Source, USER: Counts}
LOADERS: dict[int, Any] = {SERVICE: Counts.load, ADDRESS: Source.load, USER: Counts.load, SENT: Sent.load}


class Minute:
    """The entries of one minute, by name; in `tables` by dimension, too. `cost` is that of its names (see
    `room`), `there` how many there are by dimension, both at the offset up to which its log has counted.
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
        """All entries that count."""
        return chain(self.services.values(), self.addresses.values(), self.users.values())

    def sums(self) -> list[int]:
        """Attempts by dimension."""
        return [sum(entry.attempts for entry in self.tables[dimension].values()) for dimension in DIMENSIONS]

    def weigh(self, position: int) -> None:
        """Find weight and number of the names that there were at a position."""
        for dimension in self.there:
            names = [name for name, entry in self.tables[dimension].items() if name and entry.born <= position]
            self.there[dimension] = len(names)
            self.weight += sum(map(cost, names))
