"""What a log stream is: a name, the programs it understands, and a function from message to columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from topics.event import Event


class Joins(Protocol):
    """State that joins lines, kept by whoever runs the parsers: it survives a restart, and lines are parsed again.

    Keys are the caller's, and should begin with stream and host. Values are JSON values, replaced whole. What a line
    writes must depend on that line alone (or on what it reads here), so that a replay writes the same again.
    """

    def get(self, key: str) -> Any:
        """The value, or None."""

    def put(self, key: str, value: Any) -> None:
        """Keep `value` until it was not touched for a day."""

    def close(self, key: str) -> None:
        """Say that the value has done its work: it is forgotten some minutes from now, not at once."""


Parse = Callable[[str, Event, Joins], bool]
"""`parse(message, event, joins)`: adds columns to `event`, which already holds the header's. True when it understood
the message; False leaves `event` untouched. Must not raise on any text (what it raises becomes a pipeline error)."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One log source. Its folder's `parser.py` defines it as `STREAM`."""

    name: str
    programs: tuple[str, ...]
    parse: Parse
    sniff: Callable[[str], bool] | None = None
    """For lines without a syslog header: says by their first bytes whether they are of this stream."""


class MemoryJoins:
    """Joins that live as long as the process: for tests and the command line."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        self._values[key] = value

    def close(self, key: str) -> None:
        """Kept: a command's input is short."""
