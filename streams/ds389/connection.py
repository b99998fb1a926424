"""Joins the lines of one connection of 389 Directory Server: peer, name of the bind, who is bound.

They are kept in `StateStore` under host and connection number; names of binds by operation. A line writes only what it
says itself and what it read there.
"""

from typing import Any

from streams.base import StateStore
from streams.common.text import extra, first_rdn, is_ip, put
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
        self._key = f"ds389|{event.get('host_hostname', '')}|{number}"
        self._state: dict[str, Any] = joins.get(self._key) or {}
        self.operation = operation

    def opened(self, address: str, own: str) -> None:
        """A new connection: whatever was known by its number is of an older one."""
        given = (("ip", address), ("own", own))
        self._put({name: value for name, value in given if is_ip(value)})

    def binds(self, dn: str, anonymous: bool) -> None:
        """A BIND began."""
        binds = {**self._binds(), self.operation: [dn[:_LONGEST_NAME], anonymous]}
        while len(binds) > _MOST_BINDS:
            del binds[next(iter(binds))]
        self._put({**self._state, "binds": binds})

    def bind(self) -> tuple[str, bool] | None:
        """DN, and whether anonymous, of the BIND that this operation began; None when it was not seen."""
        found = self._binds().get(self.operation)
        return (found[0], found[1]) if found else None

    def _binds(self) -> dict[str, Any]:
        """Names by operation; earlier releases kept only the last."""
        last = self._state.get("bind")
        return self._state.get("binds") or ({last[0]: last[1:]} if last else {})

    def bound(self, dn: str) -> None:
        """A BIND has its result: what follows is done under this name, or by nobody when it is empty."""
        if dn != self._state.get("dn", ""):
            self._put({**self._state, "dn": dn[:_LONGEST_NAME]})

    def closed(self) -> None:
        """Nothing more comes."""
        self._joins.close(self._key)

    def peer(self, event: Event) -> None:
        """Set the addresses of both ends."""
        for column, name in (("source_ip", "ip"), ("destination_ip", "own")):
            if address := self._state.get(name):
                event[column] = address

    def describe(self, event: Event) -> None:
        """Set both ends and the bound user."""
        self.peer(event)
        if dn := self._state.get("dn"):
            name_user(dn, event)
            extra(event)["ds389.bound_dn"] = dn

    def _put(self, value: dict[str, Any]) -> None:
        self._state = value
        self._joins.put(self._key, value)


def name_user(dn: str, event: Event) -> None:
    """Set the user that a DN names: the value of its first part."""
    put(event, "user_name", first_rdn(dn)[1])
