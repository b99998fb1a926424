"""Parses messages of Pure-FTPd: connections, logins, failures, transfers.

It reads `(USER@HOST) [LEVEL] TEXT`, Pure-FTPd 1.0, USER being `?` before a login; PAM lines under it. Its text may be
translated (src/messages_*.h), so a warning that ends with a name in brackets is a failed login in any language.
`streams/ATTEMPTS.md` says which lines are attempts. Sources: Pure-FTPd src/ftpd.c, src/log_puredb.c, src/messages_en.h.
https://www.pureftpd.org/project/pure-ftpd/doc/

The client chooses names and paths; the account before `@` is one that has logged in, or `?`.
"""

import re

from streams.base import StateStore, Stream
from streams.common.domains import name_source
from streams.common.ftp_events import FAILED, LEFT, LOGIN, OPENED, PROTOCOL, REFUSED, SESSION, on_file, pam
from streams.common.text import extra, number, put, set_endpoint
from streams.mapping.rules import LONGEST
from topics.event import Event

_TRANSFERS: dict[str, Event] = {
    "uploaded": {**on_file("ftp_upload", "creation"), "event_outcome": "success"},
    "downloaded": {**on_file("ftp_download", "access"), "event_outcome": "success"},
}

_LINE = re.compile(r"\((.*?)@([^@\s()]{1,255})\) \[(DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL)\] (.*)", re.DOTALL)
_FAILURE = re.compile(r"[^\[\]]{1,200} \[(.*)\]", re.DOTALL)
_DISABLED = re.compile(r"Can't login as \[(.*)\]: account disabled", re.DOTALL)
_TRANSFER = re.compile(r"(.*) (uploaded|downloaded) {1,2}\(([0-9]{1,18}) bytes, ([0-9.]{1,16})KB/sec\)", re.DOTALL)
_LOGGED_IN = " is now logged in"
_TIMEOUTS = ("Timeout", "Too many authentication failures", "Sorry, cleartext sessions")


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of Pure-FTPd; False when it names no session."""
    found = _LINE.fullmatch(message) if len(message) <= LONGEST else None
    if found is None:
        return pam(message, event)
    account, host, level, text = found.groups()
    if account not in ("?", ""):
        event["user_name"] = account
    _say(level, text, event)
    if host != "?":
        set_endpoint(event, "source", host)
        name_source(event)
    extra(event)["log.level"] = level.lower()
    return True


def _say(level: str, text: str, event: Event) -> None:
    if level in ("WARNING", "ERROR"):
        _refusal(text, event)
    elif level == "INFO" and text.endswith(_LOGGED_IN):
        event.update(LOGIN)
        put(event, "user_name", text.removesuffix(_LOGGED_IN))
    elif level == "NOTICE":
        _transfer(text, event)
    else:
        _progress(text, event)


def _refusal(text: str, event: Event) -> None:
    if found := _DISABLED.fullmatch(text) or _FAILURE.fullmatch(text):
        event.update(FAILED)
        put(event, "user_name", found[1])
    else:
        event.update(REFUSED if text.startswith(_TIMEOUTS) else SESSION)


def _transfer(text: str, event: Event) -> None:
    found = _TRANSFER.fullmatch(text)
    if found is None:
        event.update(SESSION)
        return
    event.update(_TRANSFERS[found[2]])
    fields = extra(event)
    fields["file.path"] = found[1]
    fields["pureftpd.bytes"] = number(found[3])


def _progress(text: str, event: Event) -> None:
    if text.startswith("New connection from "):
        event.update(OPENED)
    elif text.startswith("Command ["):
        event.update(PROTOCOL)
    elif text in ("Anonymous user logged in", "Anonymous user logged in the virtual FTP"):
        event.update(LOGIN)
        event.setdefault("user_name", "ftp")
    elif text.startswith("Logout."):
        event.update(LEFT)
    else:
        event.update(REFUSED if text.startswith(_TIMEOUTS) else SESSION)


STREAM = Stream(name="pureftpd", programs=("pure-ftpd", "pure-ftpd-mysql", "pure-ftpd-ldap"), parse=parse)
