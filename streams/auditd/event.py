"""Joins the records of one audit event: process, user and call (from SYSCALL), directory (from CWD).

They are kept in `StateStore` under host, time and serial number. A record writes only what it says itself and what it
read there.
"""

from typing import Any

from streams.base import StateStore
from streams.common.text import extra
from topics.event import Event

_SHARED = (
    *("process_name", "process_pid", "process_executable", "user_name", "user_id", "user_effective_name"),
    "event_outcome",
)
_SHARED_FIELDS = ("process.parent.pid", "auditd.syscall_name", "auditd.key", "auditd.auid", "auditd.auid_name")


class AuditEvent:
    """The event that a record belongs to, as far as it is known. Of one without a serial number nothing is known."""

    __slots__ = ("_key", "_state", "_store")

    def __init__(self, host: str, serial: str, state: StateStore) -> None:
        self._store = state
        self._key = f"auditd|{host}|{serial}" if serial else ""
        self._state: dict[str, Any] | None = None

    def begins(self, event: Event) -> None:
        """Keep what a SYSCALL record says, for the records that follow."""
        fields = extra(event)
        state = {column: event[column] for column in _SHARED if column in event}
        shared = {name: fields[name] for name in _SHARED_FIELDS if name in fields}
        self._put({"columns": state, "fields": shared})

    def describe(self, event: Event) -> None:
        """Set what the SYSCALL record said, where the record itself says nothing about it."""
        state = self._known()
        for column, value in state.get("columns", {}).items():
            event[column] = value
        if shared := state.get("fields"):
            fields = extra(event)
            for name, value in shared.items():
                fields.setdefault(name, value)

    def enters(self, directory: str) -> None:
        """Keep the directory that a CWD record names."""
        self._put({**self._known(), "directory": directory})

    @property
    def directory(self) -> str:
        """The directory of the process; "" when it is not known."""
        return str(self._known().get("directory", ""))

    @property
    def call(self) -> str:
        """The name of the system call; "" when it is not known."""
        return str(self._known().get("fields", {}).get("auditd.syscall_name", ""))

    def ends(self) -> None:
        """Forget the event: its last record was read."""
        if self._key:
            self._store.close(self._key)

    def _known(self) -> dict[str, Any]:
        if self._state is None:
            self._state = (self._store.get(self._key) if self._key else None) or {}
        return self._state

    def _put(self, state: dict[str, Any]) -> None:
        self._state = state
        if self._key:
            self._store.put(self._key, state)
