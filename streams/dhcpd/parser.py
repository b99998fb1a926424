"""Parses messages of ISC's DHCP server and client.

It reads dhcpd's exchanges of DHCP, BOOTP and DHCPv6, its errors about leases and name service, and dhclient's
exchanges, of ISC DHCP 4.x and its variants on the BSDs and pfSense. Sources: ISC dhcp server/dhcp.c, bootp.c, dhcpv6.c,
ddns.c. https://kb.isc.org/docs/isc-dhcp-44-manual-pages-dhcpd

The client chooses the host name in parentheses: the interface stands right of it, and the last one counts.
"""

import re

from streams.base import StateStore, Stream
from streams.common.leases import set_client, set_exchange
from streams.common.packets import relate, set_end
from streams.common.text import extra, is_ip
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_IP, _MAC, _VIA = r"[0-9A-Fa-f.:]{2,39}", r"[0-9A-Fa-f:]{2,59}", r"via (?P<via>\S{1,64}?)(?: relay \S{1,255} .{1,80})?"
_NAME, _TAIL = r"(?: \((?P<name>.*)\))?", r"(?:(?:: | )(?P<reason>.{1,512}))?"
_FROM = rf"from (?P<mac>{_MAC}){_NAME} {_VIA}{_TAIL}"
_TO = rf"to (?P<mac>{_MAC}){_NAME} {_VIA}{_TAIL}"
_FAILURES = (
    *("no free leases", "not found", "unknown lease", "unknown client", "wrong network", "ignored", "abandoned"),
    *("unavailable", "no dynamic leases", "not authoritative", "load balance", "peer holds all"),
)
_LONGEST = 4096


def _compile(*patterns: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern, re.DOTALL) for pattern in patterns)


_CLIENTS = _compile(
    rf"(?:for (?P<ip>{_IP}) )?on (?P<via>\S{{1,64}}) to (?P<server>{_IP}) port [0-9]{{1,5}}.{{0,80}}",
    rf"(?:of (?P<ip>{_IP}) )?from (?P<server>{_IP})(?: \(.{{1,40}}\))?",
)
"""dhclient's forms of all its messages."""
_EXCHANGES: dict[str, tuple[re.Pattern[str], ...]] = {
    "DHCPDISCOVER": _compile(_FROM),
    "DHCPOFFER": _compile(rf"on (?P<ip>{_IP}) {_TO}"),
    "DHCPREQUEST": _compile(rf"for (?P<ip>{_IP})(?: \((?P<server>{_IP})\))? {_FROM}"),
    "DHCPACK": _compile(rf"on (?P<ip>{_IP}) {_TO}", rf"to (?P<ip>{_IP}) \((?P<mac>{_MAC})\) {_VIA}{_TAIL}"),
    "DHCPNAK": _compile(rf"on (?P<ip>{_IP}) {_TO}"),
    "DHCPRELEASE": _compile(rf"of (?P<ip>{_IP}) {_FROM}"),
    "DHCPDECLINE": _compile(rf"of (?P<ip>{_IP}) {_FROM}"),
    "DHCPINFORM": _compile(rf"from (?P<ip>{_IP}) {_VIA}{_TAIL}"),
    "DHCPEXPIRE": _compile(rf"on (?P<ip>{_IP}) to (?P<mac>{_MAC}){_TAIL}"),
    "BOOTREQUEST": _compile(_FROM),
    "BOOTREPLY": _compile(rf"(?:for|on) (?P<ip>{_IP}) to (?P<name>.*) \((?P<mac>{_MAC})\) {_VIA}{_TAIL}"),
}
_SIX = re.compile(
    rf"(?:(?P<kind>[A-Z][a-z-]{{3,20}}) message from|(?P<sent>Sending [A-Z][a-z-]{{3,20}}) to) (?P<ip>{_IP}) "
    r"port [0-9]{1,5}.{0,255}"
)
_ASSIGNED = re.compile(
    rf"(?P<kind>Advertise|Reply) (?:NA|TA|PD): (?:address|prefix) (?P<ip>{_IP})(?:/[0-9]{{1,3}})? to client with duid "
    r"(?P<duid>[0-9a-f:]{2,400}) iaid = (?P<iaid>-?[0-9]{1,12}) valid for (?P<seconds>[0-9]{1,12}) seconds"
)
_BOUND = re.compile(rf"bound to (?P<ip>{_IP}) -- renewal in (?P<seconds>[0-9]{{1,10}}) seconds\.?")
_ASKS = re.compile(r"((?:Sending|Received|dhcp6c Received) [A-Za-z]{4,20})")

