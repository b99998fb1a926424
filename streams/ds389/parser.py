"""Parses lines of 389 Directory Server's access log: connections, binds and their results, operations.

It reads `[24/Nov/2026:05:00:00.123456789 +0000] conn=3 op=0 BIND dn="..." method=128 version=3`, 389-ds 1.2 to 3.0 and
Red Hat Directory Server, from its file or under the tag `ns-slapd`. RESULT carries the name of its BIND and the address
of its connection, where those were seen. `streams/ATTEMPTS.md` says which lines are attempts. Sources: 389-ds-base
ldap/servers/slapd/{bind,result,daemon,operation,search,modify,add,delete,modrdn,compare,extendop,unbind}.c.
https://docs.redhat.com/en/documentation/red_hat_directory_server/12/html/configuration_and_schema_reference/

The client chooses names and filters; the server escapes quotes in them, and writes verb and number left of them.
"""

import re
from collections.abc import Callable
from functools import partial

from streams.base import StateStore, Stream
from streams.common import ldap
from streams.common.text import extra, put, set_endpoint
from streams.ds389.connection import Connection
from streams.syslog.timestamps import clf
from topics.event import Event

_STAMP = re.compile(r"\[([0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8})(?:\.([0-9]{1,9}))? ([+-][0-9]{4})\] (?=conn=)")
_HEAD = re.compile(
    r"conn=([A-Za-z0-9()]{1,32}) (?:op=(-?[0-9()]{1,32}) )?(?:(?:fd|slot)=[0-9]{1,10} ){0,2}(.*)", re.DOTALL
)
_PEER = re.compile(r"(SSL |LDAPI )?connection from (\S{1,64})(?: to (\S{1,64}))?")
_BIND_DN = re.compile(r'dn="(.*?)"(?: method=(\S{1,32}))?(?: version=([0-9]))?(?: mech=(\S{1,64}))?(.*)', re.DOTALL)
_RESULT = re.compile(r"err=(-?[0-9]{1,10}) tag=([0-9]{1,5}) nentries=([0-9]{1,10})(.*)", re.DOTALL)
_RESULT_DN = re.compile(r' dn="(.*)"', re.DOTALL)
_SEARCH = re.compile(r'(?>base="(.*?)" scope=([0-9]) filter=")(.*?)"(?: attrs=(.*))?', re.DOTALL)
_ENTRY = re.compile(r'dn="(.*?)"(?:,? (.*))?', re.DOTALL)

_Handler = Callable[[str, Event, Connection], object]


