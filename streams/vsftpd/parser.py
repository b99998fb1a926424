"""Parses lines of vsftpd: connections, logins, transfers, changes, each with its client.

It reads vsftpd 2 and 3 in its own file (`Tue Nov 24 05:00:00 2026 [pid 12] [alice] OK LOGIN: Client "192.0.2.10"`) or
by syslog (`syslog_enable`: the same without date and pid); `FTP command` and `FTP response` of `log_ftp_protocol`; PAM
lines under vsftpd. `streams/ATTEMPTS.md` says which lines are attempts. Sources: vsftpd logging.c, prelogin.c,
ftpcmdio.c.
https://security.appspot.com/vsftpd/vsftpd_conf.html

The client chooses user, path, command and anonymous password, and vsftpd escapes nothing. The user stands before the
verdict, the others after it. Of a line that may be read in several ways, the event has neither user nor verdict.
"""

import re
from collections.abc import Iterator
from itertools import islice

from streams.base import StateStore, Stream
from streams.common.ftp_events import FAILED, LOGIN, OPENED, PROTOCOL, on_file, pam
from streams.common.text import extra, number, put, set_endpoint
from streams.syslog.own_times import timed
from topics.event import Event

_DEBUG: Event = {**OPENED, "event_type": ["info"], "event_action": "ftp_message"}

_OWN_FILE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} \[pid [0-9]{1,10}\] ")
_CLIENT = r": Client \"([0-9A-Fa-f.:]{2,45})\""
_PID = re.compile(r"\[pid ([0-9]{1,10})\] ")
_VERDICT = re.compile(
    r"(?:(OK|FAIL) LOGIN|(OK|FAIL) (UPLOAD|DOWNLOAD|MKDIR|RMDIR|DELETE|RENAME|CHMOD|APPEND)"
    rf"|(CONNECT|DEBUG|FTP command|FTP response)){_CLIENT}"
)
_AFTER_LOGIN = re.compile(r"(?:, anon password \"(.++)(?<=\")|, \"([A-Za-z0-9 ,.']{1,120})\")?", re.DOTALL)
_AFTER_OTHERS = re.compile(r"(?:, (.*))?", re.DOTALL)
_MOST_VERDICTS = 8
_BARE = "authentication failure; logname="
"""Messages that PAM of Linux wrote to a daemon's own log, without its name."""
_TRANSFER = re.compile(r"\"(.*)\"(?:, ([0-9]{1,18}) bytes)?, ([0-9.]{1,16})Kbyte/sec", re.DOTALL)
_TYPES = {
    "UPLOAD": "creation",
    "APPEND": "change",
    "DOWNLOAD": "access",
    "MKDIR": "creation",
    "RMDIR": "deletion",
    "DELETE": "deletion",
    "RENAME": "change",
    "CHMOD": "change",
}
_FILES = {what: on_file(f"ftp_{what.lower()}", kind) for what, kind in _TYPES.items()}
_OTHERS = {"CONNECT": OPENED, "DEBUG": _DEBUG, "FTP command": PROTOCOL, "FTP response": PROTOCOL}


def sniff(text: str) -> bool:
    """Whether a line is of vsftpd's own file."""
    return _OWN_FILE.match(text) is not None


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one line of vsftpd; False when it names no client."""
    if sniff(message):
        return timed(_line, message, event, state)
    if message.startswith(_BARE):
        message = f"pam_unix(vsftpd:auth): {message}"
    return _line(message, event, state) or pam(message, event)


def _line(message: str, event: Event, state: StateStore) -> bool:
    head = _PID.match(message)
    start = head.end() if head else 0
    readings = list(_readings(message, start))
    if not readings:
        return False
    if head:
        event["process_pid"] = int(head[1])
    event.setdefault("process_name", "vsftpd")
    if len(readings) > 1:
        event.update(_DEBUG)
        return True
    found, after = readings[0]
    login, outcome, what, other, address = found.groups("")
    if login:
        event.update(LOGIN if login == "OK" else FAILED)
    elif what:
        event.update(_FILES[what], event_outcome="success" if outcome == "OK" else "failure")
    else:
        event.update(_OTHERS[other])
    if found.start() > start:
        put(event, "user_name", message[start + 1 : found.start() - 2])
    set_endpoint(event, "source", address)
    if login:
        _details_of_login(after, event)
    elif after[1]:
        _details(after[1], event)
    return True


def _readings(message: str, start: int) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Each verdict that may be vsftpd's own, with the text after it: one at the start, else those after a `[user]`."""
    if own := _VERDICT.match(message, start):
        after = (_AFTER_LOGIN if own[1] else _AFTER_OTHERS).fullmatch(message, own.end())
        return iter([(own, after)] if after else [])
    if not message.startswith("[", start):
        return iter(())
    found = islice(_VERDICT.finditer(message, start), _MOST_VERDICTS)
    named = (verdict for verdict in found if message.startswith("] ", verdict.start() - 2))
    tails = (
        (verdict, (_AFTER_LOGIN if verdict[1] else _AFTER_OTHERS).fullmatch(message, verdict.end()))
        for verdict in named
    )
    return ((verdict, after) for verdict, after in tails if after)


def _details_of_login(after: re.Match[str], event: Event) -> None:
    if after[1] and len(after[1]) > 1:
        extra(event)["vsftpd.anonymous_password"] = after[1][:-1]
    if after[2]:
        extra(event)["vsftpd.text"] = after[2]


def _details(more: str, event: Event) -> None:
    """Set the columns of `"/path", 1234 bytes, 10.00Kbyte/sec`, `"/path"`, or a command of the protocol."""
    fields = extra(event)
    if found := _TRANSFER.fullmatch(more):
        fields["file.path"] = found[1]
        fields["vsftpd.kbytes_per_second"] = found[3]
        if found[2]:
            fields["vsftpd.bytes"] = number(found[2])
    elif event["event_category"] == ["file"] and more.startswith('"') and more.endswith('"') and len(more) > 2:
        fields["file.path"] = more[1:-1]
    else:
        fields["vsftpd.text"] = more


STREAM = Stream(name="vsftpd", programs=("vsftpd",), parse=parse, sniff=sniff)
