"""Remembers which mail was the first of an SMTP session, so that a login is counted once.

A session is kept in the `StateStore` under host and process, because a process serves one client at a time. A later
mail of the session counts no login.
"""

from streams.base import StateStore
from topics.event import Event


class Session:
    """The session of a process. A line stores only its own queue id, or that a client connected."""

    __slots__ = ("_queue_id", "_store")

    def __init__(self, queue_id: str, state: StateStore) -> None:
        self._store = state
        self._queue_id = queue_id

    def start(self, event: Event) -> None:
        """Begin a new session."""
        if "process_pid" in event:
            self._store.put(_key(event), "")

    def is_first_mail(self, event: Event) -> bool:
        """Whether this mail is the first of its session; true again when the line is read again."""
        if "process_pid" not in event:
            return True
        known = self._store.get(_key(event))
        if known:
            return bool(known == self._queue_id)
        self._store.put(_key(event), self._queue_id)
        return True


def _key(event: Event) -> str:
    return f"postfix|{event.get('host_hostname', '')}|{event['process_pid']}"
