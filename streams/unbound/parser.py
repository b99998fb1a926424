"""Parses messages of Unbound: `[PID:THREAD] info: CLIENT NAME TYPE CLASS[ CODE SECONDS CACHED SIZE]`.

It reads `log-queries`, `log-replies`, `log-local-actions`, `log-servfail`, validation failures and its state, of
Unbound 1.4 to 1.22, as pfSense and OPNsense send it too, or as lines of its file (`[TIME] unbound[PID:THREAD] info:
...`). Sources: unbound util/data/msgreply.c (log_reply_info), services/localzone.c, util/log.c.
https://unbound.docs.nlnetlabs.nl/en/latest/manpages/unbound.conf.html

The client chooses the name, in which Unbound escapes what is not printable. Its address stands before the name.
"""

import re

from streams.base import StateStore, Stream
from streams.common.dns import DNS
from streams.common.packets import set_end, set_type
from streams.common.text import extra, number
from streams.syslog.timestamps import set_instant
from topics.event import Event

_OWN = re.compile(r"\[([0-9]{9,11})\] [\w.-]{1,32}\[([0-9]{1,10}):[0-9a-f]{1,4}\] (?=[a-z ]{4,11}: )")
"""The beginning of a line of the file, before the message."""
_LEVEL = re.compile(r"(?:\[[0-9]{1,10}:[0-9a-f]{1,4}\] )?(info|notice|warning|error|debug|query|reply|fatal error): ")
_QUESTION = r"(\S{1,1100}) ([A-Z][A-Z0-9-]{0,15}) ([A-Z0-9]{2,9})"
_ANSWERED = r"(?: ([A-Z]{2,16}) ([0-9.]{1,20}) ([01]) ([0-9]{1,9}).{0,80})?"
_CLIENT = re.compile(rf"([0-9A-Fa-f.:]{{2,39}})(?:@([0-9]{{1,5}}))? {_QUESTION}{_ANSWERED}")
_LOCAL = re.compile(rf"(\S{{1,1100}}) (\w{{2,32}}) ([0-9A-Fa-f.:]{{2,39}})@([0-9]{{1,5}}) {_QUESTION}")
_SERVFAIL = re.compile(r"SERVFAIL <(\S{1,1100}) ([A-Z][A-Z0-9-]{0,15}) ([A-Z0-9]{2,9})>: (.{1,1024})", re.DOTALL)
_INVALID = re.compile(
    r"validation failure <(\S{1,1100}) ([A-Z][A-Z0-9-]{0,15}) ([A-Z0-9]{2,9})>: (.{1,1024})", re.DOTALL
)
_NOTES = (
    *(
        "start of service",
        "service stopped",
        "server stats for thread",
        "generate keytag query",
        "control cmd: ",
        "average recursion",
    ),
    *(
        "histogram of recursion",
        "resolving ",
        "response for ",
        "reply from ",
        "query response was ",
        "priming ",
        "Restart of unbound",
    ),
    *(
        "lower(secs)",
        "init module ",
        "mesh has ",
        "iterator ",
        "validate(",
        "validated ",
        "NSEC",
        "DelegationPoint",
        "Capsforid",
    ),
    *(
        "dnscrypt",
        "outnettcp",
        "so-",
        "setup ",
        "using ",
        "remote control connection ",
        "failed ",
        "can't ",
        "could not ",
        "tcp connect",
    ),
)
_FAILURE: Event = {**DNS, "event_outcome": "failure"}
_NOTE: Event = {"event_category": ["network"], "event_type": ["info"], "event_action": "unbound_message"}
_DENIALS = ("deny", "refuse", "always_refuse", "always_deny", "static", "always_nxdomain", "always_null", "inform_deny")
_LONGEST = 4096


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False for text that Unbound does not write."""
    own = _OWN.match(message)
    if own is None:
        return _parse(message, event)
    if not _parse(message[own.end() :], event):
        return False
    set_instant(event, own[1])
    event.setdefault("process_pid", int(own[2]))
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header is of Unbound's own file."""
    return text[:1] == "[" and _OWN.match(text) is not None


def _parse(message: str, event: Event) -> bool:
    level = _LEVEL.match(message)
    if level is None:
        return False
    text = message[level.end() :]
    if not _names(text, event):
        if not text.startswith(_NOTES):
            return False
        event.update(_NOTE)
    if level[1] not in ("query", "reply"):
        extra(event)["log.level"] = level[1]
    return True


def _names(text: str, event: Event) -> bool:
    if found := _CLIENT.fullmatch(text):
        _client(found, event)
    elif found := _LOCAL.fullmatch(text):
        _local(found, event)
    elif found := _SERVFAIL.fullmatch(text) or _INVALID.fullmatch(text):
        event.update({**_FAILURE, "event_action": "dns_failure", "dns_response_code": "SERVFAIL"})
        _set_question(event, found[1], found[2], found[3])
        extra(event)["event.reason"] = found[4]
    else:
        return False
    set_type(event)
    return True


def _client(found: re.Match[str], event: Event) -> None:
    address, port, name, kind, zone_class, code, seconds, cached, size = found.groups()
    event.update(DNS)
    set_end(event, "source", address, port or "")
    _set_question(event, name, kind, zone_class)
    event["event_action"] = "dns_answer" if code else "dns_query"
    extra(event)["dns.type"] = "answer" if code else "query"
    if code:
        event["dns_response_code"] = code
        event["destination_bytes"] = number(size) or 0
        extra(event).update({"unbound.cached": cached == "1", "unbound.seconds": seconds})


def _local(found: re.Match[str], event: Event) -> None:
    zone, action, address, port, name, kind, zone_class = found.groups()
    event.update(DNS)
    event["event_action"], event["rule_name"] = "dns_local_zone", zone
    if action in _DENIALS:
        event["event_type"] = ["connection", "protocol", "denied"]
    set_end(event, "source", address, port)
    _set_question(event, name, kind, zone_class)
    extra(event)["unbound.local_action"] = action


def _set_question(event: Event, name: str, kind: str, zone_class: str) -> None:
    """Set the question; its name loses the dot at the end, which other programs do not write."""
    event["dns_question_name"] = name if name == "." else name.removesuffix(".")
    event["dns_question_type"] = kind
    extra(event)["dns.question.class"] = zone_class


STREAM = Stream(name="unbound", programs=("unbound",), parse=parse, sniff=sniff, longest=_LONGEST)
