"""Parses messages of ProFTPD: logins, failures and their reasons, sessions.

It reads `SERVER (HOST[ADDRESS]) - MESSAGE` of syslog and `SERVER (HOST[ADDRESS]): MESSAGE` of its SystemLog, ProFTPD
1.2 to 1.3, mod_sftp too; PAM lines under it. `streams/ATTEMPTS.md` says which lines are attempts. Sources: ProFTPD
modules/mod_auth.c, src/log.c, src/session.c. http://www.proftpd.org/docs/

The client chooses the user's name. The address stands left of it, and in `no such user found` right of it as well.
"""

import re

from streams.base import StateStore, Stream
from streams.common.ftp_events import CLOSED, FAILED, LOGIN, OPENED, REFUSED, SERVICE, SESSION, pam
from streams.common.text import extra, set_endpoint
from streams.mapping.rules import Rule, Rules
from topics.event import Event

_BROKEN: Event = {**CLOSED, "event_outcome": "failure"}
_DENIED: Event = {**OPENED, "event_type": ["connection", "denied"], "event_outcome": "failure"}
_SERVER: Event = {**SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}

_PEER = re.compile(
    r"(?:[^\s()]{1,255}: )?(\S{1,255}) \(([^\s\[\]()]{0,255})\[([0-9A-Fa-f.:]{2,45})\]\)(?: -|:) (.*)", re.DOTALL
)
_OWN = re.compile(r"(\S{1,255}) - (.*)", re.DOTALL)
_USER = r"(?P<user_name>.*)"
_LOGINS = (
    Rule(rf"{_USER}: Login successful\.?", LOGIN),
    Rule(
        rf"{_USER}: no such user found from \S* ?\[(?P<source_ip>[^\[\]\s]+)\] to "
        r"(?P<destination_ip>\S+):(?P<destination_port>[0-9]{1,5})",
        FAILED,
    ),
    Rule(rf"{_USER} \(Login failed\): (?P<reason>[^()]*(?:\([^()]*\)[^()]*)?)", FAILED),
    Rule(rf"{_USER}: no such user found", FAILED),
    Rule(rf"{_USER}: (?P<reason>[Ll]ogin (?:failed|denied|refused).*)", FAILED),
)
_REASON = r"(?P<reason>.*)"
_VIOLATION = {**FAILED, "user_name": "root"}

_MESSAGES = Rules(
    "proftpd",
    {
        "USER": _LOGINS,
        "ANON": _LOGINS,
        "ANONYMOUS": _LOGINS,
        "SECURITY": (Rule(r"VIOLATION: (?P<reason>[Rr]oot login attempted)\.?", _VIOLATION),),
        "Maximum": (Rule(r"(?P<reason>login attempts \([0-9]{1,9}\) exceeded.*)", REFUSED),),
        "FTP": (
            Rule(r"session opened\.?", OPENED),
            Rule(r"session closed\.?", CLOSED),
            Rule(r"(?P<reason>login timed out.*)", REFUSED),
            Rule(r"(?P<reason>.*(?:timeout|timed out).*)", _BROKEN),
        ),
        "SSH2": (Rule(r"session opened\.?", OPENED), Rule(r"session closed\.?", CLOSED)),
        "SFTP": (Rule(r"session opened\.?", OPENED), Rule(r"session closed\.?", CLOSED)),
        "Connection": (
            Rule(r"from \S* ?\[(?P<source_ip>[^\[\]\s]+)\] denied\.?", _DENIED),
            Rule(r"(?P<reason>refused.*)", _DENIED),
        ),
        "Preparing": (Rule(r"to chroot to directory '(?P<root>.*)'", SESSION),),
        "ProFTPD": (Rule(r"(?P<version>\S+) (?P<reason>.*)", _SERVER), Rule(_REASON, _SERVER)),
        "notice:": (Rule(_REASON, SESSION),),
        "warning:": (Rule(_REASON, _SERVER),),
        "error:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "fatal:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "Fatal:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "user": (Rule(r"'(?P<user_name>.*)' authenticated via '(?P<method>[^']*)' method", SESSION),),
    },
)


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of ProFTPD; False when it is about neither a client nor the server."""
    found = _PEER.fullmatch(message)
    if found is not None:
        return _of_client(found, event)
    if pam(message, event):
        return True
    own = _OWN.fullmatch(message)
    return _MESSAGES.parse(own[2] if own else message, event)


def _of_client(found: re.Match[str], event: Event) -> bool:
    server, host, address, text = found.groups()
    known = _MESSAGES.parse(text, event)
    if not known:
        event.update(SESSION)
    set_endpoint(event, "source", address)
    fields = extra(event)
    fields["proftpd.server"] = server
    if not known:
        fields["proftpd.reason"] = text
    if host and host != address:
        fields["source.domain"] = host
    return True


STREAM = Stream(name="proftpd", programs=("proftpd", "in.proftpd"), parse=parse)
