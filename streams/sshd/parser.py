"""Parses messages of OpenSSH's server: logins, refusals, connections, sessions.

It reads the message without its header, of `sshd`, `sshd-session` and `sshd-auth` (the split programs of OpenSSH 9.8
and 10), versions 6 to 10, at any LogLevel up to VERBOSE; PAM lines under these names; what `internal-sftp` and
`sftp-server` write of files (`streams.sshd.sftp`). `streams/ATTEMPTS.md` says which lines are attempts. Sources:
OpenSSH auth.c (`auth_log`); the other messages are in `streams.sshd.messages`.
https://man.openbsd.org/sshd_config#LogLevel
"""

import re

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.domains import name_source
from streams.common.text import extra, set_endpoint
from streams.sshd.messages import MESSAGES
from streams.sshd.patterns import CONFIGURED, SERVICE, SESSION, UNABLE
from streams.sshd.sftp import sftp
from topics.event import PEER_OF_CONNECTION, Event

_LOGIN: Event = {**SERVICE, "event_category": ["authentication"], "event_type": ["start"], "event_action": "ssh_login"}
_VERDICTS: dict[str, Event] = {
    "Accepted": {**_LOGIN, "event_category": SESSION, "event_outcome": "success", "ogrewatch_attempt": 1},
    "Failed": {**_LOGIN, "event_outcome": "failure", "ogrewatch_attempt": 1},
    "Partial": {**_LOGIN, "event_outcome": "unknown", "event_type": ["info"]},
    "Postponed": {**_LOGIN, "event_outcome": "unknown", "event_type": ["info"]},
}
_PROBE: Event = {**_LOGIN, "event_outcome": "failure", "event_type": ["info"]}
_PROBES = ("none", "publickey")
"""Methods whose failure is not counted: "none" asks for the methods, "publickey" offers one key of several."""
_UNKNOWN = ("invalid user ", "illegal user ")
"""The words before a name that no account has; the second until OpenSSH 3.9."""
_NOBODY = "<invalid username>"
"""The name that Solaris writes for a user that does not exist."""
_TITLE = re.compile(r"[^\s\[]{1,64}(?: \[(?:priv|net|accepted)\])?\[([0-9]{1,10})\]: ")
_PREFIXES = ("error: ", "fatal: ", "info: ", "log: ", "debug1: ", "debug2: ", "debug3: ")
_OF_CONNECTIONS = frozenset(("connection_opened", "connection_failed", "connection_closed", "disconnected"))
"""Actions of lines that belong to the connection of their process, until it is closed."""
_KERNEL = re.compile(r"kernel:\[ {0,10}[0-9.]{1,20}\]: ")
"""The kernel's tag, which some relays put before messages of others."""
_WITH_KEY = re.compile(
    r"(.*?) from (\S+) port ([0-9]{1,5}) ssh2: ([A-Za-z0-9@.-]{1,64} (?:SHA256:|MD5:|ID |[0-9a-f]{2}:).*)", re.DOTALL
)
"""A verdict with more than a fingerprint after it: certificate and authority, or the client's user and host. The client
chose those, so the address is the first one that a key follows; but a name that no account has may hold one, too."""
_KEYED = re.compile(r" from \S+ port [0-9]{1,5} ssh2: ")


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of the server; False when it is about neither a login, a connection nor the server."""
    columns = _VERDICTS.get(message.partition(" ")[0])
    if columns is None or not _verdict(message, columns, event):
        bare = _bare(message)
        if not (_other(bare, event) or sftp(bare, event, state) or _complaint(message, bare, event)):
            return _of_macos(message, event, state)
    _join(event, state)
    name_source(event)
    return True


def _join(event: Event, state: StateStore) -> None:
    """Note the peer of a connection, by host and process, or set that of a line about one which names no peer."""
    if (action := event["event_action"]) not in _OF_CONNECTIONS or (pid := event.get("process_pid")) is None:
        return
    key = f"sshd|{event.get('host_hostname', '')}|{pid}"
    if action == "connection_opened":
        if address := event.get("source_ip"):
            state.put(key, [address, event.get("source_port", 0)])
    elif "source_ip" in event:
        if action == "connection_closed":
            state.close(key)
    elif found := state.get(key):
        event["source_ip"], event["source_port"] = found
        extra(event)[PEER_OF_CONNECTION] = True


def _verdict(message: str, columns: Event, event: Event) -> bool:
    """Parse `Failed password for [invalid user ]NAME from 192.0.2.1 port 22 ssh2[: ED25519 SHA256:...]`.

    The client chooses the name, which may contain all of that, so the last address is the right one. One or two words
    may follow it: a Kerberos principal or a key's fingerprint.
    """
    head, _, tail = message.removesuffix(" [preauth]").rpartition(" from ")
    parts = tail.split(" ")
    if len(parts) == 4 and parts[3] in ("ssh2", "ssh1", "ssh2.") and parts[1] == "port":
        return _login(head, parts[0], parts[2], "", columns, event)
    if len(parts) == 3 and parts[1] == "port":  # protocol 1
        return _login(head, parts[0], parts[2], "", columns, event)
    if len(parts) == 1:  # as the oldest versions wrote it
        return _login(head, parts[0], "", "", columns, event)
    if len(parts) > 5 and parts[3] == "on":
        return _login(head, parts[0], parts[2], "", columns, event)
    if len(parts) in (5, 6) and parts[3] == "ssh2:" and parts[1] == "port":
        return _login(head, parts[0], parts[2], " ".join(parts[4:]), columns, event)
    found = _WITH_KEY.fullmatch(message.removesuffix(" [preauth]"))
    if found is None:
        return False
    if not message.startswith("Accepted") and _KEYED.search(message, found.start(3)):
        return _login(" ".join(message.split(" ", 3)[:3]) + " ", "", "", "", columns, event)
    return _login(found[1], found[2], found[3], found[4], columns, event)


def _login(head: str, address: str, port: str, key: str, columns: Event, event: Event) -> bool:
    words = head.split(" ", 3)
    if len(words) != 4 or words[2] != "for":
        return False
    method, user = words[1], words[3]
    event.update(_PROBE if method in _PROBES and words[0] == "Failed" else columns)
    fields = extra(event)
    fields["sshd.method"] = method
    if user.startswith(_UNKNOWN):
        fields["sshd.user_status"], _, user = user.split(" ", 2)
    elif user == _NOBODY:
        fields["sshd.user_status"], user = "invalid", ""
    if key:
        fields["sshd.key"] = key
    if user:
        event["user_name"] = user
    set_endpoint(event, "source", address, port)
    return True


def _bare(message: str) -> str:
    """The message without its level at the beginning and its stage (`[preauth]`) at the end."""
    if message.startswith("kernel:[") and (tag := _KERNEL.match(message)):
        message = message[tag.end() :]
    while message.startswith(_PREFIXES):
        message = message.partition(": ")[2]
    return message.rstrip(" ").removesuffix(" [preauth]").removesuffix(" [postauth]")


def _complaint(message: str, bare: str, event: Event) -> bool:
    """Parse other errors and debugging messages: about the server, its files or the system, not about a login."""
    if not message.startswith(("error: ", "fatal: ", "debug1: ", "debug2: ", "debug3: ")):
        return False
    event.update(CONFIGURED if message.startswith("debug") else UNABLE)
    if bare:
        extra(event)["sshd.reason"] = bare
    return True


def _of_macos(message: str, event: Event, state: StateStore) -> bool:
    """Parse `alice [priv][57911]: USER_PROCESS: 57913 ttys000`, where the title of the process follows `sshd:`."""
    if "process_pid" in event or not (found := _TITLE.match(message)):
        return False
    event["process_pid"] = int(found[1])
    if parse(message[found.end() :], event, state):
        return True
    del event["process_pid"]
    return False


def _other(message: str, event: Event) -> bool:
    if message.startswith(("pam_", "PAM ", "(pam_", "in ")) and _pam(message, event):
        return True
    columns = _VERDICTS.get(message.partition(" ")[0])
    if columns is not None and _verdict(message, columns, event):
        return True
    return MESSAGES.parse(message, event) or (" Duo login for " in message and _pam(message, event))


def _pam(message: str, event: Event) -> bool:
    found = pam_lines.parse(message, event, "ssh_login")
    if found:
        event.update(SERVICE)
    return found


STREAM = Stream(
    name="sshd", programs=("sshd", "sshd-session", "sshd-auth", "internal-sftp", "sftp-server"), parse=parse
)
