"""Parses the alerts of fast.log, and those that Suricata and Snort send by syslog.

The format: `[MM/DD/YYYY-HH:MM:SS.FRACTION  ][Drop] [**] [GID:SID:REV] SIGNATURE [**] [Classification: ...] [Priority:
N] {TCP} 192.0.2.1:51234 -> 192.0.2.2:80`, by syslog without the asterisks.
https://docs.suricata.io/en/latest/output/syslog-alerting-comp.html

The author of a rule chooses its text, so the two addresses are read from the end of the line.
"""

import re

from streams.base import StateStore
from streams.common.packets import set_ends, set_number, set_transport
from streams.common.text import extra, is_ip, put
from streams.suricata.kinds import KINDS
from streams.syslog.timestamps import set_civil
from topics.event import Event

_TIME = re.compile(r"([0-9]{2})/([0-9]{2})(?:/([0-9]{2,4}))?-([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{1,6}) +")
_SIGNATURE = re.compile(r"(?:\[(w?Drop|block|Block)\] )?(?:\[\*\*\] )?\[([0-9]{1,10}):([0-9]{1,10}):([0-9]{1,10})\] ?")
_END = r"(\S{2,64}?)(?::([0-9]{1,5}))?"
_REST = re.compile(
    r"(.{0,1024}?) ?(?:\[\*\*\] ?)?(?:\[Classification: ([^\]]{0,255})\] ?)?\[Priority: ([0-9]{1,3})\]:? ?"
    rf"(?:\[[^\]]{{1,64}}\] )?\{{([\w-]{{1,32}})\}} {_END} -> {_END}",
    re.DOTALL,
)
LONGEST = 4096
_CENTURY = 2000


def sniff(text: str) -> bool:
    """Whether a line without a header is one of fast.log."""
    time = _TIME.match(text)
    return time is not None and _SIGNATURE.match(text, time.end()) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one alert; False for messages of the engine about itself."""
    time = _TIME.match(message)
    signature = _SIGNATURE.match(message, time.end() if time else 0)
    rest = _REST.fullmatch(message, signature.end()) if signature else None
    if signature is None or rest is None:
        return False
    event.update(KINDS["alert"])
    event["event_type"] = ["denied" if signature[1] in ("Drop", "Block", "block") else "allowed"]
    _set_rule(signature, rest, event)
    set_transport(event, rest[4])
    ends = [_whole(rest[at], rest[at + 1] or "") for at in (5, 7)]
    if event.get("network_transport") in ("icmp", "ipv6-icmp"):  # these are ICMP's type and code
        ends = [(address, "") for address, _ in ends]
    set_ends(event, *ends)
    if time:
        _set_time(time, event)
    return True


def _whole(address: str, port: str) -> tuple[str, str]:
    """Address and port; an IPv6 address whose end looked like a port is joined again."""
    if port and not is_ip(address) and is_ip(whole := f"{address}:{port}"):
        return whole, ""
    return address.strip("[]"), port


def _set_rule(signature: re.Match[str], rest: re.Match[str], event: Event) -> None:
    put(event, "rule_name", rest[1])
    fields = extra(event)
    fields["rule.id"], fields["rule.version"] = signature[3], signature[4]
    if rest[2]:
        fields["rule.category"] = rest[2]
    set_number(event, "event.severity", rest[3])
    set_number(event, "suricata.eve.gid", signature[2])


def _set_time(time: re.Match[str], event: Event) -> None:
    month, day, year, hour, minute, second, fraction = time.groups()
    number = int(year) if year else None
    if number is not None and number < _CENTURY:
        number += _CENTURY
    set_civil(event, (int(month), int(day), int(hour), int(minute), int(second)), number, fraction)
