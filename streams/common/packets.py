"""Sets columns from the names and numbers that packet filters write: protocols, MAC addresses, durations, both ends.

It is shared by the streams of firewalls and DHCP servers. Nothing here raises on any text.
https://www.iana.org/assignments/protocol-numbers, https://www.elastic.co/docs/reference/ecs/ecs-network
"""

import re

from streams.common.text import extra, is_ip, number, port_number, set_endpoint
from topics.event import Event

NUMBERS = {
    "icmp": "1", "igmp": "2", "ipencap": "4", "tcp": "6", "egp": "8", "igp": "9", "udp": "17", "dccp": "33",
    "ipv6": "41", "ipv6-route": "43", "ipv6-frag": "44", "rsvp": "46", "gre": "47", "esp": "50", "ah": "51",
    "ipv6-icmp": "58", "ipv6-nonxt": "59", "ipv6-opts": "60", "eigrp": "88", "ospf": "89", "pim": "103",
    "vrrp": "112", "l2tp": "115", "sctp": "132", "udplite": "136",
}  # fmt: skip
"""IANA's numbers of the transport protocols by the names that `network.transport` has."""
_NAMES = {value: name for name, value in NUMBERS.items()}
_ALIASES = {"icmpv6": "ipv6-icmp", "icmp6": "ipv6-icmp", "ospfigp": "ospf", "ipip": "ipencap"}
SERVICES = {
    "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69,
    "http": 80, "www": 80, "pop3": 110, "sunrpc": 111, "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138,
    "netbios-ssn": 139, "imap4": 143, "snmp": 161, "snmptrap": 162, "ldap": 389, "https": 443, "isakmp": 500,
    "syslog": 514, "ldaps": 636, "sqlnet": 1521, "radius": 1645, "sip": 5060,
}  # fmt: skip
"""Ports by the names that devices write instead of them."""
_OCTETS = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5,19}")
_DOTTED = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_CLOCK = re.compile(r"(?:([0-9]{1,6})d\s?)?([0-9]{1,6})h?:([0-9]{1,2})m?:([0-9]{1,2})s?")


def set_transport(event: Event, protocol: str) -> None:
    """Set `network_transport` and IANA's number from a protocol's name, in any case, or its number."""
    name = protocol.lower()
    name = _ALIASES.get(name) or _NAMES.get(name) or name
    if name.isdigit():
        extra(event)["network.iana_number"] = name
    elif name and name != "ip":
        event["network_transport"] = name
        if iana := NUMBERS.get(name):
            extra(event)["network.iana_number"] = iana


def set_type(event: Event) -> None:
    """Set `network_type` from the address there is."""
    address = event.get("source_ip") or event.get("destination_ip")
    if address:
        event["network_type"] = "ipv6" if ":" in address else "ipv4"


def set_ends(event: Event, source: tuple[str, str], destination: tuple[str, str]) -> None:
    """Set both ends, each an address and a port or a service's name ("" for what is not there), and `network_type`."""
    set_end(event, "source", *source)
    set_end(event, "destination", *destination)
    set_type(event)


def set_end(event: Event, side: str, address: str, port: str) -> None:
    """Set one end, "source" or "destination": an address or name, a port or a service's name; "" sets nothing."""
    if is_ip(address):
        event[side + "_ip"] = address
    else:
        set_endpoint(event, side, address)
    if port and (value := port_number(port) or SERVICES.get(port.lower())):
        event[side + "_port"] = value


def relate(event: Event, kind: str, value: str) -> None:
    """Add to `related.ip`, `related.hosts` or `related.user` a value that is in no column."""
    values = extra(event).setdefault("related." + kind, [])
    if value not in values:
        values.append(value)


def mac(text: str) -> str:
    """A hardware address as ECS writes it, `00-00-5E-00-53-01`; "" for anything else."""
    if _OCTETS.fullmatch(text):
        return text.replace(":", "-").upper()
    if _DOTTED.fullmatch(text):
        digits = text.replace(".", "").upper()
        return "-".join(digits[at : at + 2] for at in range(0, 12, 2))
    return ""


def set_mac(event: Event, side: str, text: str) -> None:
    """Set `source.mac` or `destination.mac`, when `text` is one."""
    if address := mac(text):
        extra(event)[side + ".mac"] = address


def nanoseconds(clock: str) -> int | None:
    """The length of `1:02:03`, `1h:02m:03s` or `2d 1h:02m:03s`, else None."""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part) for part in found.groups("0"))
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000_000


def set_number(event: Event, name: str, text: str) -> None:
    """Set a field of `extra` to the number that a text is, or to the text when it is none (or begins with a zero)."""
    if text:
        value = None if text[0] == "0" and len(text) > 1 else number(text)
        extra(event)[name] = text if value is None else value
