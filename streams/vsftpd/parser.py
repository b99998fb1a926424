r"""From a line of vsftpd to columns: connections, logins, transfers, changes, each with its client.

Enters: vsftpd 2 and 3 in its own file (`Tue Nov 24 05:00:00 2026 [pid 12] [alice] OK LOGIN: Client "192.0.2.10"`) or by
syslog (`syslog_enable`: the same without date and pid); `FTP command` and `FTP response` of `log_ftp_protocol`; PAM
lines under vsftpd. Which lines are attempts is in `streams.base`. Sources: vsftpd logging.c, prelogin.c, ftpcmdio.c.
https://security.appspot.com/vsftpd/vsftpd_conf.html

The client chooses user and path. vsftpd writes the user before the verdict, so the verdict that counts is the last one
that what follows it fits: nothing or an anonymous password after a login, anything after the others.
"""

import re

from streams.base import Joins, Stream
from streams.ftp_events import FAILED, LOGIN, OPENED, PROTOCOL, on_file, pam
from streams.own_times import timed
from streams.text import extra, number, put, set_endpoint
from topics.event import Event

_DEBUG: Event = {**OPENED, "event_type": ["info"], "event_action": "ftp_message"}

_OWN_FILE = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4} \[pid [0-9]{1,10}\] ")
_CLIENT = r": Client \"([0-9A-Fa-f.:]{2,45})\""
_LINE = re.compile(
    r"(?:\[pid ([0-9]{1,10})\] )?(?:\[(.*)\] )?"
    rf"(?:(OK|FAIL) LOGIN{_CLIENT}(?:, anon password \"(.++)(?<=\")|, \"([A-Za-z0-9 ,.']{{1,120}})\")?"
    r"|(?:(OK|FAIL) (UPLOAD|DOWNLOAD|MKDIR|RMDIR|DELETE|RENAME|CHMOD|APPEND)"
    rf"|(CONNECT|DEBUG|FTP command|FTP response)){_CLIENT}(?:, (.*))?)",
    re.DOTALL,
)
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


def parse(message: str, event: Event, joins: Joins) -> bool:
    """Columns of one line of vsftpd; False for what names no client."""
    if sniff(message):
        return timed(_line, message, event, joins)
    return _line(message, event, joins) or pam(message, event)


def _line(message: str, event: Event, joins: Joins) -> bool:
    found = _LINE.fullmatch(message)
    if found is None:
        return False
    pid, user, login, peer, password, why, outcome, what, other, address, more = found.groups("")
    if login:
        event.update(LOGIN if login == "OK" else FAILED)
    elif what:
        event.update(_FILES[what], event_outcome="success" if outcome == "OK" else "failure")
    else:
        event.update(_OTHERS[other])
    _client(pid, user, peer or address, event)
    if password:
        extra(event)["vsftpd.anonymous_password"] = password[:-1]
    if why:
        extra(event)["vsftpd.text"] = why
    if more:
        _details(more, event)
    return True


def _client(pid: str, user: str, address: str, event: Event) -> None:
    event.setdefault("process_name", "vsftpd")
    if pid:
        event["process_pid"] = int(pid)
    put(event, "user_name", user)
    set_endpoint(event, "source", address)


def _details(more: str, event: Event) -> None:
    """`"/path", 1234 bytes, 10.00Kbyte/sec`, `"/path"`, or a command of the protocol."""
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
