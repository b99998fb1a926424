"""Holds what the streams of LDAP servers share: columns of operations, result codes, and the state of a connection.

Result codes and tags are those of RFC 4511, as decimal text: https://www.rfc-editor.org/rfc/rfc4511#appendix-A.1
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from streams.base import StateStore
from streams.common.text import extra, first_rdn, put
from topics.event import Event

SERVICE: Event = {"ogrewatch_service": "ldap"}
BIND: Event = {**SERVICE, "event_category": ["authentication"], "event_type": ["start"], "event_action": "ldap_bind"}
BIND_STEP: Event = {**BIND, "event_type": ["info"], "event_outcome": "unknown"}
OPENED: Event = {
    **SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "start"],
    "event_action": "ldap_connection_opened",
}
CLOSED: Event = {**OPENED, "event_type": ["connection", "end"], "event_action": "ldap_connection_closed"}
SECURED: Event = {**OPENED, "event_type": ["connection", "info"], "event_action": "ldap_tls"}
ACCESS: Event = {**SERVICE, "event_category": ["database"], "event_type": ["access"]}
CHANGE: Event = {**SERVICE, "event_category": ["database"], "event_type": ["change"]}
INFO: Event = {**SERVICE, "event_category": ["database"], "event_type": ["info"]}

BIND_RESPONSE = "97"
"""The tag of the answer to a BIND."""
SIMPLE = "128"
"""The method of a BIND with a password or without; the others are SASL's."""
SUCCESS = "0"
_SASL_BIND_IN_PROGRESS = "14"
_NO_ERRORS = frozenset((SUCCESS, "5", "6"))
"""Codes that are answers rather than errors: success, compareFalse, compareTrue."""

LONGEST_NAME = 500
"""Characters of a name that the state keeps: clients choose names, and a value of the state must stay small."""
_MOST_BINDS = 3
"""Binds of a connection whose names are kept; a server answers one before it begins the next."""


def set_result(event: Event, code: str) -> None:
    """Set the columns of an operation's result, other than a BIND's."""
    event.update(ACCESS, event_action="ldap_result", event_outcome="success" if code in _NO_ERRORS else "failure")


def set_bind_result(event: Event, code: str, anonymous: bool) -> bool:
    """Set the columns of a BIND's result. False when `code` asks for another step, so that there is no verdict yet."""
    if code == _SASL_BIND_IN_PROGRESS:
        event.update(BIND_STEP)
        return False
    event.update(BIND, event_outcome="success" if code == SUCCESS else "failure")
    if not anonymous:
        event["ogrewatch_attempt"] = 1
    return True


def user_of(dn: str) -> str:
    """The user that a DN names: the value of its first part, or the whole when it is no DN."""
    return first_rdn(dn)[1]


class ConnectionState(ABC):
    """The state of the connection that a line belongs to, in `StateStore` under stream, host and connection number.

    A line writes only what it says itself and what it read here.
    """

    __slots__ = ("_key", "_state", "_store", "_stream", "operation")

    def __init__(self, stream: str, number: str, operation: str, event: Event, state: StateStore) -> None:
        self._stream = stream
        self._store = state
        self._key = f"{stream}|{event.get('host_hostname', '')}|{number}"
        self._state: dict[str, Any] = state.get(self._key) or {}
        self.operation = operation

    @abstractmethod
    def set_peer_and_user(self, event: Event) -> None:
        """Set the other end and the bound user."""

    def close(self) -> None:
        """Forget the connection: no line of it follows."""
        self._store.close(self._key)

    def set_name(self, event: Event, dn: str, user: str) -> None:
        """Set the user and the DN that a line names, where it names one."""
        put(event, "user_name", user)
        if dn:
            extra(event)[f"{self._stream}.dn"] = dn

    def _add_bind(self, value: list[Any]) -> None:
        """Keep what the BIND of this operation says, and that of the last few before it."""
        binds = {**self._binds(), self.operation: value}
        while len(binds) > _MOST_BINDS:
            del binds[next(iter(binds))]
        self._put({**self._state, "binds": binds})

    def _bind(self) -> list[Any] | None:
        """What the BIND of this operation said; None when it was not seen."""
        found: list[Any] | None = self._binds().get(self.operation)
        return found

    def _binds(self) -> dict[str, Any]:
        """Binds by operation; earlier releases kept only the last."""
        last = self._state.get("bind")
        return self._state.get("binds") or ({last[0]: last[1:]} if last else {})

    def _put(self, value: dict[str, Any]) -> None:
        self._state = value
        self._store.put(self._key, value)


def request_handler(stream: str, columns: Event, action: str) -> Callable[[str, Event, ConnectionState], bool]:
    """Return a handler of lines that say nothing more of an operation than its name and a detail."""

    def handle(rest: str, event: Event, connection: ConnectionState) -> bool:
        event.update(columns, event_action=action)
        connection.set_peer_and_user(event)
        if rest:
            extra(event)[f"{stream}.detail"] = rest
        return True

    return handle
