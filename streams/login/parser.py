"""Parses messages of login: who logged in on a terminal, who failed, and from where.

It reads login of util-linux (`LOGIN ON tty1 BY alice`), of shadow (`FAILED LOGIN (1) on '/dev/tty1' FOR 'alice', ...`),
of the BSDs (`1 LOGIN FAILURE ON ttyv0`), of Solaris and AIX, what agetty writes, and PAM lines under these programs.
`streams/ATTEMPTS.md` says which lines are attempts. Sources: util-linux login-utils/login.c (`log_syslog`,
`log_audit`), shadow src/login.c, FreeBSD usr.bin/login/login.c.
https://man7.org/linux/man-pages/man1/login.1.html

The user types the name. What stands right of it (the reason) is PAM's own text, and has no comma.
"""

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.domains import name_source
from streams.common.text import extra
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "login"}
_LOGIN: Event = {
    **_SERVICE,
    "event_category": ["authentication", "session"],
    "event_type": ["start"],
    "event_action": "login",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_FAILED: Event = {**_LOGIN, "event_category": ["authentication"], "event_outcome": "failure"}
_ROOT: Event = {**_LOGIN, "user_name": "root"}
_GIVEN_UP: Event = {key: value for key, value in _FAILED.items() if key != "ogrewatch_attempt"} | {
    "event_type": ["info"]
}
_INFO: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "login_message",
}
_ENDED: Event = {
    **_SERVICE,
    "event_category": ["authentication", "session"],
    "event_type": ["end"],
    "event_action": "logout",
}

_TTY = r"(?P<tty>\S+)"
_FROM = r"(?: (?:FROM|from) '?(?P<source_ip>[^\s',]+)'?)?"
_NAME = r"'?(?P<user_name>.*?)'?"
_WHY = r"(?P<reason>[^,]*)"
_ON = r"on '?(?P<tty>[^\s']+)'?"
_COUNT = r"\(?(?P<tries>[0-9]{1,6})\)?"