_NOTE: Event = {
    "event_category": ["network"],
    "event_type": ["info"],
    "event_action": "dhcp_message",
    "network_protocol": "dhcp",
}
_FAILURE: Event = {**_NOTE, "event_outcome": "failure"}
_MAPPED: Event = {**_NOTE, "event_action": "dns_update", "event_outcome": "success"}
_UNMAPPED: Event = {**_MAPPED, "event_outcome": "failure"}
_MAP = r"(?P<map>forward|reverse) map from (?P<map_from>\S{1,255}) to (?P<map_to>\S{1,255}?)(?:: (?P<reason>.*))?"
_INTERFACE = Rule(
    rf"an address (?P<source_ip>{_IP})(?:/[0-9]{{1,3}})? on (?P<observer_ingress_interface_name>\S{{1,64}})", _NOTE
)
_RULES = Rules(
    "dhcpd",
    {
        **dict.fromkeys(("add", "remove", "create"), (_INTERFACE,)),
        "Abandoning": (Rule(rf"IP address (?P<source_ip>{_IP}): (?P<reason>.{{1,255}})", _FAILURE),),
        "uid": (
            Rule(
                rf"lease (?P<source_ip>{_IP}) for client (?P<client>\S{{1,255}}) is duplicate on .{{1,255}}", _FAILURE
            ),
        ),
        "ICMP": (Rule(rf"Echo [Rr]eply for (?P<source_ip>{_IP}) late or spurious\.?", _NOTE),),
        "Dynamic": (Rule(rf"and static leases present for (?P<source_ip>{_IP})\.?", _NOTE),),
        "reuse_lease:": (Rule(rf"lease age .{{1,120}} existing lease for (?P<source_ip>{_IP})", _NOTE),),
        "Wrote": (Rule(r"(?P<written>.{1,255})", _NOTE),),
        "no": (Rule(r"free leases on subnet (?P<subnet>.{1,255})", _FAILURE),),
        "Added": (Rule(rf"(?:new )?{_MAP}", _MAPPED),),
        "Removed": (Rule(_MAP, _MAPPED),),
        "removed": (Rule(_MAP, _MAPPED),),
        "Unable": (Rule(rf"to (?:add|remove) {_MAP}", _UNMAPPED),),
    },
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for those that are no exchange and not in the table."""
    word, _, rest = message.partition(" ")
    patterns = _EXCHANGES.get(word)
    if patterns is not None:
        return _exchange(word.lower(), rest, patterns, event)
    return _six(message, event) or _RULES.parse(message, event) or _asks(message, event)


def _exchange(action: str, rest: str, patterns: tuple[re.Pattern[str], ...], event: Event) -> bool:
    for pattern in (*patterns, *_CLIENTS):
        if found := pattern.fullmatch(rest):
            parts = {name: value for name, value in found.groupdict().items() if value}
            set_exchange(event, action, any(word in parts.get("reason", "") for word in _FAILURES))
            set_client(event, parts.get("ip", ""), parts.get("mac", ""), parts.get("name", ""))
            _set_rest(parts, event)
            return True
    return False


def _set_rest(parts: dict[str, str], event: Event) -> None:
    via = parts.get("via", "").rstrip(":")
    if is_ip(via):
        extra(event)["dhcpd.relay"] = via
        relate(event, "ip", via)
    elif via:
        event["observer_ingress_interface_name"] = via
    set_end(event, "destination", parts.get("server", ""), "")
    if "reason" in parts:
        extra(event)["event.reason"] = parts["reason"]


def _six(message: str, event: Event) -> bool:
    """Parse DHCPv6, and the lease that dhclient is bound to."""
    for pattern in (_SIX, _ASSIGNED, _BOUND):
        if (found := pattern.fullmatch(message)) is not None:
            parts = found.groupdict("")
            set_exchange(event, (parts.get("kind") or parts.get("sent", "") or "bound").lower().replace(" ", "_"))
            set_client(event, parts["ip"])
            for name in ("duid", "iaid", "seconds"):
                if parts.get(name):
                    extra(event)["dhcpd." + name] = parts[name]
            return True
    return False


def _asks(message: str, event: Event) -> bool:
    """Parse what dhcp6c says that it sends and receives."""
    found = _ASKS.fullmatch(message)
    if found is None:
        return False
    set_exchange(event, found[1].lower().replace(" ", "_"))
    event["network_protocol"] = "dhcpv6"
    return True


STREAM = Stream(
    name="dhcpd",
    programs=("dhcpd", "dhcpd3", "dhcpd6", "dhcp", "isc-dhcp-server", "dhclient", "dhclient6", "dhcp6c"),
    parse=parse,
    longest=_LONGEST,
)
