"""Lists the messages of shadow-utils about groups and their members, as rules.

Sources: shadow-utils 4.1 to 4.17, src/{groupadd,groupmod,groupdel,gpasswd,newgrp}.c, libmisc/cleanup_group.c.
"""

from streams.mapping.rules import Rule
from streams.shadow.patterns import (
    BARE_ACTOR,
    BARE_GROUP,
    BARE_TARGET,
    GROUP,
    GROUP_CHANGED,
    GROUP_CREATED,
    GROUP_DELETED,
    GROUP_PASSWORD,
    IN_FILE,
    MEMBER_ADDED,
    MEMBER_REMOVED,
    REASON,
    TARGET,
    failed,
)

NEW_GROUP = (Rule(r"group: name=(?P<group_name>[^,]{1,256}), GID=(?P<group_id>[0-9]{1,10})", GROUP_CREATED),)
_DELETED = (
    Rule(rf"(?:shadow )?group {GROUP} owned by {TARGET}", GROUP_DELETED),
    Rule(rf"(?:shadow )?group {GROUP}", GROUP_DELETED),
)
ADDED_BY = Rule(rf"member {BARE_TARGET} to group {BARE_GROUP} by {BARE_ACTOR}", MEMBER_ADDED)
RENAMED = (
    Rule(rf"group {GROUP} to [`'](?P<new>[^`']{{1,256}})'", GROUP_CHANGED),
    Rule(rf"GID for {GROUP} to (?P<new>[0-9]{{1,10}})", GROUP_CHANGED),
    Rule(rf"the password for group {BARE_GROUP} by {BARE_ACTOR}", GROUP_PASSWORD),
)
ADDED = Rule(rf"{TARGET} to (?:shadow )?group {GROUP}", MEMBER_ADDED)
REMOVED = Rule(rf"{TARGET} from (?:shadow )?group {GROUP}", MEMBER_REMOVED)

BY_GPASSWD = (
    Rule(rf"{BARE_TARGET} added by {BARE_ACTOR} to group {BARE_GROUP}{IN_FILE}", MEMBER_ADDED),
    Rule(rf"{BARE_TARGET} removed by {BARE_ACTOR} from group {BARE_GROUP}{IN_FILE}", MEMBER_REMOVED),
    Rule(
        r"'(?P<user_name>[^']{1,256})' \(login '[^']{0,256}' on (?P<tty>[^)]{1,256})\) "
        r"(?:(?:switched|returned) to group [`'](?P<group_name>[^`']{1,256})'|.*)",
        GROUP_CHANGED,
    ),
)
OF_GROUP = (
    Rule(rf"of group {BARE_GROUP} (?:changed|removed) by {BARE_ACTOR}{IN_FILE}", GROUP_PASSWORD),
    Rule(rf"of group {BARE_GROUP} set by {BARE_ACTOR} to (?P<members>.*)", GROUP_CHANGED),
)

FAILURES = (
    Rule(rf"failed to add user {BARE_TARGET} to group {BARE_GROUP}{IN_FILE}", failed(MEMBER_ADDED)),
    Rule(rf"failed to remove user {BARE_TARGET} from group {BARE_GROUP}{IN_FILE}", failed(MEMBER_REMOVED)),
    Rule(rf"failed to (?:change|remove) password of group {BARE_GROUP}{IN_FILE}", failed(GROUP_PASSWORD)),
    Rule(rf"failed to restrict access to group {BARE_GROUP}{IN_FILE}", failed(GROUP_CHANGED)),
    Rule(rf"failed to set the (?:administrators|members) of group {BARE_GROUP} to {REASON}", failed(GROUP_CHANGED)),
)
"""Messages of gpasswd, after the name of the caller."""

GROUPS: dict[str, tuple[Rule, ...]] = {
    "group": (
        Rule(
            r"added to (?P<file>/\S{1,256}): name=(?P<group_name>[^,]{1,256})(?:, GID=(?P<group_id>[0-9]{1,10}))?",
            GROUP_CREATED,
        ),
        Rule(rf"{GROUP} removed(?: from (?P<file>/\S{{1,256}}))?", GROUP_DELETED),
        Rule(rf"{GROUP} not removed because {REASON}", failed(GROUP_DELETED)),
        Rule(
            r"changed in (?P<file>/\S{1,256}) \((?:group )?(?P<group_name>[^\s/,]{1,256})"
            r"(?:/(?P<group_id>[0-9]{1,10}))?(?:, (?P<change>.*))?\)",
            GROUP_CHANGED,
        ),
    ),
    "remove": (
        Rule(rf"member {BARE_TARGET} from group {BARE_GROUP} by {BARE_ACTOR}", MEMBER_REMOVED),
        Rule(rf"password from group {BARE_GROUP} by {BARE_ACTOR}", GROUP_PASSWORD),
        *_DELETED,
    ),
    "removed": _DELETED,
    "access": (Rule(rf"to group {BARE_GROUP} restricted by {BARE_ACTOR}{IN_FILE}", GROUP_CHANGED),),
    "restrict": (Rule(rf"access to group {BARE_GROUP} by {BARE_ACTOR}", GROUP_CHANGED),),
    "set": (Rule(rf"(?:administrators|members) of {BARE_GROUP} to (?P<members>.*)", GROUP_CHANGED),),
    "members": OF_GROUP[1:],
    "administrators": OF_GROUP[1:],
}
