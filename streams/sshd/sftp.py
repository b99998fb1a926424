"""Parses messages of OpenSSH's SFTP server: files opened, changed and removed, by whom.

It reads `internal-sftp -l INFO` or `sftp-server`. `session opened` names user and address; later lines of the same
process get both from the `StateStore`. Source: OpenSSH sftp-server.c.
"""

from streams.base import StateStore
from streams.common.text import extra
from streams.mapping.rules import Rule, Rules
from streams.sshd.patterns import SERVICE
from topics.event import Event


def _file(action: str, kind: str) -> Event:
    return {**SERVICE, "event_category": ["file"], "event_type": [kind], "event_action": action}


_OPENED: Event = {
    **SERVICE,
    "event_category": ["session"],
    "event_type": ["start"],
    "event_action": "sftp_session_opened",
    "event_outcome": "success",
}
_CLOSED: Event = {**_OPENED, "event_type": ["end"], "event_action": "sftp_session_closed"}
_SESSION: Event = {**SERVICE, "event_category": ["session"], "event_type": ["info"], "event_action": "sftp_message"}
_STATUS: Event = {**_file("sftp_status", "info"), "event_outcome": "failure"}

_PEER = r"for local user (?P<user_name>.*) from \[(?P<source_ip>[^\]\s]+)\]"
_PATH = r"\"(?P<path>.*)\""
_NEW = r"old \"(?>(?P<old_path>.*)\" new \"(?=.))(?P<path>.*)\""
_MODE = r"(?: mode (?P<mode>[0-7]{1,6}))?"
_DONE = rf"{_PATH} bytes read (?P<bytes_read>[0-9]{{1,18}}) written (?P<bytes_written>[0-9]{{1,18}})"
_LOOK = (Rule(rf"(?:name )?{_PATH}", _file("sftp_stat", "info")),)

_MESSAGES = Rules(
    "sshd",
    {
        "session": (Rule(rf"opened {_PEER}", _OPENED), Rule(rf"closed {_PEER}", _CLOSED)),
        "received": (Rule(r"client version (?P<version>[0-9]{1,6})", _SESSION),),
        "open": (
            Rule(rf"{_PATH} flags (?P<flags>READ){_MODE}", _file("sftp_open", "access")),
            Rule(rf"{_PATH} flags (?P<flags>(?=[A-Z,]*CREATE)[A-Z,]*+){_MODE}", _file("sftp_open", "creation")),
            Rule(rf"{_PATH} flags (?P<flags>[A-Z,]*){_MODE}", _file("sftp_open", "change")),
        ),
        "close": (Rule(_DONE, _file("sftp_close", "access")),),
        "forced": (Rule(rf"close {_DONE}", _file("sftp_close", "access")),),
        "opendir": (Rule(_PATH, _file("sftp_opendir", "access")),),
        "closedir": (Rule(_PATH, _file("sftp_closedir", "access")),),
        "remove": (Rule(rf"name {_PATH}", _file("sftp_remove", "deletion")),),
        "rmdir": (Rule(rf"name {_PATH}", _file("sftp_rmdir", "deletion")),),
        "mkdir": (Rule(rf"name {_PATH}{_MODE}", _file("sftp_mkdir", "creation")),),
        "rename": (Rule(_NEW, _file("sftp_rename", "change")),),
        "posix-rename": (Rule(_NEW, _file("sftp_rename", "change")),),
        "symlink": (Rule(_NEW, _file("sftp_symlink", "creation")),),
        "hardlink": (Rule(_NEW, _file("sftp_hardlink", "creation")),),
        "set": (
            Rule(rf"{_PATH} (?P<change>(?:size|mode|modtime|owner|group) \S+(?: .*)?)", _file("sftp_set", "change")),
        ),
        "stat": _LOOK,
        "lstat": _LOOK,
        "statvfs": _LOOK,
        "realpath": _LOOK,
        "readlink": _LOOK,
        "fsync": _LOOK,
        "sent": (Rule(r"status (?P<status>[A-Z].*)", _STATUS),),
    },
)


def sftp(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of the SFTP server; False for other messages."""
    if not _MESSAGES.parse(message, event):
        return False
    _join(event, state)
    if path := (event.get("extra") or {}).pop("sshd.path", None):
        extra(event)["file.path"] = path
    return True


def _join(event: Event, state: StateStore) -> None:
    """Store or set the user and address of the session, by host and process."""
    key = f"sftp|{event.get('host_hostname', '')}|{event.get('process_pid', '')}"
    action = event["event_action"]
    if action == "sftp_session_opened":
        state.put(key, [event.get("user_name", ""), event.get("source_ip", "")])
    elif action == "sftp_session_closed":
        state.close(key)
    elif found := state.get(key):
        event.update({column: value for column, value in zip(("user_name", "source_ip"), found, strict=True) if value})
