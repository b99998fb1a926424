"""Parses what named says of other servers, of zones and of itself."""

import re
from collections.abc import Callable

from streams.common.dns import DNS
from streams.common.packets import set_end, set_type
from streams.common.text import extra
from topics.event import Event

_ADDRESS = r"([0-9A-Fa-f.:]{2,39})#([0-9]{1,5})"
_RESOLVING = re.compile(
    rf"(.{{1,120}}?) resolving '(\S{{1,1100}}?)'(?: \(in '(\S{{0,1100}}?)'\??\))?: {_ADDRESS}.{{0,255}}", re.DOTALL
)
_FORMAT = re.compile(
    rf"DNS format error from {_ADDRESS} resolving (\S{{1,1100}}?)(?: for (?:client )?(\S{{1,128}}))?: (.{{1,512}})",
    re.DOTALL,
)
_VALIDATING = re.compile(
    r"(?:view \S{1,128}: )?validating (?:@0x[0-9a-f]{1,16}: )?(\S{1,1100}): (.{1,1024})", re.DOTALL
)
_TRANSFER = re.compile(rf"transfer of '(\S{{1,1100}}?)' from {_ADDRESS}: (.{{1,1024}})", re.DOTALL)
_ZONE = re.compile(r"(?:[a-z-]{2,24}: )?zone (\S{1,1100}?): (.{1,1024})", re.DOTALL)
_COMMAND = re.compile(r"received control channel command '(.{1,512})'", re.DOTALL)
_LIMIT = re.compile(
    r"(?:\*?stop |would )?limit(?:ing)? (?:[a-z]{2,20} )?(?:responses?|error|NXDOMAIN|referral|all)[a-z ]{0,40} "
    r"to (\S{1,64})(?: .{0,1200})?",
    re.DOTALL,
)
_NOTES = (
    *("starting BIND ", "running", "shutting down", "exiting", "stopping command channel", "all zones loaded"),
    *("reloading ", "loading configuration from ", "any newly configured zones", "command channel listening on "),
    *(
        "listening on IPv",
        "no longer listening on ",
        "managed-keys-zone",
        "resolver priming query complete",
        "received SIG",
    ),
    *(
        "using ",
        "built with ",
        "adjusted limit ",
        "found ",
        "automatic empty zone: ",
        "configuring command channel",
        "reading ",
    ),
    *(
        "success resolving ",
        "sizing zone task pool",
        "set up managed keys zone",
        "loaded serial ",
        "dumping ",
        "flushing ",
    ),
    *(
        "checkhints: ",
        "too many timeouts resolving ",
        "no longer listening",
        "compiled by ",
        "linked to ",
        "BIND 9 is maintained",
    ),
)
_FAILURE: Event = {**DNS, "event_outcome": "failure"}
_ABOUT: Event = {"event_category": ["network"], "event_type": ["info"], "event_action": "named_message"}
_CHANGED: Event = {"event_category": ["configuration"], "event_type": ["change"], "event_action": "control_command"}
_CODE = re.compile(r"\b(SERVFAIL|REFUSED|NXDOMAIN|NOTIMP|FORMERR|NOTAUTH|YXDOMAIN|NXRRSET)\b")


def from_server(text: str, event: Event) -> bool:
    """Set the columns of a message that names no client; False, and nothing set, for one that is not known."""
    for pattern, take in _PATTERNS:
        if found := pattern.fullmatch(text):
            take(found, event)
            return True
    if text.startswith(_NOTES):
        event.update(_ABOUT)
        return True
    return False


def _set_question(question: str, event: Event) -> None:
    """`name/type/class` or less of it."""
    name, _, rest = question.partition("/")
    kind, _, zone_class = rest.partition("/")
    if zone_class == "" and kind in ("IN", "CH", "HS"):
        kind, zone_class = "", kind
    if name:
        event["dns_question_name"] = name
    if kind:
        event["dns_question_type"] = kind
    if zone_class:
        extra(event)["dns.question.class"] = zone_class


def _set_reason(event: Event, reason: str) -> None:
    extra(event)["event.reason"] = reason
    if code := _CODE.search(reason):
        event["dns_response_code"] = code[1]


def _resolving(found: re.Match[str], event: Event) -> None:
    reason, question, zone, address, port = found.groups()
    event.update({**_FAILURE, "event_action": "dns_resolving"})
    _set_question(question, event)
    _set_reason(event, reason)
    if zone:
        extra(event)["bind.zone"] = zone
    set_end(event, "destination", address, port)
    set_type(event)


def _format(found: re.Match[str], event: Event) -> None:
    address, port, question, client, reason = found.groups()
    event.update({**_FAILURE, "event_action": "dns_resolving"})
    _set_question(question, event)
    _set_reason(event, reason)
    set_end(event, "destination", address, port)
    if client:
        set_end(event, "source", *client.partition("#")[::2])
    set_type(event)


def _validating(found: re.Match[str], event: Event) -> None:
    event.update({**_FAILURE, "event_action": "dnssec_validation"})
    _set_question(found[1], event)
    extra(event)["event.reason"] = found[2]


def _transfer(found: re.Match[str], event: Event) -> None:
    zone, address, port, what = found.groups()
    event.update({**DNS, "event_action": "zone_transfer"})
    if "success" in what or "failed" in what:
        event["event_outcome"] = "failure" if "failed" in what else "success"
    _set_question(zone, event)
    extra(event)["event.reason"] = what
    set_end(event, "destination", address, port)
    set_type(event)


def _zone(found: re.Match[str], event: Event) -> None:
    event.update({**_ABOUT, "event_action": "dns_zone", "network_protocol": "dns"})
    _set_question(found[1], event)
    extra(event)["event.reason"] = found[2]


def _command(found: re.Match[str], event: Event) -> None:
    event.update(_CHANGED)
    event["process_command_line"] = found[1]


def _limit(found: re.Match[str], event: Event) -> None:
    event.update({**DNS, "event_action": "dns_rate_limited"})
    extra(event)["bind.rate_limited"] = found[1]


_Setter = Callable[[re.Match[str], Event], None]
_PATTERNS: tuple[tuple[re.Pattern[str], _Setter], ...] = (
    *((_FORMAT, _format), (_RESOLVING, _resolving), (_VALIDATING, _validating), (_TRANSFER, _transfer)),
    *((_ZONE, _zone), (_COMMAND, _command), (_LIMIT, _limit)),
)
