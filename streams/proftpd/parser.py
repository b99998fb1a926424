"""From a message of ProFTPD to columns: logins, failures and their reasons, sessions.

Enters: `SERVER (HOST[ADDRESS]) - MESSAGE` of syslog and `SERVER (HOST[ADDRESS]): MESSAGE` of its SystemLog, ProFTPD 1.2
to 1.3, mod_sftp too; PAM lines under it. Which lines are attempts is in `streams.base`. Sources: ProFTPD
modules/mod_auth.c, src/log.c, src/session.c. http://www.proftpd.org/docs/

The client chooses the user's name: the address stands left of it, and in `no such user found` right of it as well.
"""

import re

from streams import pam_lines
from streams.base import Joins, Stream
from streams.rules import Rule, Rules
from streams.text import extra, set_endpoint
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "ftp"}
_LOGIN: Event = {
    **_SERVICE,
    "event_category": ["authentication", "session"],
    "event_type": ["start"],
    "event_action": "ftp_login",
    "event_outcome": "success",
    "ogrewatch_attempt": 1,
}
_FAILED: Event = {**_LOGIN, "event_category": ["authentication"], "event_outcome": "failure"}
_REFUSED: Event = {
    **_SERVICE,
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "ftp_login",
    "event_outcome": "failure",
}
_OPENED: Event = {
    **_SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "start"],
    "event_action": "ftp_connection_opened",
}
_CLOSED: Event = {**_OPENED, "event_type": ["connection", "end"], "event_action": "ftp_connection_closed"}
_BROKEN: Event = {**_CLOSED, "event_outcome": "failure"}
_DENIED: Event = {**_OPENED, "event_type": ["connection", "denied"], "event_outcome": "failure"}
_SESSION: Event = {**_SERVICE, "event_category": ["session"], "event_type": ["info"], "event_action": "ftp_message"}
_SERVER: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "server_message"}

_PEER = re.compile(
    r"(?:[^\s()]{1,255}: )?(\S{1,255}) \(([^\s\[\]()]{0,255})\[([0-9A-Fa-f.:]{2,45})\]\)(?: -|:) (.*)", re.DOTALL
)
_OWN = re.compile(r"(\S{1,255}) - (.*)", re.DOTALL)
_MAPPED = "::ffff:"
_USER = r"(?P<user_name>.*)"
_LOGINS = (
    Rule(rf"{_USER}: Login successful\.?", _LOGIN),
    Rule(
        rf"{_USER}: no such user found from \S* ?\[(?P<source_ip>[^\[\]\s]+)\] to "
        r"(?P<destination_ip>\S+):(?P<destination_port>[0-9]{1,5})",
        _FAILED,
    ),
    Rule(rf"{_USER} \(Login failed\): (?P<reason>[^()]*(?:\([^()]*\)[^()]*)?)", _FAILED),
    Rule(rf"{_USER}: no such user found", _FAILED),
    Rule(rf"{_USER}: (?P<reason>[Ll]ogin (?:failed|denied|refused).*)", _FAILED),
)
_REASON = r"(?P<reason>.*)"
_VIOLATION = {**_FAILED, "user_name": "root"}

_MESSAGES = Rules(
    "proftpd",
    {
        "USER": _LOGINS,
        "ANON": _LOGINS,
        "ANONYMOUS": _LOGINS,
        "SECURITY": (Rule(r"VIOLATION: (?P<reason>[Rr]oot login attempted)\.?", _VIOLATION),),
        "Maximum": (Rule(r"(?P<reason>login attempts \([0-9]{1,9}\) exceeded.*)", _REFUSED),),
        "FTP": (
            Rule(r"session opened\.?", _OPENED),
            Rule(r"session closed\.?", _CLOSED),
            Rule(r"(?P<reason>login timed out.*)", _REFUSED),
            Rule(r"(?P<reason>.*(?:timeout|timed out).*)", _BROKEN),
        ),
        "SSH2": (Rule(r"session opened\.?", _OPENED), Rule(r"session closed\.?", _CLOSED)),
        "SFTP": (Rule(r"session opened\.?", _OPENED), Rule(r"session closed\.?", _CLOSED)),
        "Connection": (
            Rule(r"from \S* ?\[(?P<source_ip>[^\[\]\s]+)\] denied\.?", _DENIED),
            Rule(r"(?P<reason>refused.*)", _DENIED),
        ),
        "Preparing": (Rule(r"to chroot to directory '(?P<root>.*)'", _SESSION),),
        "ProFTPD": (Rule(r"(?P<version>\S+) (?P<reason>.*)", _SERVER), Rule(_REASON, _SERVER)),
        "notice:": (Rule(_REASON, _SESSION),),
        "warning:": (Rule(_REASON, _SERVER),),
        "error:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "fatal:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "Fatal:": (Rule(_REASON, {**_SERVER, "event_outcome": "failure"}),),
        "user": (Rule(r"'(?P<user_name>.*)' authenticated via '(?P<method>[^']*)' method", _SESSION),),
    },
)


def parse(message: str, event: Event, joins: Joins) -> bool:
    """Columns of one message of ProFTPD; False for what is neither of a client nor about the server."""
    found = _PEER.fullmatch(message)
    if found is not None:
        return _of_client(found, event)
    if pam_lines.parse(message, event, "ftp_login"):
        event.update(_SERVICE)
        return True
    own = _OWN.fullmatch(message)
    return _MESSAGES.parse(own[2] if own else message, event)


def _of_client(found: re.Match[str], event: Event) -> bool:
    server, host, address, text = found.groups()
    known = _MESSAGES.parse(text, event)
    if not known:
        event.update(_SESSION)
    set_endpoint(event, "source", address.removeprefix(_MAPPED) if "." in address else address)
    fields = extra(event)
    fields["proftpd.server"] = server
    if not known:
        fields["proftpd.reason"] = text
    if host and host != address:
        fields["source.domain"] = host
    return True


STREAM = Stream(name="proftpd", programs=("proftpd", "in.proftpd"), parse=parse)
