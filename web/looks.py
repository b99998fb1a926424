"""Names what the web role shows and does not find out itself: whoever starts it gives it an object that does."""

from collections.abc import Iterable
from typing import Any, Protocol

Json = dict[str, Any]


class LookFailed(Exception):
    """A server does not answer. The text says which one and why, in a sentence."""


class Looks(Protocol):
    """Looks at the whole installation. Methods block, and raise `LookFailed`."""

    def ledger(self, since: int) -> Json:
        """The sums of what was received since a time in milliseconds; see `docs/ledger.md`."""
        ...

    def shapes(self, messages: Iterable[tuple[str, str]], limit: int) -> list[Json]:
        """The commonest shapes of messages (program, text), each with `count`, `program`, `shape` and `example`."""
        ...
