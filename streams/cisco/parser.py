"""Parses messages of Cisco ASA, FTD, PIX and FWSM, and of IOS.

It reads `%ASA-6-302013: text` (also `%ASA-session-6-302013`, `%FTD-...`), FTD's security events, and what
`streams.cisco.ios` reads. A message whose number is not in the tables gives its number, severity and the two ends that
its text names. https://www.cisco.com/c/en/us/td/docs/security/asa/syslog/b_syslog.html
"""

import re

from streams.base import StateStore, Stream
from streams.cisco import ios, security_events
from streams.cisco.administration import ADMINISTRATION
from streams.cisco.connections import CONNECTIONS
from streams.cisco.denials import DENIALS
from streams.cisco.inspection import INSPECTION
from streams.cisco.kinds import INFO
from streams.cisco.logins import LOGINS, grouped
from streams.cisco.patterns import Catalogue, set_fields
from streams.cisco.templates import compile_template
from streams.cisco.vpn import VPN
from streams.common.packets import set_ends, set_transport
from streams.common.text import extra, is_ip
from topics.event import Event

_TAG = re.compile(r"%(ASA|FTD|NGIPS|PIX|FWSM)-(?:[A-Za-z]{1,20}-)?([0-7])-([0-9]{6})(?:: ?| : ?| )?")
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notification", "informational", "debug")
_PRODUCTS: dict[str, Event] = {
    name: {"observer.vendor": "Cisco", "observer.type": "firewall", "observer.product": name}
    for name in ("asa", "ftd", "ngips", "pix", "fwsm")
}
_CATALOGUE = Catalogue((*CONNECTIONS, *DENIALS, *INSPECTION, *LOGINS, *VPN, *ADMINISTRATION))
_ANY_ENDS = tuple(compile_template(template).match for template in ("from {A} to {B}", "src {A} dst {B}"))
_ANY_PROTOCOL = re.compile(r"(?<![\w-])(TCP|UDP|ICMP|tcp|udp|icmp)(?![\w-])")
_BEGINNINGS = (" from ", " src ")
_ANY_SOURCE = re.compile(r" from (?:host |IP )?([0-9A-Fa-f.:]{7,39})(?:/([0-9]{1,5}))?(?![\w/])")
_ANY_SESSION = tuple(
    compile_template(template).fullmatch
    for template in (
        *grouped("{reason}"),
        "Group = {group}, Username = {user}, IP = {a_ip}[,] {reason}",
        "Group = {group}, IP = {a_ip}[,] {reason}",
        "IP = {a_ip}[,] {reason}",
    )
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for what bears no number of Cisco's firewalls."""
    tag = _TAG.match(message)
    if tag is None:
        return ios.parse(message, event, state) or _security_event("", message, event)
    product, severity, code = tag.groups()
    text = message[tag.end() :]
    if not (code in security_events.KINDS and _security_event(code, text, event)):
        _understand(code, text, event)
    _set_origin(product.lower(), int(severity), code, event)
    return True


def _security_event(code: str, text: str, event: Event) -> bool:
    if not security_events.parse(code, text, event):
        return False
    event["event_dataset"] = "cisco.ftd"
    extra(event).update(_PRODUCTS["ftd"])
    return True


def _understand(code: str, text: str, event: Event) -> None:
    if not _CATALOGUE.parse(code, text, event):
        event.update(INFO)
        if text.startswith(("Group ", "IP = ")):
            _set_session(text, event)
        else:
            _set_ends(text, event)


def _set_session(text: str, event: Event) -> None:
    """Set the user of a session that a message names which is not in the catalogue."""
    for match in _ANY_SESSION:
        if found := match(text):
            set_fields(found.groupdict(), event)
            return


def _set_ends(text: str, event: Event) -> None:
    """Set the two ends that a message names which is not in the catalogue."""
    for word, match in zip(_BEGINNINGS, _ANY_ENDS, strict=True):
        found = match(text, text.find(word) + 1)
        if found and (is_ip(found["a_ip"]) or is_ip(found["b_ip"])):
            set_fields(found.groupdict(), event)
            if protocol := _ANY_PROTOCOL.search(text, 0, 400):
                set_transport(event, protocol[1])
            return
    if (alone := _ANY_SOURCE.search(text, 0, 400)) and is_ip(address := alone[1].rstrip(".:")):
        set_ends(event, (address, alone[2] or ""), ("", ""))


def _set_origin(product: str, severity: int, code: str, event: Event) -> None:
    event["event_dataset"] = "cisco." + product
    fields = extra(event)
    fields.update(_PRODUCTS[product])
    fields["event.code"] = code
    fields["event.severity"] = severity
    fields["log.level"] = _LEVELS[severity]


STREAM = Stream(
    name="cisco.asa",
    programs=("%ASA", "%FTD", "%NGIPS", "%PIX", "%FWSM", "SFIMS", *ios.FACILITIES),
    parse=parse,
    sniff=ios.sniff,
)
