"""Parses lines of one program as the whole pipeline would, and checks the events."""

from stream_checks import check_event

from streams.base import MemoryState, StateStore
from streams.dispatch import Dispatcher
from topics.event import Event

RECEIVED = 1_795_521_600_000_000
_DISPATCHER = Dispatcher()


def event_of(program: str, message: str, state: StateStore | None = None) -> Event:
    """The event of a message of a program on the host h."""
    line = f"Nov 24 04:05:06 h {program}[1]: {message}".encode("utf-8", "surrogateescape")
    event = _DISPATCHER.parse(line, RECEIVED, state or MemoryState())
    check_event(event)
    return event


def attempt_of(program: str, message: str, state: StateStore | None = None) -> tuple[int, str]:
    """How many attempts a message stands for, and their outcome."""
    event = event_of(program, message, state)
    return event.get("ogrewatch_attempt", 0), event.get("event_outcome", "")
