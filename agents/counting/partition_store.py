"""Keeps what was counted of one partition number: the counts of each typed topic that has attempts."""

from typing import Any

from agents.counting.cardinality import BUDGET
from agents.counting.partition_counts import PartitionCounts
from agents.settings import Settings
from topics.catalogue import COUNTED_KINDS, typed


class PartitionStore:
    """The counts of one partition number, `by_topic`. They share a part of the changelog, and nothing else.

    `partitions` is the number of all partitions: each has an equal share of the budget for names.
    """

    def __init__(self, settings: Settings, partition: int, partitions: int = 1) -> None:
        keep, budget = settings.keep, BUDGET // partitions
        made = [
            PartitionCounts(settings.prefix + typed(k), k, ord(k[0]), partition, keep, budget) for k in COUNTED_KINDS
        ]
        self.by_topic = {counts.topic: counts for counts in made}
        self._by_code = {counts.code: counts for counts in made}

    def find(self, name: bytes) -> Any:
        """Return the entry of a name, or None."""
        return self._by_code[name[0]].find(name)

    def put(self, name: bytes, payload: bytes) -> Any:
        """Make the entry that a record holds, and return it."""
        return self._by_code[name[0]].put(name, payload)

    def remove(self, name: bytes) -> None:
        """Delete an entry. It must exist."""
        self._by_code[name[0]].remove(name)
