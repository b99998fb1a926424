"""A partition number in, its logs out: one for each typed topic with attempts, all in one part of the changelog."""

from typing import Any

from agents.counting.cardinality import BUDGET
from agents.counting.partition_counts import PartitionCounts
from agents.settings import Settings
from topics.catalogue import COUNTED_KINDS, typed


class PartitionStore:
    """The logs of one partition number. They share a part, and nothing else.

    `partitions` is the number of them all: each has its share of the room for names.
    """

    def __init__(self, settings: Settings, partition: int, partitions: int = 1) -> None:
        keep, room = settings.keep, BUDGET // partitions
        made = [PartitionCounts(settings.prefix + typed(k), k, ord(k[0]), partition, keep, room) for k in COUNTED_KINDS]
        self.logs = {log.topic: log for log in made}
        self._by_code = {log.code: log for log in made}

    def find(self, name: bytes) -> Any:
        """The entry of a name, or None."""
        return self._by_code[name[0]].find(name)

    def put(self, name: bytes, payload: bytes) -> Any:
        """Make the entry of a record."""
        return self._by_code[name[0]].put(name, payload)

    def remove(self, name: bytes) -> None:
        """Forget an entry that is there."""
        self._by_code[name[0]].remove(name)
