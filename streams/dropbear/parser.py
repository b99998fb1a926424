r"""Parses messages of Dropbear: logins, refusals, connections and how they ended.

It reads Dropbear 0.4x to 2025 by syslog, or as it writes without syslog (`[123] Nov 24 04:05:06 message`); PAM lines
under it. `streams/ATTEMPTS.md` says which lines are attempts. Sources: svr-auth.c, svr-authpasswd.c, svr-authpubkey.c,
svr-authpam.c, svr-main.c, svr-session.c (`svr_dropbear_exit` puts state, address and user before every reason).
https://matt.ucc.asn.au/dropbear/dropbear.html

Whoever connects chooses the name in quotes where no such account need exist; the address stands right of it. An exit's
reason may hold the client's words, so there the first address counts.
"""

import re

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import number
from streams.mapping.rules import Rule, Rules
from streams.syslog.timestamps import MONTHS, set_civil
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "dropbear"}


def _columns(action: str, outcome: str = "", kind: str = "info") -> Event:
    meaning: Event = {**_SERVICE, "event_category": ["authentication"], "event_type": [kind], "event_action": action}
    return {**meaning, "event_outcome": outcome} if outcome else meaning


_SUCCESS: Event = {
    **_columns("ssh_login", "success", "start"),
    "event_category": ["authentication", "session"],
    "ogrewatch_attempt": 1,
}
_FAILURE: Event = {**_columns("ssh_login", "failure", "start"), "ogrewatch_attempt": 1}
_PARTIAL = _columns("ssh_login", "unknown")
_BESIDE = _columns("ssh_login", "failure")
_OPENED = _columns("connection_opened", "", "start")
_CLOSED = _columns("connection_closed", "", "end")
_GAVE_UP = _columns("connection_closed", "failure", "end")
_LEFT: Event = {**_columns("session_closed", "", "end"), "event_category": ["authentication", "session"]}
_SERVER: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}
_STARTED: Event = {**_SERVER, "event_type": ["start"], "event_action": "server_started"}
_STOPPED: Event = {**_SERVER, "event_type": ["end"], "event_action": "server_stopped"}
_TROUBLE: Event = {**_SERVER, "event_outcome": "failure"}

_PEER = r"(?P<source_ip>\S{1,255}):(?P<source_port>[0-9]{1,5})"
_PEER_FIRST = r"(?P<source_ip>[^\s<>]{1,255}):(?P<source_port>[0-9]{1,5})"
_NAME = r"'(?P<user_name>.*)'"
_NOBODY = r"'(?:<invalid username>|is invalid)'"
_REASON = r"(?P<reason>.*)"
_EXIT_FROM = rf"(?: from <{_PEER_FIRST}>)?"
_KEY = r"(?:[a-z0-9@.-]{1,64} )?key (?:md5 |sha1!! )?\S{1,128}"
_FAILS = r"'(?P<user_name>[^']*)', (?P<fails>[0-9]{1,10}) fails\)"


def _verdict(columns: Event, words: str) -> tuple[Rule, ...]:
    """A verdict and, where another method has to follow it, the same without one."""
    more = (Rule(rf"{words}, extra auth required", _PARTIAL),) if columns is _SUCCESS else ()
    return (*more, Rule(words, columns))


_PUBKEY = (
    *_verdict(_SUCCESS, rf"auth succeeded for {_NAME} with (?P<key>{_KEY}) from {_PEER}"),
    Rule(rf"auth bad signature for {_NAME} with (?P<key>{_KEY}) from {_PEER}", _FAILURE),
    Rule(rf"auth attempt with unknown algo for {_NAME} from {_PEER}", _BESIDE),
)
_PASSWORD = _verdict(_SUCCESS, rf"(?P<method>password) auth succeeded for {_NAME} from {_PEER}")
_BAD = (
    Rule(rf"(?:PAM )?password attempt for {_NOBODY} from {_PEER}", _BESIDE),
    Rule(rf"(?:PAM )?(?P<method>password) attempt for {_NAME} from {_PEER}", _FAILURE),
)
_NONEXISTENT = (
    Rule(rf"attempt for nonexistent user(?: {_NAME})? from {_PEER}", _FAILURE),
    Rule(rf"attempt with wrong user (?P<user_name>.*) from {_PEER}", _FAILURE),
)
_USER = (
    Rule(rf"account {_NAME} is (?P<reason>locked)", _FAILURE),
    Rule(rf"{_NAME} (?P<reason>has blank password), rejected", _FAILURE),
    Rule(rf"{_NAME} (?P<reason>has invalid shell), rejected", _FAILURE),
    Rule(rf"{_NAME} rejected", _FAILURE),
)
_TRIES = rf"(?P<reason>Max auth tries reached - user '.*') from {_PEER}"
_EXIT = (
    Rule(rf"before auth \(user {_FAILS}: {_TRIES}", _GAVE_UP),
    Rule(rf"before auth(?:{_EXIT_FROM}:)? \(user {_FAILS}: {_REASON}", _GAVE_UP),
    Rule(rf"before auth: {_TRIES}", _GAVE_UP),
    Rule(rf"before auth{_EXIT_FROM}: (?P<reason>Exited normally|Disconnect received)", _CLOSED),
    Rule(rf"before auth{_EXIT_FROM}: {_REASON}", _GAVE_UP),
    Rule(rf"\((?P<user_name>.*)\) from <{_PEER_FIRST}>: {_REASON}", _LEFT),
    Rule(rf"(?:after auth )?\((?P<user_name>[^:]*)\): {_REASON}", _LEFT),
)

