"""The session that a line of smtpd belongs to, so that a login counts once however many mails it hands in.

Kept in `StateStore` under host and process: one process serves one client at a time.
"""

from streams.base import StateStore
from topics.event import Event


class Session:
    """The client that a process serves. A line writes only its own queue id, or that a client connected."""

    __slots__ = ("_joins", "_queue_id")

    def __init__(self, queue_id: str, joins: StateStore) -> None:
        self._joins = joins
        self._queue_id = queue_id

    def connected(self, event: Event) -> None:
        """A new client."""
        if "process_pid" in event:
            self._joins.put(_key(event), "")

    def first(self, event: Event) -> bool:
        """Whether this is the first mail of a client that logged in; also when it is read again."""
        if "process_pid" not in event:
            return True
        known = self._joins.get(_key(event))
        if known:
            return bool(known == self._queue_id)
        self._joins.put(_key(event), self._queue_id)
        return True


def _key(event: Event) -> str:
    return f"postfix|{event.get('host_hostname', '')}|{event['process_pid']}"
