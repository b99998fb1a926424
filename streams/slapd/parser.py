"""Parses messages of OpenLDAP's slapd: connections, binds and their results, searches, changes.

It reads `conn=N fd=N ...` and `conn=N op=N ...` of `loglevel stats`, OpenLDAP 2.4 to 2.6, and the server's own
messages. The lines of a connection are joined: the RESULT of a BIND (tag=97) gets the name of its BIND and the address
of its ACCEPT, if those were seen. `streams/ATTEMPTS.md` says which lines are attempts. Sources: OpenLDAP
servers/slapd/{bind,connection,daemon,result,search,modify,add,delete,modrdn,compare,extended,saslauthz,passwd}.c.
https://www.rfc-editor.org/rfc/rfc4511
"""

import re
from collections.abc import Callable
from functools import partial

from streams.base import StateStore, Stream
from streams.common import ldap
from streams.common.text import extra, host_port, put, set_endpoint
from streams.slapd.connection import Connection
from streams.slapd.messages import unconnected
from streams.syslog.timestamps import set_instant
from topics.event import Event

_PASSWORD: Event = {
    **ldap.SERVICE,
    "event_category": ["iam"],
    "event_type": ["user", "change"],
    "event_action": "ldap_password_change",
}

_ACCEPT = re.compile(
    r"(?=.*\)\Z)from (?:IP=(\S+)|PATH=(.*?)) (?:\(PROXIED IP=[^()\s]*\) )?\((?:IP=(\S+)|PATH=.*)\)", re.DOTALL
)
_BIND_DN = re.compile(r'dn="(.*)" (?:method=([0-9]{1,5})|mech=([^\s"]++)([^"]*))', re.DOTALL)
_BIND_SASL = re.compile(r'(?>authcid="(.*)" authzid="(?=.))(.*)"', re.DOTALL)
_RESULT = re.compile(
    r"(?:tag=([0-9]{1,5})|oid=[0-9.]*) err=(-?[0-9]{1,10})"
    r"(?: (?:qtime|etime|duration|nentries)=[0-9.]+(?:ms|s)?){0,4}(?: text=(.*))?",
    re.DOTALL,
)
_SEARCH = re.compile(r'(?>base="(.*?)" scope=([0-9]) deref=([0-9]) filter=")(.*)"', re.DOTALL)
_DN = re.compile(r'(?:dn|id)="(.*?)"(?: (.*))?', re.DOTALL)
_DEBUG = re.compile(r"([0-9a-f]{8})(?:\.[0-9a-f]{5,8})?(?: 0x[0-9a-f]{4,16})? ")
_ANY = frozenset(("0.0.0.0", "::"))
_LONGEST_CONN = 30

_Handler = Callable[[str, Event, Connection], bool]


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of slapd; False when it is about neither a connection nor the server's start and stop."""
    parts = message.split(" ", 3)
    if len(parts) < 3 or not parts[0].startswith("conn="):
        return _unconnected(message, event, state)
    handler = _HANDLERS.get(parts[2])
    if handler is None or len(parts[0]) > _LONGEST_CONN or len(parts[1]) > _LONGEST_CONN:
        return False
    kind, _, count = parts[1].partition("=")
    connection = Connection(parts[0][5:], count if kind == "op" else "", event, state)
    if not handler(parts[3] if len(parts) == 4 else "", event, connection):
        return False
    fields = extra(event)
    fields["slapd.connection"] = parts[0][5:]
    if kind == "op":
        fields["slapd.operation"] = count
    return True


def _unconnected(message: str, event: Event, state: StateStore) -> bool:
    """Parse the server's own messages, and lines of `-d` or a logfile, which begin with a time and a thread in hex."""
    if (found := _DEBUG.match(message)) and message.startswith("conn=", found.end()):
        return _of_file(found[1], message[found.end() :], event, state)
    return unconnected(message, event)