_RULES = Rules(
    "dropbear",
    {
        "Pubkey": _PUBKEY,
        "Password": _verdict(_SUCCESS, rf"auth succeeded for {_NAME} from {_PEER}"),
        "PAM": _PASSWORD,
        "Auth": (Rule(rf"succeeded with blank password for {_NAME} from {_PEER}", _SUCCESS),),
        "Bad": _BAD,
        "Too-long": (Rule(rf"(?P<method>password) attempt for {_NAME} from {_PEER}", _FAILURE),),
        "Login": _NONEXISTENT,
        "Logins": (
            Rule(rf"are restricted to the group (?P<group_name>\S+) but user {_NAME} is not a member", _FAILURE),
        ),
        "Root": (Rule(r"login rejected", {**_FAILURE, "user_name": "root"}),),
        "User": _USER,
        "Exit": _EXIT,
        "Early": (
            Rule(rf"exit from <{_PEER_FIRST}>: {_REASON}", _GAVE_UP),
            Rule(rf"exit: {_REASON}", _STOPPED),
        ),
        "Child": (Rule(rf"connection from {_PEER}", _OPENED), Rule(r"connection from (?P<source_ip>\S+)", _OPENED)),
        **dict.fromkeys(
            ("Running", "Not"),
            (Rule(r"(?:in )?background(?:ing)?", _STARTED),),
        ),
        **dict.fromkeys(
            ("Pam_authenticate()", "Pam_acct_mgmt()", "Pam_start()", "Pam_set_item()"),
            (Rule(r"failed, rc=[0-9]{1,6}, (?P<reason>.*)", _BESIDE),),
        ),
        **dict.fromkeys(("Failed", "Couldn't", "Error", "Unable"), (Rule(_REASON, _TROUBLE),)),
        **dict.fromkeys(
            ("Lastlog_perform_login:", "Lastlog_openseek:", "Wtmp_write:", "Syslogin_perform_logout:"),
            (Rule(_REASON, _SERVER),),
        ),
    },
)
_OWN_FORM = re.compile(r"\[([0-9]{1,10})\] ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2}) ")


def sniff(text: str) -> bool:
    """Whether a line is as Dropbear writes it without syslog."""
    found = _OWN_FORM.match(text)
    return found is not None and found[2].lower() in MONTHS


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for what is about no login, no connection and not the server."""
    own = _OWN_FORM.match(message)
    if own is None:
        return _message(message, event)
    if not _message(message[own.end() :], event):
        return False
    _set_own(own, event)
    event["message"] = message[own.end() :]
    return True


def _message(message: str, event: Event) -> bool:
    if message.startswith("pam_") and not message.startswith(("pam_authenticate", "pam_acct", "pam_start", "pam_set")):
        found = pam_lines.parse(message, event, "ssh_login")
        event.update(_SERVICE if found else {})
        return found
    return _RULES.parse(message[:1].upper() + message[1:], event)  # the oldest versions write small letters


def _set_own(own: re.Match[str], event: Event) -> None:
    event.setdefault("process_name", "dropbear")
    if (pid := number(own[1])) is not None:
        event.setdefault("process_pid", pid)
    month = MONTHS.get(own[2].lower())
    if month is not None:
        day, hour, minute, second = (int(part) for part in own.group(3, 4, 5, 6))
        set_civil(event, (month, day, hour, minute, second))


STREAM = Stream(name="dropbear", programs=("dropbear",), parse=parse, sniff=sniff)
