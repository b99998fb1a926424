"""Parses the comma-separated values of filterlog.

The format is
`RULE,SUB,ANCHOR,TRACKER,INTERFACE,REASON,ACTION,DIRECTION,4,TOS,ECN,TTL,ID,OFFSET,FLAGS,PROTO-ID,PROTO,LENGTH,SRC,DST`
or `...,6,CLASS,FLOW,HOPS,PROTO,PROTO-ID,LENGTH,SRC,DST`, then what the protocol has. Only filterlog writes commas.
https://docs.netgate.com/pfsense/en/latest/monitoring/raw-filter-log-format.html
"""

from streams.common.packets import set_ends, set_number, set_transport
from streams.common.text import extra, is_ip
from streams.pf.verdicts import ACTIONS, DIRECTIONS, INTERFACES
from topics.event import Event

_COMMON = 9
_VERSION_4 = ("tos", "ecn", "ttl", "id", "offset", "flags", "", "", "length", "", "")
_VERSION_6 = ("class", "flow_label", "hop_limit", "", "", "length", "", "")
_PROTOCOLS: dict[str, tuple[str, ...]] = {
    "tcp": ("", "", "data_length", "tcp_flags", "sequence", "ack", "window", "urgent", "options"),
    "udp": ("", "", "data_length"),
    "carp": ("carp_type", "carp_ttl", "vhid", "carp_version", "advbase", "advskew"),
}
_ECHO = ("icmp_type", "icmp_id", "sequence")
_ICMP: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("request", "reply", "tstamp"), _ECHO),
    "tstampreply": (*_ECHO, "otime", "rtime", "ttime"),
    "unreachproto": ("icmp_type", "unreachable_ip", "unreachable_protocol"),
    "unreachport": ("icmp_type", "unreachable_ip", "unreachable_protocol", "unreachable_port"),
    "needfrag": ("icmp_type", "unreachable_ip", "mtu"),
}
_ICMP_OTHER = ("icmp_type", "description")
_MOST_FIELDS = 64


def parse(message: str, event: Event) -> bool:
    """Columns of one line of filterlog; False, and nothing set, for anything else."""
    fields = message.rstrip(" ").split(",", _MOST_FIELDS)
    if len(fields) < _COMMON or fields[8] not in ("4", "6") or fields[6] not in ACTIONS:
        return False
    names = _VERSION_4 if fields[8] == "4" else _VERSION_6
    ends = _COMMON + len(names)
    if len(fields) < ends or not is_ip(fields[ends - 2]) or not is_ip(fields[ends - 1]):
        return False
    event.update(ACTIONS[fields[6]])
    _set_rule(fields, event)
    _set_header(names, fields, event)
    _set_protocol(fields[ends - 2], fields[ends - 1], fields[ends:], event)
    return True


def _set_rule(fields: list[str], event: Event) -> None:
    rule, sub, anchor, tracker, interface, reason, _, direction = fields[:8]
    if direction in DIRECTIONS:
        event["network_direction"] = DIRECTIONS[direction]
    if interface:
        event[INTERFACES.get(direction, "observer_ingress_interface_name")] = interface
    named = (("rule.id", tracker if tracker not in ("", "0") else rule), ("event.reason", reason), ("pf.rule", rule))
    for name, value in (*named, ("pf.subrule", sub), ("pf.anchor", anchor)):
        if value:
            extra(event)[name] = value


def _set_header(names: tuple[str, ...], fields: list[str], event: Event) -> None:
    for name, value in zip(names, fields[_COMMON:], strict=False):
        if name:
            set_number(event, "pf." + name, value)
    number, protocol = (fields[15], fields[16]) if fields[8] == "4" else (fields[13], fields[12])
    if number.isdigit():
        extra(event)["network.iana_number"] = number
    set_transport(event, protocol)


def _set_protocol(source: str, destination: str, rest: list[str], event: Event) -> None:
    protocol = event.get("network_transport", "")
    ports = rest[:2] if protocol in ("tcp", "udp") and len(rest) > 1 else ["", ""]
    set_ends(event, (source, ports[0]), (destination, ports[1]))
    names = _PROTOCOLS.get(protocol)
    if names is None:
        names = _ICMP.get(rest[0], _ICMP_OTHER) if protocol in ("icmp", "ipv6-icmp") and rest else ()
    for name, value in zip(names, rest, strict=False):
        if name:
            set_number(event, "pf." + name, value)
    if more := ",".join(rest[len(names) :]):
        extra(event)["pf.more"] = more
