"""The contract of every store: a batch of documents in, what became of each of them out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Document(NamedTuple):
    """One event as a store keeps it: in the index or stream `target`, as `source`, a JSON object on one line.

    `id` is the same on every replay. Nobody can have written it before `since`, milliseconds since 1970; a store that
    begins a new place for documents now and then looks for it in those that were in use since.
    """

    target: str
    id: str
    source: bytes
    since: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that the store will never take, by its position in the batch."""

    position: int
    reason: str
    text: str


@dataclass(slots=True)
class Outcome:
    """What became of a batch: `stored + present + len(rejected)` is the number of its documents."""

    stored: int = 0
    present: int = 0
    rejected: list[Rejected] = field(default_factory=list)


class Sink(Protocol):
    """A store of documents."""

    async def write(self, documents: Sequence[Document]) -> Outcome:
        """Return when each document is stored, was already present, or is rejected for good.

        Waits for as long as the store is away, overloaded, or refuses what is not the documents' fault. When it raises,
        some of them may have been stored, and writing the batch again is safe.
        """
        ...

    async def refresh(self, index: str) -> None:
        """Make what was written to `index` (a name or a pattern) searchable now. A store that can't, lets it pass."""
        ...

    async def close(self) -> None:
        """Let go of connections. Nothing is written afterwards."""
        ...
