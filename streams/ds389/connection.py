"""Joins the lines of one connection of 389 Directory Server: peer, name of the bind, who is bound."""

from streams.base import StateStore
from streams.common.ldap import LONGEST_NAME, ConnectionState, user_of
from streams.common.text import extra, is_ip, put
from topics.event import Event


class Connection(ConnectionState):
    """The connection that a line belongs to, as far as it is known."""

    __slots__ = ()

    def __init__(self, number: str, operation: str, event: Event, state: StateStore) -> None:
        super().__init__("ds389", number, operation, event, state)

    def open(self, address: str, own: str) -> None:
        """Begin a new connection, and forget what was known of an older one with the same number."""
        given = (("ip", address), ("own", own))
        self._put({name: value for name, value in given if is_ip(value)})

    def begin_bind(self, dn: str, anonymous: bool) -> None:
        """Keep what a BIND says, until its result comes."""
        self._add_bind([dn[:LONGEST_NAME], anonymous])

    def pending_bind(self) -> tuple[str, bool] | None:
        """DN, and whether anonymous, of the BIND that this operation began; None when it was not seen."""
        found = self._bind()
        return (found[0], found[1]) if found else None

    def end_bind(self, dn: str) -> None:
        """Keep the name that a BIND bound, "" for none: what follows is done under it."""
        if dn != self._state.get("dn", ""):
            self._put({**self._state, "dn": dn[:LONGEST_NAME]})

    def set_peer(self, event: Event) -> None:
        """Set the addresses of both ends."""
        for column, name in (("source_ip", "ip"), ("destination_ip", "own")):
            if address := self._state.get(name):
                event[column] = address

    def set_peer_and_user(self, event: Event) -> None:
        """Set both ends and the bound user."""
        self.set_peer(event)
        if dn := self._state.get("dn"):
            put(event, "user_name", user_of(dn))
            extra(event)["ds389.bound_dn"] = dn
