"""What the lines of one connection of slapd tell each other: the peer (ACCEPT), the name (BIND), who is bound (RESULT).

Kept in `StateStore` under host and connection number; names of binds by operation. A line writes only what it says
itself and what it read there.
"""

from typing import Any

from streams.base import StateStore
from streams.common.text import extra, first_rdn, is_ip, port_number, set_ip
from topics.event import Event

_LONGEST_NAME = 500
"""Characters of a name that are kept: the client chooses them, and there is not room for everything."""
_MOST_BINDS = 3
"""Binds of a connection whose names are kept; a server answers one before it begins the next."""


class Connection:
    """The connection that a line belongs to, as far as it is known."""

    __slots__ = ("_joins", "_key", "_state", "operation")

    def __init__(self, number: str, operation: str, event: Event, joins: StateStore) -> None:
        self._joins = joins
        self._key = f"slapd|{event.get('host_hostname', '')}|{number}"
        self._state: dict[str, Any] = joins.get(self._key) or {}
        self.operation = operation

    def accepted(self, address: str, port: str) -> None:
        """A new connection: whatever was known by its number is of an older one."""
        value: dict[str, Any] = {"ip": address} if is_ip(address) else {}
        if found := port_number(port):
            value["port"] = found
        self._put(value)

    def binds(self, dn: str, user: str, anonymous: bool) -> None:
        """A BIND began, or its name became known."""
        binds = {**self._binds(), self.operation: [dn[:_LONGEST_NAME], user[:_LONGEST_NAME], anonymous]}
        while len(binds) > _MOST_BINDS:
            del binds[next(iter(binds))]
        self._put({**self._state, "binds": binds})

    def bind(self) -> tuple[str, str, bool] | None:
        """DN, user and whether anonymous, of the BIND that this operation began; None when it was not seen."""
        found = self._binds().get(self.operation)
        return (found[0], found[1], found[2]) if found else None

    def _binds(self) -> dict[str, Any]:
        """Names by operation; earlier releases kept only the last."""
        last = self._state.get("bind")
        return self._state.get("binds") or ({last[0]: last[1:]} if last else {})

    def bound(self, dn: str, user: str) -> None:
        """A BIND has its result: what follows is done by this user, or by nobody when there is none."""
        if user != self._state.get("user", ""):
            self._put({**self._state, "dn": dn[:_LONGEST_NAME], "user": user[:_LONGEST_NAME]})

    def closed(self) -> None:
        """Nothing more comes."""
        self._joins.close(self._key)

    def peer(self, event: Event) -> None:
        """Set the address and port of the other end."""
        if address := self._state.get("ip"):
            set_ip(event, "source", address)
        if port := self._state.get("port"):
            event["source_port"] = port

    def describe(self, event: Event) -> None:
        """Set the other end and the bound user."""
        self.peer(event)
        if user := self._state.get("user"):
            event["user_name"] = user
            extra(event)["slapd.bound_dn"] = self._state["dn"]

    def _put(self, value: dict[str, Any]) -> None:
        self._state = value
        self._joins.put(self._key, value)


def user_of(dn: str) -> str:
    """The user that a DN names: the value of its first part, or the whole when it is no DN."""
    return first_rdn(dn)[1]