def _of_file(seconds: str, message: str, event: Event, state: StateStore) -> bool:
    if not parse(message, event, state):
        return False
    event.setdefault("process_name", "slapd")
    if "host_hostname" not in event:  # otherwise syslog has the time
        set_instant(event, int(seconds, 16))
    return True


def _accept(rest: str, event: Event, connection: Connection) -> bool:
    found = _ACCEPT.fullmatch(rest)
    if found is None:
        return False
    event.update(ldap.OPENED)
    peer, path, own = found.groups()
    address, port = host_port(peer or "")
    connection.open(address, port)
    set_endpoint(event, "source", address, port)
    if own:
        _set_listener(own, event)
    if path is not None:
        extra(event)["slapd.socket"] = path
    return True


def _set_listener(own: str, event: Event) -> None:
    """Set the address and port that the client connected to; `0.0.0.0:389` names a port only."""
    address, port = host_port(own)
    set_endpoint(event, "destination", "" if address in _ANY else address, port)


def _bind(rest: str, event: Event, connection: Connection) -> bool:
    found = _BIND_DN.fullmatch(rest)
    if found is None:
        return _bind_otherwise(rest, event, connection)
    dn, method, mechanism, strength = found.groups()
    user = ldap.user_of(dn)
    event.update(ldap.BIND)
    connection.begin_bind(dn, user, not dn and (method == ldap.SIMPLE or mechanism == "SIMPLE"))
    connection.set_peer(event)
    connection.set_name(event, dn, user)
    fields = extra(event)
    fields["slapd.method"] = method or mechanism
    if strength:
        fields["slapd.strength"] = strength.strip(" ")
    return True


def _bind_otherwise(rest: str, event: Event, connection: Connection) -> bool:
    """Parse `authcid="alice" authzid="alice"` of SASL, and `anonymous mech=implicit`, which ends an earlier bind."""
    if found := _BIND_SASL.fullmatch(rest):
        event.update(ldap.BIND)
        user = found[1].partition("@")[0]
        connection.begin_bind("", user, anonymous=False)
        connection.set_peer(event)
        connection.set_name(event, "", user)
        extra(event).update({"slapd.authcid": found[1], "slapd.authzid": found[2]})
        return True
    if rest.startswith("anonymous "):
        event.update(ldap.BIND_STEP)
        connection.set_peer(event)
        return True
    return False


def _result(rest: str, event: Event, connection: Connection) -> bool:
    found = _RESULT.fullmatch(rest)
    if found is None:
        return False
    tag, code, text = found.groups()
    if tag == ldap.BIND_RESPONSE:
        _bind_result(code, event, connection)
    else:
        ldap.set_result(event, code)
        connection.set_peer_and_user(event)
    fields = extra(event)
    fields["slapd.result"] = int(code)
    if text:
        fields["slapd.text"] = text
    return True


def _bind_result(code: str, event: Event, connection: Connection) -> None:
    """Parse the verdict on a BIND. Without the BIND a refusal counts, but a success may have been anonymous."""
    bind = connection.pending_bind()
    dn, user, anonymous = bind or ("", "", code == ldap.SUCCESS)
    if ldap.set_bind_result(event, code, anonymous):
        connection.end_bind(*((dn, user) if code == ldap.SUCCESS else ("", "")))
    connection.set_peer(event)
    connection.set_name(event, dn, user)


def _search(rest: str, event: Event, connection: Connection) -> bool:
    """Parse `base="..." scope=2 deref=0 filter="..."`, or on a line of its own `attr=uid cn`."""
    event.update(ldap.ACCESS, event_action="ldap_search")
    connection.set_peer_and_user(event)
    fields = extra(event)
    if found := _SEARCH.fullmatch(rest):
        fields.update(zip(("slapd.base", "slapd.scope", "slapd.deref", "slapd.filter"), found.groups(), strict=True))
    elif rest.startswith("attr="):
        fields["slapd.attributes"] = rest[5:]
    else:
        fields["slapd.detail"] = rest
    return True


