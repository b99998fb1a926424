"""Parses messages of OpenVPN's server: peers, certificates and passwords checked, addresses given.

It reads `203.0.113.5:1194 MESSAGE` and `alice/203.0.113.5:1194 MESSAGE` by syslog, or in its own file after `2026-11-24
05:00:00` or `Tue Nov 24 05:00:00 2026`; OpenVPN 2.2 to 2.6. Lines of one peer share who it is, and that its password
was wrong, through the `StateStore`. `streams/ATTEMPTS.md` says which lines are attempts. Sources: OpenVPN
src/openvpn/{multi,ssl,ssl_verify,forward,push}.c, plugins/auth-pam. https://openvpn.net/community-docs/

The client chooses user name and peer information. The prefix is the server's own: a name in it is one that it has
verified, and an address at the very beginning has precedence over any in a name.
"""

import re
from typing import Any

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import extra, is_ip, put, set_endpoint
from streams.openvpn.messages import MESSAGES, SERVICE
from streams.syslog.own_times import timed
from streams.syslog.timestamps import MICROSECOND
from topics.event import Event

_OWN_FILE = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}|[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4})"
    r" (?:us=[0-9]{1,6} )?(?:[^ /]{1,64}/)?"
    r"(?:(?:\[AF_INET6?\])?[0-9A-Fa-f.]{3,45}:[0-9]{1,5} |OpenVPN [0-9]|TLS Error: |MULTI: |AUTH-PAM: |PLUGIN_CALL: )"
)
_MICROSECONDS = re.compile(r"us=[0-9]{1,6} ")
_END = r"(?:(?:tcp|udp)[46]?(?:-server)?:)?(?:\[AF_INET6?\])?(\[?[0-9A-Fa-f.:]{2,45}\]?):([0-9]{1,5}) (?=\S)"
_PEER = re.compile(rf"(?:()|([^/':\s][^/':]{{0,63}})/){_END}")
_NAMED = re.compile(r"\[(.*)\] ((?:Peer Connection Initiated with|Inactivity timeout) .*)", re.DOTALL)
_HANDSHAKE = 10 * MICROSECOND
"""Microseconds that lines of one handshake may be apart: a refused client waits five seconds for its answer."""


def sniff(text: str) -> bool:
    """Whether a line is of OpenVPN's own file."""
    return _OWN_FILE.match(text) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of OpenVPN; False when it says nothing about a peer or the server's life."""
    if not sniff(message):
        return _message(message, event, state)
    if not timed(_message, message, event, state):
        return False
    event.setdefault("process_name", "openvpn")
    return True


def _message(message: str, event: Event, state: StateStore) -> bool:
    if message.startswith("us=") and (micros := _MICROSECONDS.match(message)):
        message = message[micros.end() :]
    peer = _PEER.match(message)
    text = message[peer.end() :] if peer else message
    named = _NAMED.fullmatch(text) if text.startswith("[") else None
    if text.startswith("pam_") and pam_lines.parse(text, event, "vpn_login"):
        event.update(SERVICE)
        return True
    if not MESSAGES.parse(named[2] if named else text, event):
        return False
    inner = event.get("extra", {}).get("openvpn.inner_address", "")
    if is_ip(inner):
        extra(event)["related.ip"] = [inner]
    if named and named[1]:
        extra(event)["openvpn.common_name"] = named[1]
    if peer:
        _of_peer(peer[2] or (named[1] if named else ""), peer[3], peer[4], event, state)
    elif event["event_action"] == "vpn_login" and event["event_outcome"] == "success":
        del event["ogrewatch_attempt"]  # this side is the client
    return True


def _of_peer(name: str, address: str, port: str, event: Event, state: StateStore) -> None:
    key = f"openvpn|{event.get('host_hostname', '')}|{address}|{port}"
    address = address.strip("[]")
    set_endpoint(event, "source", address, port)
    if name:
        extra(event)["openvpn.common_name"] = name
    known = _just_now(state.get(key), event)
    user = event.get("user_name") or known.get("user", "") or name
    put(event, "user_name", user)
    _remember(key, user, known, event, state)


def _just_now(known: dict[str, Any] | None, event: Event) -> dict[str, Any]:
    """What earlier lines of the same handshake said; {} for another handshake from the same port."""
    return known if known and 0 <= event["timestamp"] - known["at"] <= _HANDSHAKE else {}


def _remember(key: str, user: str, known: dict[str, Any], event: Event, state: StateStore) -> None:
    """Keep a verdict for later lines: after a refusal, `Peer Connection Initiated` is no success."""
    action, outcome = event["event_action"], event.get("event_outcome")
    if action == "vpn_password" or (action == "vpn_login" and outcome == "failure"):
        state.put(key, {"user": user, "outcome": outcome, "at": event["timestamp"]})
    elif action == "vpn_login" and known.get("outcome") == "failure":
        del event["ogrewatch_attempt"]
        event["event_outcome"] = "failure"


STREAM = Stream(
    name="openvpn",
    programs=("openvpn", "ovpn-server", "openvpn-server", "openvpnas", "ovpn", "openvpn(server)"),
    parse=parse,
    sniff=sniff,
)
