"""Parses tcpdump's text of a packet on a pflog interface.

`[TIME] rule 12[.ANCHOR.3]/(match) [uid 0, pid 1] block in on em0: 203.0.113.66.51234 > 192.0.2.10.22: S ...` as OpenBSD
prints it, and `rule 12/0(match): block in on em0: (tos ...) IP 203.0.113.66.51234 > 192.0.2.10.22: Flags [S], ...` as
FreeBSD does. Everything that is read stands left of the packet's contents. https://man.openbsd.org/pflogd,
https://www.tcpdump.org/manpages/tcpdump.1.html
"""

import re

from streams.common.packets import set_ends, set_transport
from streams.common.text import extra, is_ip
from streams.pf.verdicts import ACTIONS, DIRECTIONS, INTERFACES
from topics.event import Event

_RULE = re.compile(
    r"(?:[^ ]{1,32} ){0,4}rule ([^ /]{1,64})/(?:[0-9]{1,10})?\(([^)]{1,32})\):? (?:\[([^\]]{1,128})\] )?"
    r"([a-z]{2,16}) (in|out) on ([^ :]{1,32}): "
)
_ENDS = re.compile(r"([0-9A-Fa-f:.]{2,64}) > ([0-9A-Fa-f:.]{2,63}[0-9A-Fa-f])(?:: |$)")
_NOTES = r"(?:\([^()]{0,255}(?:\([0-9]{1,3}\)[^()]{0,255})?\) )?"
_HEADER = re.compile(rf"{_NOTES}(?:IP6? )?{_NOTES}")
_PROTOCOL = re.compile(r"proto:? ([A-Za-z0-9-]{2,16})")
_TCP = re.compile(r"(?:Flags \[|[SFRPWE.]{1,6}(?: |$))")
_KINDS = (
    ("tcp", "tcp"),
    ("udp", "udp"),
    ("icmp", "icmp"),
    ("esp", "esp"),
    ("gre", "gre"),
    ("carp", "carp"),
    ("igmp", "igmp"),
)


def parse(message: str, event: Event) -> bool:
    """Columns of one packet; False, and nothing set, for anything else."""
    rule = _RULE.match(message)
    if rule is None or rule[4] not in ACTIONS:
        return False
    packet = message[rule.end() :]
    header = _HEADER.match(packet)
    ends = _ENDS.match(packet, header.end() if header else 0)
    if ends is None:
        return False
    event.update(ACTIONS[rule[4]])
    _set_rule(rule, event)
    contents = packet[ends.end() :]
    source, destination = _split(ends[1]), _split(ends[2].rstrip(":"))
    set_ends(event, source, destination)
    _set_protocol(packet[: ends.start()], contents, bool(source[1]), event)
    if contents:
        extra(event)["pf.packet"] = contents
    return True


def _set_rule(rule: re.Match[str], event: Event) -> None:
    number, reason, owner, _, direction, interface = rule.groups()
    event["network_direction"] = DIRECTIONS[direction]
    event[INTERFACES[direction]] = interface
    extra(event).update({"rule.id": number, "event.reason": reason})
    if owner:
        extra(event)["pf.owner"] = owner


def _split(end: str) -> tuple[str, str]:
    """Split `192.0.2.10.22` or `2001:db8::1.22` into address and port; an address alone has no port."""
    if is_ip(end):
        return end, ""
    address, _, port = end.rpartition(".")
    return address, port


def _set_protocol(header: str, contents: str, has_ports: bool, event: Event) -> None:
    named = _PROTOCOL.search(header)
    if named:
        set_transport(event, named[1])
        return
    text = contents.lower().lstrip("[|]")
    kind = next((name for word, name in _KINDS if text.startswith(word)), "")
    if not kind and has_ports:
        kind = "tcp" if _TCP.match(contents) else "udp"
    if kind == "icmp" and event.get("network_type") == "ipv6":
        kind = "ipv6-icmp"
    set_transport(event, kind)
