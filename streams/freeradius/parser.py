"""Parses messages of FreeRADIUS: logins and their reasons, requests of unknown clients.

It reads `(7) Login OK: [alice/<via Auth-Type = eap>] (from client ap1 port 7 cli 02-00-5E-10-00-00)`, FreeRADIUS 1 to
3, by syslog or in `radius.log` (`Tue Nov 24 05:00:00 2026 : Auth: ...`). `streams/ATTEMPTS.md` says which lines are
attempts. Source: FreeRADIUS src/main/auth.c (`rad_authlog`, `auth_name`), src/main/log.c. https://wiki.freeradius.org/

Users choose their names, which may hold all of that; what the access server says of them stands right of it. A password
may stand beside the name, where the server is set to log it: it is not copied into any field.
"""

import re

from streams.base import StateStore, Stream
from streams.common.text import extra, is_ip, put, set_endpoint
from streams.mapping.rules import LONGEST, Rule, Rules
from streams.syslog.own_times import timed
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "radius"}
_LOGIN: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "radius_login",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_FAILED: Event = {**_LOGIN, "event_outcome": "failure"}
_DENIED: Event = {
    **_SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "denied"],
    "event_action": "radius_request_ignored",
    "event_outcome": "failure",
    "network_protocol": "radius",
}
_SERVER: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_TROUBLE: Event = {**_SERVER, "event_outcome": "failure"}

_OWN_FILE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} : [A-Z][A-Za-z]{2,8}: ")
_LEVEL = re.compile(r"(Auth|Info|Error|Warning|WARNING|ERROR|Proxy|Debug|Acct): {1,2}")
_NUMBER = re.compile(r"\(([0-9]{1,18})\) {1,4}")
_AUTH = re.compile(
    r"([A-Z][^\[\]]{1,512}?): \[(.*)\] \(from (?:client|nas) (\S{1,128}) port ([^\s()]{1,32})"
    r"(?: cli ([^()]{0,255}?))?(?: via ([^()]{1,64}))?\)(.*)",
    re.DOTALL,
)
_METHOD = re.compile(r"/(<[^<>]{1,64}>)")
_MAC = re.compile(
    r"([0-9A-Fa-f]{2})[-:.]?([0-9A-Fa-f]{2})[-:.]?"
    r"([0-9A-Fa-f]{2})[-:.]?"
    r"([0-9A-Fa-f]{2})[-:.]?([0-9A-Fa-f]{2})[-:.]?([0-9A-Fa-f]{2})"
)
_NOBODY = "<no User-Name attribute>"
_REASON = r"(?P<reason>.*)"

_MESSAGES = Rules(
    "freeradius",
    {
        "Ignoring": (
            Rule(
                r"request to (?P<reason>.*?) from unknown client (?P<source_ip>\S+)"
                r"(?: port (?P<source_port>[0-9]{1,5}))?(?: proto (?P<network_transport>[a-z]{2,8}))?",
                _DENIED,
            ),
        ),
        "Received": (
            Rule(r"packet from (?P<source_ip>[0-9A-Fa-f.:]+) with (?P<reason>invalid .*)", _DENIED),
            Rule(r"(?P<reason>conflicting packet from client .*)", _TROUBLE),
        ),
        "Dropping": (
            Rule(
                r"packet without response because of error: Received packet from (?P<source_ip>[0-9A-Fa-f.:]+) "
                r"with (?P<reason>invalid .*)",
                _DENIED,
            ),
            Rule(_REASON, _TROUBLE),
        ),
        "Discarding": (Rule(_REASON, _TROUBLE),),
        "Ready": (Rule(r"to process requests\.?", {**_SERVER, "event_type": ["start"]}),),
        "Exiting": (Rule(r"normally\.?", {**_SERVER, "event_type": ["end"]}),),
        "Signalled": (Rule(r"to terminate\.?", {**_SERVER, "event_type": ["end"]}),),
    },
)


def sniff(text: str) -> bool:
    """Whether a line is of FreeRADIUS' own file."""
    return _OWN_FILE.match(text) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message of FreeRADIUS; False for what neither names a login nor says how grave it is."""
    if not sniff(message):
        return _message(message, event, state)
    if not timed(_message, message, event, state, after=": "):
        return False
    event.setdefault("process_name", "radiusd")
    return True


def _message(message: str, event: Event, state: StateStore) -> bool:
    level = _LEVEL.match(message)
    text = message[level.end() :] if level else message
    number = _NUMBER.match(text)
    text = text[number.end() :] if number else text
    found = _AUTH.fullmatch(text) if len(text) <= LONGEST else None
    if found is not None:
        _login(found, event)
    elif not _MESSAGES.parse(text, event):
        if level is None:
            return False
        event.update(_TROUBLE if level[1].lower() == "error" else _SERVER)
        extra(event)["freeradius.text"] = text
    _note(level, number, event)
    return True


def _note(level: re.Match[str] | None, number: re.Match[str] | None, event: Event) -> None:
    if level:
        extra(event)["log.level"] = level[1].lower()
    if number:
        extra(event)["freeradius.request"] = number[1]


def _login(found: re.Match[str], event: Event) -> None:
    said, who, client, port, station, via, more = found.groups("")
    verdict, _, reason = said.partition(" (")
    event.update(_LOGIN if verdict == "Login OK" else _FAILED)
    if via:  # the request that carried the tunnel has a line of its own
        del event["ogrewatch_attempt"]
    name, method = _user(who)
    put(event, "user_name", name)
    fields = extra(event)
    fields.update({"freeradius.client": client, "freeradius.port": port, "freeradius.verdict": verdict})
    given = {"method": method, "via": via, "reason": reason.removesuffix(")"), "more": more.strip(" ")}
    fields.update({f"freeradius.{key}": value for key, value in given.items() if value})
    _station(station.strip(" "), event)


def _user(who: str) -> tuple[str, str]:
    """Name and method of `alice/<via Auth-Type = eap>`, `alice` or `alice/password`. `host/pc1.example.net` is the name
    of a machine, as Windows gives it."""
    name, method = who, ""
    if found := _METHOD.search(who, max(who.rfind("/<"), 0)):
        name, method = who[: found.start()], found[1] if found.end() == len(who) else ""
    elif who.startswith("host/"):
        name = "host/" + who[5:].partition("/")[0]
    else:
        name = who.partition("/")[0]
    return ("" if name == _NOBODY else name), method


def _station(station: str, event: Event) -> None:
    """Set where the user is, as the access server tells: an address, a network card's, or a telephone number."""
    if not station:
        return
    if is_ip(station):
        set_endpoint(event, "source", station)
    elif found := _MAC.fullmatch(station):
        extra(event)["source.mac"] = "-".join(found.groups()).upper()
    else:
        extra(event)["freeradius.calling_station"] = station


STREAM = Stream(name="freeradius", programs=("radiusd", "freeradius"), parse=parse, sniff=sniff)
