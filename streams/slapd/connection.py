"""Joins the lines of one connection of slapd: its peer (ACCEPT), the name of a BIND, and who is bound (RESULT)."""

from typing import Any

from streams.base import StateStore
from streams.common.ldap import LONGEST_NAME, ConnectionState
from streams.common.text import extra, is_ip, port_number, set_ip
from topics.event import Event


class Connection(ConnectionState):
    """What is known of the connection that a line belongs to."""

    __slots__ = ()

    def __init__(self, number: str, operation: str, event: Event, state: StateStore) -> None:
        super().__init__("slapd", number, operation, event, state)

    def open(self, address: str, port: str) -> None:
        """Store the peer of a new connection; what was known under this number belonged to an older one."""
        value: dict[str, Any] = {"ip": address} if is_ip(address) else {}
        if found := port_number(port):
            value["port"] = found
        self._put(value)

    def begin_bind(self, dn: str, user: str, anonymous: bool) -> None:
        """Store the name of a BIND that began, or whose name became known."""
        self._add_bind([dn[:LONGEST_NAME], user[:LONGEST_NAME], anonymous])

    def pending_bind(self) -> tuple[str, str, bool] | None:
        """DN, user and whether it is anonymous, of this operation's BIND; None when it was not seen."""
        found = self._bind()
        return (found[0], found[1], found[2]) if found else None

    def end_bind(self, dn: str, user: str) -> None:
        """Store who does what follows: the user whose BIND succeeded, or "" for nobody."""
        if user != self._state.get("user", ""):
            self._put({**self._state, "dn": dn[:LONGEST_NAME], "user": user[:LONGEST_NAME]})

    def set_peer(self, event: Event) -> None:
        """Set the address and port of the other end."""
        if address := self._state.get("ip"):
            set_ip(event, "source", address)
        if port := self._state.get("port"):
            event["source_port"] = port

    def set_peer_and_user(self, event: Event) -> None:
        """Set the other end and the bound user."""
        self.set_peer(event)
        if user := self._state.get("user"):
            event["user_name"] = user
            extra(event)["slapd.bound_dn"] = self._state["dn"]
