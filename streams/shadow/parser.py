"""Parses messages of the programs that manage users and groups: what was done, to whom, by whom.

It reads the syslog messages of shadow-utils (useradd, usermod, userdel, groupadd, groupmod, groupdel, gpasswd, passwd,
chage, chpasswd, newusers, chsh, chfn, vipw), pwdutils and Debian's adduser. PAM lines under these names are those of
`streams.pam`. Patterns and sources are in `streams.shadow.users` and `streams.shadow.groups`.
https://github.com/shadow-maint/shadow

The user changed is `user.target.name`. Most messages name nobody else: then `user.name`, the user as logged, is the
same; where the caller is named (gpasswd, passwd), it is the caller.
"""

from streams.base import StateStore, Stream
from streams.common.text import extra
from streams.mapping.rules import Rules
from streams.shadow.groups import FAILURES, GROUPS
from streams.shadow.users import USERS
from topics.event import Event

_RULES = Rules("shadow", {**GROUPS, **USERS})
_BY_CALLER = Rules("shadow", {"failed": FAILURES})
_ECS = {"shadow.group_id": "group.id", "shadow.file": "file.path"}


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False when it changes no user or group."""
    message = message.removesuffix("#012").rstrip()  # some end their messages with a line feed
    if not (_RULES.parse(message, event) or _refused(message, event)):
        return False
    _name(event)
    return True


def _refused(message: str, event: Event) -> bool:
    """Parse `alice failed to add user bob to group wheel`, where the caller stands first."""
    caller, _, rest = message.partition(" ")
    if not rest.startswith("failed ") or not _BY_CALLER.parse("failed " + rest, event):
        return False
    event["user_name"] = caller
    return True


def _name(event: Event) -> None:
    target = event.get("user_target_name")
    if target and "user_name" not in event:
        event["user_name"] = target
    if target and "group_name" in event:
        extra(event)["user.target.group.name"] = event["group_name"]
    fields = event.get("extra")
    if fields:
        for own, name in _ECS.items():
            if own in fields:
                extra(event)[name] = fields.pop(own)


STREAM = Stream(
    name="shadow",
    programs=(
        *("useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "groupmems", "gpasswd", "newgrp"),
        *("passwd", "chpasswd", "chgpasswd", "chage", "chsh", "chfn", "newusers", "vipw", "vigr"),
        *("adduser", "deluser", "addgroup", "delgroup"),
    ),
    parse=parse,
)
