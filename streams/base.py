"""Defines what a log stream is: a name, the programs it is asked about, and functions that set an event's columns.

Which lines count as attempts to log in (`ogrewatch_attempt`) is in `streams/ATTEMPTS.md`, for all streams.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from topics.event import Event


class StateStore(Protocol):
    """State that correlates lines, kept by whoever runs the parsers: it survives a restart, and lines are parsed again.

    Keys are the caller's, and should begin with stream and host. Values are JSON values, replaced whole; one of
    more than 64 KiB is not kept. A line finds what the lines before it left, also when it is parsed again and later
    ones have written since. So what a line writes must depend on that line alone, or on what it reads here.
    """

    def get(self, key: str) -> Any:
        """The value, or None."""

    def put(self, key: str, value: Any) -> None:
        """Keep `value` until it was not touched for a day."""

    def close(self, key: str) -> None:
        """Say that the value has done its work: later lines find none."""


Parse = Callable[[str, Event, StateStore], bool]
"""`parse(message, event, state)`: adds columns to `event`, which already holds the header's. `message` has no blanks at
its ends. True when it understood the message; False leaves `event` untouched. Must not raise on any text (what it
raises becomes a pipeline error).

The event owns its `extra`; lists such as `event_category` are shared constants and never changed in place. A stream of
logins sets `ogrewatch_service` on all of its events. It may set `event_dataset`, which is otherwise its name."""


ParseJson = Callable[[dict[str, Any], Event, StateStore], bool]
"""`parse_json(record, event, state)`: as `Parse`, for a record that is a JSON object. `event["message"]` is its text.

The record is the stream's own to take apart. Its values may be of any JSON type, whatever the source's manual says:
`streams.mapping.json_fields` sets columns of them safely, and keeps the rest."""


def no_text(message: str, event: Event, state: StateStore) -> bool:
    """The `parse` of a stream that reads JSON records only: understands no text."""
    return False


SHORTEST = 4096
"""Characters of a message that every stream's `parse` is given, so that most messages need no look at its `longest`."""
LONGEST = 16_384
"""Characters of a message that `Stream.parse` is given, unless the stream says otherwise. Twice what a syslog daemon
takes as it is set up (rsyslog 8 KiB), and above what the programs write that put a verdict behind a name the client
chose: their own buffers end a line earlier (sshd 1 KiB, vsftpd 4, Exim 8, auditd 9, OpenVPN 10). So what is cut off
holds no verdict; it is a statement, an argument, a path, and stays in `event.original`."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One log source. Its folder's `parser.py` defines it as `STREAM`."""

    name: str
    """The dataset of its events; usually its folder's name."""
    programs: tuple[str, ...] = ()
    """Syslog tags it is asked about. `postfix` is also asked about `postfix/smtpd`, `%ASA` about `%ASA-6-302013`."""
    parse: Parse = no_text
    longest: int = LONGEST
    """Characters of a message that `parse` is given; of a longer one the beginning. At least `SHORTEST`."""
    sniff: Callable[[str], bool] | None = None
    """For lines without a syslog header: says by their first bytes whether they are of this stream."""
    parse_json: ParseJson | None = None
    sniff_json: Callable[[dict[str, Any]], bool] | None = None
    """Says by a few keys of a JSON record whether `parse_json` is asked about it. Must not raise on any object."""


_GENERATION = 50_000
"""Values in a generation of `MemoryState`."""


class MemoryState:
    """A `StateStore` that lives as long as the process. It has the last 50,000 to 100,000 values written."""

    def __init__(self) -> None:
        self._new: dict[str, Any] = {}
        self._old: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        value = self._new.get(key)
        return self._old.get(key) if value is None else value

    def put(self, key: str, value: Any) -> None:
        if len(self._new) >= _GENERATION:
            self._old, self._new = self._new, {}
        self._new[key] = value

    def close(self, key: str) -> None:
        self._new.pop(key, None)
        self._old.pop(key, None)

    def at(self, offset: int, timestamp: int) -> None:
        """Do nothing: lines are parsed only once here."""