def sniff(text: str) -> bool:
    """Whether a line is of the access log."""
    return text.startswith("[") and _STAMP.match(text) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one line of the access log; False when it is none."""
    stamp = _STAMP.match(message) if message.startswith("[") else None
    head = _HEAD.fullmatch(message, stamp.end() if stamp else 0)
    if head is None or not _operation(head, event, state):
        return False
    if stamp is not None:
        _set_time(stamp, event)
        event.setdefault("process_name", "ns-slapd")
    return True


def _set_time(stamp: re.Match[str], event: Event) -> None:
    when = clf(f"{stamp[1]} {stamp[3]}")
    if when is not None:
        event["timestamp"] = when + int((stamp[2] or "").ljust(6, "0")[:6])


def _operation(head: re.Match[str], event: Event, state: StateStore) -> bool:
    number, operation, rest = head.groups()
    verb, _, text = rest.partition(" ")
    handler = _HANDLERS.get(verb) or _handler_of(rest)
    if handler is None:
        return False
    handler(text if verb in _HANDLERS else rest, event, Connection(number, operation or "", event, state))
    fields = extra(event)
    fields["ds389.connection"] = number
    if operation:
        fields["ds389.operation"] = operation
    return True


def _handler_of(rest: str) -> _Handler | None:
    """The handler of a line that begins with no verb: connections, TLS, ends."""
    if _PEER.fullmatch(rest):
        return _opened
    if rest.startswith(("TLS", "SSL", "LDAPS")):
        return _secured
    return _closed if rest.startswith(("closed", "Disconnect")) else None


def _opened(rest: str, event: Event, connection: Connection) -> None:
    event.update(ldap.OPENED)
    if found := _PEER.fullmatch(rest):
        address, own = found[2], found[3] or ""
        connection.open(address, own)
        set_endpoint(event, "source", "" if address == "local" else address)
        set_endpoint(event, "destination", "" if own.startswith("/") else own)
        if found[1]:
            extra(event)["ds389.transport"] = found[1].strip(" ")


def _secured(rest: str, event: Event, connection: Connection) -> None:
    event.update(ldap.SECURED)
    connection.set_peer_and_user(event)
    extra(event)["ds389.tls"] = rest


def _bind(rest: str, event: Event, connection: Connection) -> None:
    event.update(ldap.BIND)
    connection.set_peer(event)
    found = _BIND_DN.fullmatch(rest)
    if found is None:
        extra(event)["ds389.detail"] = rest
        return
    dn, method, _, mechanism, _ = found.groups()
    connection.begin_bind(dn, not dn and method == ldap.SIMPLE)
    connection.set_name(event, dn, ldap.user_of(dn))
    fields = extra(event)
    fields["ds389.method"] = mechanism or method or "unknown"


def _result(rest: str, event: Event, connection: Connection) -> None:
    found = _RESULT.fullmatch(rest)
    if found is None:
        event.update(ldap.INFO, event_action="ldap_result")
        extra(event)["ds389.detail"] = rest
        return
    code, tag, entries, more = found.groups()
    if tag == ldap.BIND_RESPONSE:
        _bind_result(code, more, event, connection)
    else:
        ldap.set_result(event, code)
        connection.set_peer_and_user(event)
    fields = extra(event)
    fields["ds389.result"] = int(code)
    fields["ds389.entries"] = int(entries)
    if more.strip(" "):
        fields["ds389.detail"] = more.strip(" ")


def _bind_result(code: str, more: str, event: Event, connection: Connection) -> None:
    """Set the verdict on a BIND. Without the BIND, a refusal still is one; a success may have been anonymous."""
    bind = connection.pending_bind()
    named = _RESULT_DN.search(more)
    dn, anonymous = bind or ("", code == ldap.SUCCESS and not (named and named[1]))
    dn = (named[1] if named else "") or dn
    if ldap.set_bind_result(event, code, anonymous):
        connection.end_bind(dn if code == ldap.SUCCESS else "")
    connection.set_peer(event)
    connection.set_name(event, dn, ldap.user_of(dn))


def _search(rest: str, event: Event, connection: Connection) -> None:
    event.update(ldap.ACCESS, event_action="ldap_search")
    connection.set_peer_and_user(event)
    fields = extra(event)
    if found := _SEARCH.fullmatch(rest):
        names = ("ds389.base", "ds389.scope", "ds389.filter", "ds389.attributes")
        fields.update({name: value for name, value in zip(names, found.groups(), strict=True) if value})
    else:
        fields["ds389.detail"] = rest


def _on_entry(columns: Event, action: str) -> _Handler:
    def handle(rest: str, event: Event, connection: Connection) -> None:
        event.update(columns, event_action=action)
        connection.set_peer_and_user(event)
        found = _ENTRY.fullmatch(rest)
        if found:
            put(extra(event), "ds389.target_dn", found[1])
            rest = found[2] or ""
        if rest:
            extra(event)["ds389.detail"] = rest

    return handle


def _autobind(rest: str, event: Event, connection: Connection) -> None:
    """Set who is bound over a socket: the user of the process is bound: no password was asked for."""
    event.update(ldap.BIND_STEP, event_outcome="success")
    found = _ENTRY.fullmatch(rest)
    dn = found[1] if found else ""
    connection.end_bind(dn)
    connection.set_peer(event)
    connection.set_name(event, dn, ldap.user_of(dn))


def _closed(rest: str, event: Event, connection: Connection) -> None:
    event.update(ldap.CLOSED)
    connection.set_peer_and_user(event)
    connection.close()
    extra(event)["ds389.reason"] = rest


_plain = partial(ldap.request_handler, "ds389")
_HANDLERS: dict[str, _Handler] = {
    "BIND": _bind,
    "AUTOBIND": _autobind,
    "RESULT": _result,
    "SRCH": _search,
    "CMP": _on_entry(ldap.ACCESS, "ldap_compare"),
    "ENTRY": _on_entry(ldap.ACCESS, "ldap_entry"),
    "REFERRAL": _plain(ldap.INFO, "ldap_referral"),
    "MOD": _on_entry(ldap.CHANGE, "ldap_modify"),
    "ADD": _on_entry(ldap.CHANGE, "ldap_add"),
    "DEL": _on_entry(ldap.CHANGE, "ldap_delete"),
    "MODRDN": _on_entry(ldap.CHANGE, "ldap_rename"),
    "EXT": _plain(ldap.INFO, "ldap_extended"),
    "ABANDON": _plain(ldap.INFO, "ldap_abandon"),
    "SORT": _plain(ldap.INFO, "ldap_sort"),
    "VLV": _plain(ldap.INFO, "ldap_list"),
    "UNPROCESSED": _plain(ldap.INFO, "ldap_unprocessed"),
    "UNBIND": _plain(ldap.CLOSED, "ldap_unbind"),
}

STREAM = Stream(name="ds389", programs=("ns-slapd", "dirsrv"), parse=parse, sniff=sniff)