_MESSAGES = Rules(
    "login",
    {
        "LOGIN": (
            Rule(rf"ON {_TTY} BY (?P<user_name>.*) FROM (?P<source_ip>\S+)", _LOGIN),
            Rule(rf"ON {_TTY} BY (?P<user_name>.*)", _LOGIN),
            Rule(rf"(?P<user_name>.*) REFUSED FROM (?P<source_ip>\S+) ON TTY {_TTY}", _FAILED),
            Rule(rf"(?P<user_name>.*) REFUSED ON TTY {_TTY}", _FAILED),
            Rule(r"FAILURE ON (?P<tty>[^\s,]+), (?P<user_name>.*)", _FAILED),
        ),
        "login": (
            Rule(r"on (?P<tty>\S+) as (?P<user_name>.*)", _LOGIN),
            Rule(r"from (?P<source_ip>\S+) on (?P<tty>\S+) as (?P<user_name>.*)", _LOGIN),
        ),
        "DIALUP": (Rule(rf"AT {_TTY} BY (?P<user_name>.*)", _INFO),),
        "ROOT": (
            Rule(rf"LOGIN REFUSED ON {_TTY}{_FROM}", {**_FAILED, "user_name": "root"}),
            Rule(rf"LOGIN ON {_TTY}{_FROM}", _ROOT),
            Rule(rf"LOGIN  ?{_ON}{_FROM}", _ROOT),
            Rule(rf"LOGIN \(\S+\) (?:ON|on) {_TTY}{_FROM}", _ROOT),
            Rule(rf"LOGIN (?P<tty>/dev/\S+){_FROM}", _ROOT),
        ),
        "REPEATED": (
            Rule(r"LOGIN FAILURES ON (?P<tty>[^\s,]+) FROM (?P<source_ip>[^\s,]+), (?P<user_name>.*)", _FAILED),
            Rule(r"LOGIN FAILURES ON (?P<tty>[^\s,]+), (?P<user_name>.*)", _FAILED),
        ),
        "Login": (Rule(rf"failure {_ON}{_FROM}(?:, (?P<user_name>.*))?", _FAILED),),
        "failed": (Rule(r"login attempt for (?P<user_name>.*) from (?P<source_ip>\S+)", _FAILED),),
        "ILLEGAL": (Rule(rf"ROOT LOGIN  ?{_ON}{_FROM}", {**_FAILED, "user_name": "root"}),),
        "FAILED": (
            Rule(rf"LOGIN {_COUNT} FROM (?P<source_ip>\S+) FOR {_NAME}, {_WHY}", _FAILED),
            Rule(rf"LOGIN SESSION FROM (?P<source_ip>\S+) FOR {_NAME}, {_WHY}", _GIVEN_UP),
            Rule(rf"LOGIN {_COUNT} {_ON}{_FROM} FOR {_NAME}, {_WHY}", _FAILED),
            Rule(rf"LOGIN {_COUNT} {_ON}{_FROM} FOR {_NAME}", _FAILED),
        ),
        "TOO": (
            Rule(rf"MANY LOGIN TRIES {_COUNT} FROM (?P<source_ip>\S+) FOR {_NAME}, {_WHY}", _GIVEN_UP),
            Rule(rf"MANY LOGIN TRIES {_COUNT} {_ON}{_FROM} FOR {_NAME}", _GIVEN_UP),
        ),
        "invalid": (Rule(rf"password for {_NAME} {_ON}{_FROM}", _FAILED),),
        "unable": (Rule(r"to change owner or mode of tty (?P<reason>.*)", _INFO),),
        "USER_PROCESS:": (Rule(r"(?P<session_pid>[0-9]{1,10}) (?P<tty>\S+)", _INFO),),
        "DEAD_PROCESS:": (Rule(r"(?P<session_pid>[0-9]{1,10}) (?P<tty>\S+)", _ENDED),),
    },
)
_COUNTED = Rules(
    "login",
    {
        "LOGIN": (
            Rule(r"FAILURES? ON (?P<tty>[^\s,]+)(?:, (?P<user_name>.*))?", _FAILED),
            Rule(r"FAILURES? FROM (?P<source_ip>[^\s,]+)(?:, (?P<user_name>.*))?", _FAILED),
        ),
    },
)
_MOST_TRIES = 1000


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of login; False when it says nothing about a login."""
    if _MESSAGES.parse(message, event) or _failures(message, event) or _of_aix(message, event):
        return _tidy(event)
    if pam_lines.parse(message, event, "login"):
        event.update(_SERVICE)
        return True
    return False


def _failures(message: str, event: Event) -> bool:
    """Count three attempts for `3 LOGIN FAILURES ON ttyv0, alice` of the BSDs."""
    count, _, rest = message.partition(" ")
    if not (count.isdigit() and count.isascii() and len(count) < 6 and _COUNTED.parse(rest, event)):
        return False
    event["ogrewatch_attempt"] = min(max(int(count), 1), _MOST_TRIES)
    return True


def _of_aix(message: str, event: Event) -> bool:
    """Parse AIX's `ssh: failed login attempt for alice from 192.0.2.1`; a terminal may stand before it."""
    where, colon, rest = message.partition(": ")
    if not colon or not rest.startswith("failed login attempt ") or not _MESSAGES.parse(rest, event):
        return False
    if where == "ssh":  # sshd has its own line for it
        del event["ogrewatch_attempt"]
    elif where.startswith("/dev/"):
        extra(event)["login.tty"] = where
    return True


def _tidy(event: Event) -> bool:
    """Correct the peer: a terminal may stand where a host may; `(null)` and `UNKNOWN` mean that there is none."""
    fields = event.get("extra") or {}
    address = fields.get("source.address", "")
    if address.startswith(("tty", "pts/", "/dev/", "console", "hvc")):
        fields["login.tty"] = fields.pop("source.address").removeprefix("/dev/")
    name_source(event)
    if event.get("user_name") in ("UNKNOWN", "(unknown)", "(null)"):
        del event["user_name"]
    return True


STREAM = Stream(name="login", programs=("login", "agetty", "remote", "syslog", "tsm"), parse=parse)
