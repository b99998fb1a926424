"""Parses messages of Kea's DHCP servers: `[LEVEL [logger/pid] ]DHCP4_LEASE_ALLOC [hwtype=1 MAC], ...: text`.

It reads kea-dhcp4, kea-dhcp6, kea-dhcp-ddns and kea-ctrl-agent, by syslog or as lines of a file, Kea 1.6 to 2.7. Every
message has an id of its own, which is its action. https://kea.readthedocs.io/en/latest/kea-messages.html

The client chooses its host name and ids; Kea prints hardware address and transaction left of its own text.
"""

import re

from streams.base import StateStore, Stream
from streams.common.leases import set_client, set_exchange
from streams.common.packets import set_end
from streams.common.text import extra
from streams.syslog.own_times import timed
from topics.event import Event

_MESSAGE = re.compile(
    r"(?:([A-Z]{4,5}) {1,2})?(?:\[(kea-[\w.-]{1,60})(?:/([0-9]{1,10})[0-9.]{0,40})?\] )?"
    r"((?:DHCP[46]|DHCP|ALLOC_ENGINE|HOSTS|DHCPSRV|HA|COMMAND|CTRL_AGENT|DHCP_DDNS)_[A-Z0-9_]{2,60})(?: (.{0,2048}))?",
    re.DOTALL,
)
_SNIFF = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} [A-Z]{4,5} {1,2}\[kea-")
_HARDWARE, _TRANSACTION = r"\[hwtype=[0-9]{1,5} ([0-9a-f:]{2,59})\]", r"(?:, tid=(0x[0-9a-f]{1,8}))?: "
_CLIENT = re.compile(rf"{_HARDWARE}(?:, cid=\[([0-9a-f:]{{0,400}}|no info)\])?{_TRANSACTION}")
_DUID = re.compile(rf"duid=\[([0-9a-f:]{{2,400}})\](?:, \[no hwaddr info\]|, {_HARDWARE})?{_TRANSACTION}")
_IP = r"([0-9A-Fa-f.:]{2,39})"
_LEASE = re.compile(rf"lease(?: for address)? {_IP} (?:has been|will be|and iaid)")
_KIND = r"(DHCP[A-Z]{2,20}|[A-Z_]{5,24}) \(type [0-9]{1,3}\)"
_PACKET = re.compile(rf"received {_KIND} from {_IP} to {_IP} on interface (\S{{1,64}})")
_SENT = re.compile(
    rf"trying to send packet {_KIND} from {_IP}:[0-9]{{1,5}} to {_IP}:[0-9]{{1,5}} on interface (\S{{1,64}})"
)
_ADDRESS = re.compile(rf"address {_IP}")
_SUCCESSES = ("_LEASE_ALLOC", "_LEASE_RENEW", "_LEASE_REUSE", "_RELEASE")
_FAILURES = (
    "_FAIL",
    "_FAILED",
    "_NAK",
    "_DECLINE",
    "_ERROR",
    "_CONFLICT",
    "_INVALID",
    "_DISCARD",
    "_NO_LEASE",
    "_DROP",
)
_LEVELS = {"INFO": "info", "WARN": "warning", "ERROR": "error", "FATAL": "fatal", "DEBUG": "debug"}
_LONGEST = 4096


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for a message without an id of Kea's."""
    return _parse(message, event, state) or timed(_parse, message, event, state)


def sniff(text: str) -> bool:
    """Whether a line without a header begins as one of its files."""
    return _SNIFF.match(text) is not None


def _parse(message: str, event: Event, state: StateStore) -> bool:
    found = _MESSAGE.fullmatch(message) if len(message) <= _LONGEST else None
    if found is None:
        return False
    level, logger, pid, identity, text = found.groups()
    if logger:
        event.setdefault("process_name", logger.partition(".")[0])
    if pid:
        event.setdefault("process_pid", int(pid))
    set_exchange(event, identity.lower(), failed=_ends_with(identity, _FAILURES))
    if _ends_with(identity, _SUCCESSES) and "event_outcome" not in event:
        event["event_outcome"] = "success"
    _set_text(text or "", event)
    if identity.startswith("DHCP6"):
        event["network_protocol"] = "dhcpv6"
    for name, value in (("log.level", _LEVELS.get(level or "")), ("log.logger", logger)):
        if value:
            extra(event)[name] = value
    return True


def _ends_with(identity: str, words: tuple[str, ...]) -> bool:
    return any(word in identity for word in words)


def _set_text(text: str, event: Event) -> None:
    client = _CLIENT.match(text) or _DUID.match(text)
    rest = text[client.end() :] if client else text
    hardware = client[1 if client.re is _CLIENT else 2] or "" if client else ""
    address = _LEASE.match(rest) or _ADDRESS.match(rest)
    set_client(event, address[1] if address else "", hardware)
    if client and client.re is _DUID:
        extra(event)["kea.duid"] = client[1]
    if client and client[3]:
        extra(event)["kea.transaction"] = client[3]
    if packet := _PACKET.match(rest):
        _set_packet(packet, ("source", "destination"), event)
    elif sent := _SENT.match(rest):
        _set_packet(sent, ("destination", "source"), event)
    if rest:
        extra(event)["event.reason"] = rest


def _set_packet(packet: re.Match[str], ends: tuple[str, str], event: Event) -> None:
    """Set both ends of a packet. The client stays the source, whoever sent it."""
    kind, sender, receiver, interface = packet.groups()
    set_end(event, ends[0], sender, "")
    set_end(event, ends[1], receiver, "")
    event["observer_ingress_interface_name"] = interface.rstrip(",.")
    extra(event)["kea.packet"] = kind


STREAM = Stream(
    name="kea", programs=("kea", "kea-dhcp4", "kea-dhcp6", "kea-dhcp-ddns", "kea-ctrl-agent"), parse=parse, sniff=sniff
)
