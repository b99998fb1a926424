"""Defines what every store does: it takes a batch of documents, and says what became of each of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Document(NamedTuple):
    """One event as a store keeps it: in the index or stream `target`, as `source`, a JSON object on one line.

    `id` is the same on every replay. No document with it can have been written before `since`, milliseconds since 1970:
    a store that rolls over looks for it only in the indices that were in use since.
    """

    target: str
    id: str
    source: bytes
    since: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that the store will never take. `position` is that in the batch."""

    position: int
    reason: str
    text: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch. `stored + present + len(rejected)` is the number of its documents."""

    stored: int = 0
    present: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class Sink(Protocol):
    """A store of documents."""

    async def write(self, documents: Sequence[Document]) -> Outcome:
        """Store documents. Returns when each is stored, was already present, or is rejected for good.

        It waits for as long as the store does not answer, is overloaded, or refuses documents for reasons of its own.
        If it raises, some documents may have been stored; writing the batch again is safe.
        """
        ...

    async def refresh(self, index: str) -> None:
        """Make what was written to `index` (a name or a pattern) searchable now, where the store can do that."""
        ...

    async def close(self) -> None:
        """Close the connections. Nothing may be written afterwards."""
        ...
