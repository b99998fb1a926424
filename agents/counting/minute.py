"""Keeps the entries of one minute by dimension and name, and says how each is read from its record."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from agents.counting.cardinality import cost
from agents.counting.entries import Counts, Sent, Source

MINUTE = 60
"""Seconds. A minute is named by its start, seconds since 1970."""
SERVICE, ADDRESS, USER, SENT, ROW, OUTBOX = b"saumro"
"""Kinds of entries, the second byte of their names. The last two belong to a partition, not to a minute."""
OTHERS = ""
"""Name of the entry for all names beyond the limit of their minute; an attempt without a name has no entry."""
DIMENSIONS = (SERVICE, ADDRESS, USER)
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