def _search_result(rest: str, event: Event, connection: Connection) -> bool:
    """Parse `SEARCH RESULT tag=101 err=0 nentries=1 text=`, of which the verb was taken off."""
    return rest.startswith("RESULT ") and _result(rest[7:], event, connection)


def _on_entry(columns: Event, action: str) -> _Handler:
    def handle(rest: str, event: Event, connection: Connection) -> bool:
        event.update(columns, event_action=action)
        connection.set_peer_and_user(event)
        if found := _DN.fullmatch(rest):
            extra(event)["slapd.target_dn"] = found[1]
            rest = found[2] or ""
        if rest:
            extra(event)["slapd.detail"] = rest
        return True

    return handle


def _password(rest: str, event: Event, connection: Connection) -> bool:
    event.update(_PASSWORD)
    connection.set_peer_and_user(event)
    if found := _DN.fullmatch(rest):
        put(event, "user_target_name", ldap.user_of(found[1]))
        extra(event)["slapd.target_dn"] = found[1]
    return True


def _closed(rest: str, event: Event, connection: Connection) -> bool:
    event.update(ldap.CLOSED)
    connection.set_peer_and_user(event)
    connection.close()
    if rest:
        extra(event)["slapd.reason"] = rest.strip("()")
    return True


def _disconnect(rest: str, event: Event, connection: Connection) -> bool:
    """Parse a notice of disconnection, which the server sends before it closes the connection."""
    event.update(ldap.CLOSED, event_outcome="failure")
    connection.set_peer_and_user(event)
    if found := _RESULT.fullmatch(rest):
        extra(event)["slapd.result"] = int(found[2])
    return True


def _refused(rest: str, event: Event, connection: Connection) -> bool:
    """Parse what a BIND lacks; its RESULT has the verdict."""
    event.update(ldap.BIND_STEP, event_outcome="failure")
    connection.set_peer(event)
    extra(event)["slapd.reason"] = rest
    return True


_plain = partial(ldap.request_handler, "slapd")
_HANDLERS: dict[str, _Handler] = {
    "do_bind:": _refused,
    "ACCEPT": _accept,
    "BIND": _bind,
    "RESULT": _result,
    "SRCH": _search,
    "SEARCH": _search_result,
    "ENTRY": _on_entry(ldap.ACCESS, "ldap_entry"),
    "CMP": _on_entry(ldap.ACCESS, "ldap_compare"),
    "MOD": _on_entry(ldap.CHANGE, "ldap_modify"),
    "ADD": _on_entry(ldap.CHANGE, "ldap_add"),
    "DEL": _on_entry(ldap.CHANGE, "ldap_delete"),
    "MODRDN": _on_entry(ldap.CHANGE, "ldap_rename"),
    "PASSMOD": _password,
    "EXT": _plain(ldap.INFO, "ldap_extended"),
    "WHOAMI": _plain(ldap.INFO, "ldap_whoami"),
    "ABANDON": _plain(ldap.INFO, "ldap_abandon"),
    "CANCEL": _plain(ldap.INFO, "ldap_cancel"),
    "PROXYAUTHZ": _plain(ldap.INFO, "ldap_proxy_authorization"),
    "UNBIND": _plain(ldap.CLOSED, "ldap_unbind"),
    "STARTTLS": _plain(ldap.SECURED, "ldap_starttls"),
    "TLS": _plain(ldap.SECURED, "ldap_tls"),
    "closed": _closed,
    "DISCONNECT": _disconnect,
}


def sniff(text: str) -> bool:
    """Whether a line without a header is one of `-d`, as containers write them."""
    found = _DEBUG.match(text)
    return found is not None and text.startswith("conn=", found.end())


STREAM = Stream(name="slapd", programs=("slapd",), parse=parse, sniff=sniff)
