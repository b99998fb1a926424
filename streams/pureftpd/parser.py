"""From a message of Pure-FTPd to columns: connections, logins, failures, transfers.

Enters: `(USER@HOST) [LEVEL] TEXT`, Pure-FTPd 1.0, USER being `?` before a login; PAM lines under it. Its catalogues
translate the text (src/messages_*.h), so a warning that ends with a name in brackets is a failed login in any language.
Which lines are attempts is in `streams.base`. Sources: Pure-FTPd src/ftpd.c, src/log_puredb.c, src/messages_en.h.
https://www.pureftpd.org/project/pure-ftpd/doc/

The client chooses names and paths; the account before `@` is one that has logged in, or `?`.
"""

import re

from streams import pam_lines
from streams.base import Joins, Stream
from streams.rules import LONGEST
from streams.text import extra, number, put, set_endpoint
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
_CONNECTED: Event = {
    **_SERVICE,
    "event_category": ["network"],
    "event_type": ["connection", "start"],
    "event_action": "ftp_connection_opened",
}
_PROTOCOL: Event = {**_CONNECTED, "event_type": ["protocol", "info"], "event_action": "ftp_protocol"}
_LEFT: Event = {**_SERVICE, "event_category": ["session"], "event_type": ["end"], "event_action": "ftp_logout"}
_SESSION: Event = {**_LEFT, "event_type": ["info"], "event_action": "ftp_message"}
_FILE: Event = {**_SERVICE, "event_category": ["file"], "event_type": ["access"], "event_outcome": "success"}
_TRANSFERS: dict[str, Event] = {
    "uploaded": {**_FILE, "event_type": ["creation"], "event_action": "ftp_upload"},
    "downloaded": {**_FILE, "event_action": "ftp_download"},
}

_LINE = re.compile(r"\((.*?)@([^@\s()]{1,255})\) \[(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL)\] (.*)", re.DOTALL)
_FAILURE = re.compile(r"[^\[\]]{1,200} \[(.*)\]", re.DOTALL)
_DISABLED = re.compile(r"Can't login as \[(.*)\]: account disabled", re.DOTALL)
_TRANSFER = re.compile(r"(.*) (uploaded|downloaded) {1,2}\(([0-9]{1,18}) bytes, ([0-9.]{1,16})KB/sec\)", re.DOTALL)
_LOGGED_IN = " is now logged in"
_TIMEOUTS = ("Timeout", "Too many authentication failures", "Sorry, cleartext sessions")


def parse(message: str, event: Event, joins: Joins) -> bool:
    """Columns of one message of Pure-FTPd; False for what names no session."""
    found = _LINE.fullmatch(message) if len(message) <= LONGEST else None
    if found is None:
        return _pam(message, event)
    account, host, level, text = found.groups()
    if account not in ("?", ""):
        event["user_name"] = account
    _say(level, text, event)
    if host != "?":
        set_endpoint(event, "source", host)
    extra(event)["log.level"] = level.lower()
    return True


def _pam(message: str, event: Event) -> bool:
    if not pam_lines.parse(message, event, "ftp_login"):
        return False
    event.update(_SERVICE)
    return True


def _say(level: str, text: str, event: Event) -> None:
    if level in ("WARNING", "ERROR"):
        _refusal(text, event)
    elif level == "INFO" and text.endswith(_LOGGED_IN):
        event.update(_LOGIN)
        put(event, "user_name", text.removesuffix(_LOGGED_IN))
    elif level == "NOTICE":
        _transfer(text, event)
    else:
        _progress(text, event)


def _refusal(text: str, event: Event) -> None:
    if found := _DISABLED.fullmatch(text) or _FAILURE.fullmatch(text):
        event.update(_FAILED)
        put(event, "user_name", found[1])
    else:
        event.update(_REFUSED if text.startswith(_TIMEOUTS) else _SESSION)


def _transfer(text: str, event: Event) -> None:
    found = _TRANSFER.fullmatch(text)
    if found is None:
        event.update(_SESSION)
        return
    event.update(_TRANSFERS[found[2]])
    fields = extra(event)
    fields["file.path"] = found[1]
    fields["pureftpd.bytes"] = number(found[3])


def _progress(text: str, event: Event) -> None:
    if text.startswith("New connection from "):
        event.update(_CONNECTED)
    elif text.startswith("Command ["):
        event.update(_PROTOCOL)
    elif text in ("Anonymous user logged in", "Anonymous user logged in the virtual FTP"):
        event.update(_LOGIN)
        event.setdefault("user_name", "ftp")
    elif text.startswith("Logout."):
        event.update(_LEFT)
    else:
        event.update(_REFUSED if text.startswith(_TIMEOUTS) else _SESSION)


STREAM = Stream(name="pureftpd", programs=("pure-ftpd", "pure-ftpd-mysql", "pure-ftpd-ldap"), parse=parse)
