"""Parses packets that Linux's packet filter logged.

It reads what the targets LOG of iptables and ip6tables and `log` of nftables write by the kernel (also ufw, firewalld,
Shorewall, Ubiquiti), and ulogd's LOGEMU: `[uptime] PREFIX IN=eth0 OUT= MAC=... SRC=... DST=... PROTO=TCP SPT=... ...`.
A packet has no outcome in ECS's sense: what the rule did is `event.type` and `event.action`. Sources: Linux
net/netfilter/nf_log_syslog.c, `man iptables-extensions`. https://wiki.nftables.org/

The sender of a packet chooses its numbers only. The packet that an ICMP error quotes stands in brackets; its addresses
are not those of the event.
"""

import re

from streams.base import StateStore, Stream
from streams.common.packets import set_mac, set_number, set_transport, set_type
from streams.common.text import extra, is_ip, port_number
from streams.netfilter.prefix import columns_of
from topics.event import Event

_UPTIME = re.compile(r"\[ *([0-9]{1,12}\.[0-9]{1,9})\] ?")
_HEADER = re.compile(r"<[0-9]|[A-Z][a-z]{2} {1,2}[0-9]|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,10} <")
"""The beginning of a syslog header: no prefix begins so."""
_INTERFACES = {"IN": "observer_ingress_interface_name", "OUT": "observer_egress_interface_name"}
_ADDRESSES = {"SRC": "source_ip", "DST": "destination_ip", "IPSRC": "source_ip", "IPDST": "destination_ip"}
_PORTS = {"SPT": "source_port", "DPT": "destination_port"}
_MACS = {"MACSRC": "source", "MACDST": "destination"}
_HEADER_DIGITS = 41
"""Length of `dst:src:type`, the Ethernet header that MAC shows: 14 bytes in hex with colons."""
_LONGEST_PREFIX = 200
_LONGEST = 4096


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one logged packet; False for the kernel's other messages."""
    start = _start(message)
    if start < 0:
        return False
    prefix = message[:start]
    if found := _UPTIME.match(prefix):
        prefix = prefix[found.end() :]
    columns, rule = columns_of(prefix)
    event.update(columns)
    if rule:
        extra(event)["rule.id"] = rule
    if found:
        extra(event)["netfilter.uptime"] = found[1]
    _set_packet(message[start:], event)
    return True


def sniff(text: str) -> bool:
    """Whether a line is a logged packet with only its prefix before it."""
    return _start(text) >= 0 and _HEADER.match(text) is None


def _start(message: str) -> int:
    """Where the packet begins after the prefix, -1 when there is none."""
    out = message.find(" OUT=", 0, _LONGEST_PREFIX)
    start = message.rfind("IN=", 0, out) if out > 0 else -1
    return start if start >= 0 and " " not in message[start:out] else -1


def _set_packet(text: str, event: Event) -> None:
    before, bracket, rest = text.partition(" [")
    quoted, _, after = rest.rpartition("]") if bracket else ("", "", "")
    words = before.split()
    if after:
        words += after.split()
    flags = [word for word in words if not _set_word(word, event)]
    if flags:
        extra(event)["netfilter.flags"] = flags
    if quoted:
        extra(event)["netfilter.quoted_packet"] = quoted.strip()
    _set_direction(event)
    set_type(event)


def _set_word(word: str, event: Event) -> bool:
    """Set one `KEY=value`; False for a flag."""
    key, equals, value = word.partition("=")
    if not equals:
        return False
    if not value:
        return True
    if key in _ADDRESSES:
        if is_ip(value):
            event[_ADDRESSES[key]] = value
    elif key in _PORTS:
        if port := port_number(value):
            event[_PORTS[key]] = port
    elif key in _INTERFACES:
        event[_INTERFACES[key]] = value
    elif key == "PROTO":
        set_transport(event, value)
    else:
        _set_other(key, value, event)
    return True


def _set_other(key: str, value: str, event: Event) -> None:
    if key in _MACS:
        set_mac(event, _MACS[key], value)
    elif key == "MAC":
        _set_ethernet(value, event)
    elif key == "UID":
        event["user_id"] = value
    elif key == "GID":
        extra(event)["user.group.id"] = value
    elif key.isalnum() and len(key) <= 16:
        name = "netfilter." + key.lower()
        fields = extra(event)
        set_number(event, name if name not in fields else name + "_inner", value)


def _set_ethernet(value: str, event: Event) -> None:
    if len(value) == _HEADER_DIGITS:
        set_mac(event, "destination", value[:17])
        set_mac(event, "source", value[18:35])
    else:
        extra(event)["netfilter.mac"] = value


def _set_direction(event: Event) -> None:
    """Set the direction as the host sees it: ingress, egress, or none for a packet that it forwards."""
    came, went = "observer_ingress_interface_name" in event, "observer_egress_interface_name" in event
    if came != went:
        event["network_direction"] = "ingress" if came else "egress"


STREAM = Stream(
    name="netfilter",
    programs=("kernel", "ulogd", "iptables", "nftables", "ufw"),
    parse=parse,
    sniff=sniff,
    longest=_LONGEST,
)
