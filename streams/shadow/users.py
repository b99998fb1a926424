"""Lists the messages of shadow-utils, pwdutils and adduser about users and their passwords, as rules.

Sources: shadow-utils 4.1 to 4.17, src/{useradd,usermod,userdel,passwd,chage,chsh,chfn,newusers,vipw}.c; Debian's
adduser 3.1 (AdduserLogging.pm) and adduser; openSUSE's pwdutils (`new account added - account=...`).
"""

from streams.mapping.rules import Rule
from streams.shadow.groups import ADDED, ADDED_BY, BY_GPASSWD, NEW_GROUP, OF_GROUP, REMOVED, RENAMED
from streams.shadow.patterns import (
    BARE_GROUP,
    BARE_TARGET,
    EXPIRY,
    GROUP,
    GROUP_CHANGED,
    GROUP_CREATED,
    GROUP_DELETED,
    LOCKED,
    MEMBER_ADDED,
    MEMBER_REMOVED,
    PASSWORD,
    REASON,
    REFUSED,
    TARGET,
    UNLOCKED,
    USER_CHANGED,
    USER_CREATED,
    USER_DELETED,
    USER_INFO,
    failed,
)

_FROM_TO = r"from [`'](?P<old>[^']*)' to [`'](?P<new>[^']*)'"
_BY = r"'?(?:user )?[`']?(?P<user_name>[^`'\s]{1,256})'"
_ACCOUNT = (
    r"account=(?P<user_target_name>[^,]{1,256})(?:, uid=(?P<user_id>[0-9]{1,10}))?"
    r"(?:, group=(?P<group_name>[^,]{1,256}))?(?:, gid=(?P<group_id>[0-9]{1,10}))?"
    r"(?:, home=(?P<home>[^,]*))?(?:, shell=(?P<shell>[^,]*))?(?:, by=(?P<by>[^,]*))?"
)
_NEW_USER = Rule(
    r"user: name=(?P<user_target_name>[^,]{1,256}), UID=(?P<user_id>[0-9]{1,10}), GID=(?P<group_id>[0-9]{1,10}), "
    r"home=(?P<home>[^,]*), shell=(?P<shell>[^,]*)(?:, from=(?P<tty>.*))?",
    USER_CREATED,
)
_CHANGES = (
    Rule(rf"user {TARGET} password", PASSWORD),
    Rule(rf"user {TARGET} (?P<change>[A-Za-z]{{1,32}}) {_FROM_TO}", USER_CHANGED),
    Rule(r"user name [`'](?P<user_target_name>[^`']{1,256})' to [`'](?P<new>[^`']{1,256})'", USER_CHANGED),
    Rule(rf"user {TARGET} (?P<change>.*)", USER_CHANGED),
    Rule(rf"(?:admin )?{TARGET} to [`'](?P<new>[^`']{{1,256}})' in (?:shadow )?group {GROUP}", GROUP_CHANGED),
)
_CHANGED = (
    Rule(rf"(?:all )?password expiry (?:info )?for {BARE_TARGET}", EXPIRY),
    Rule(rf"user {TARGET} (?P<change>shell) to '(?P<new>.*)'", USER_CHANGED),
    Rule(rf"user {TARGET} (?P<change>.*)", USER_CHANGED),
    Rule(rf"password for {TARGET}", PASSWORD),
)
_TROUBLE = (
    Rule(rf"adding user {TARGET}(?:, {REASON})?", failed(USER_CREATED)),
    Rule(rf"to add user {BARE_TARGET}(?: to (?P<file>/\S{{1,256}}))?", failed(USER_CREATED)),
    Rule(
        r"to add group (?P<group_name>[^\s,]{1,256})(?: to (?P<file>/\S{1,256}))?(?P<reason>.*)", failed(GROUP_CREATED)
    ),
    Rule(rf"to remove group [`']?{BARE_GROUP}'?(?: from (?P<file>/\S{{1,256}}))?", failed(GROUP_DELETED)),
    Rule(
        r"to change (?P<file>/\S{1,256}) \((?:group )?(?P<group_name>[^\s/,()]{1,256})(?:/(?P<group_id>[0-9]{1,10}))?"
        r"(?:, (?P<reason>.*))?\)",
        failed(GROUP_CHANGED),
    ),
    Rule(r"to (?P<reason>.{1,80}? user \"(?P<user_target_name>[^\"]{1,256})\")", failed(USER_INFO)),
    Rule(REASON, failed(USER_INFO)),
)
_NOT_CHANGED = failed(PASSWORD)
_ADDUSER = r"`(?P<user_target_name>[^`'\s]{1,256})' (?:\((?:UID )?(?P<user_id>[0-9]{1,10})\) )?.*"
_ADDGROUP = r"`(?P<group_name>[^`'\s]{1,256})' (?:\((?:GID )?(?P<group_id>[0-9]{1,10})\) )?.*"

USERS: dict[str, tuple[Rule, ...]] = {
    "new": (
        _NEW_USER,
        *NEW_GROUP,
        Rule(rf"account added - {_ACCOUNT}", USER_CREATED),
        Rule(
            r"group added - (?:account|group)=(?P<group_name>[^,]{1,256})(?:, gid=(?P<group_id>[0-9]{1,10}))?"
            r"(?:, by=(?P<by>[^,]*))?",
            GROUP_CREATED,
        ),
    ),
    "account": (
        Rule(rf"added to group - {_ACCOUNT}", MEMBER_ADDED),
        Rule(rf"removed from group - {_ACCOUNT}", MEMBER_REMOVED),
        Rule(rf"deleted - {_ACCOUNT}", USER_DELETED),
    ),
    "add": (ADDED, ADDED_BY),
    "delete": (Rule(rf"user {TARGET}", USER_DELETED), REMOVED),
    "change": (*_CHANGES, *RENAMED),
    "lock": (Rule(rf"user {TARGET} password", LOCKED),),
    "unlock": (Rule(rf"user {TARGET} password", UNLOCKED),),
    "failed": _TROUBLE,
    "cannot": (Rule(REASON, failed(USER_INFO)),),
    "can't": (
        Rule(rf"view or modify password information for {BARE_TARGET}", _NOT_CHANGED),
        Rule(rf"change shell for {TARGET}", failed(USER_CHANGED)),
    ),
    "passwd:": (Rule(rf"can't view or modify password information for {BARE_TARGET}", _NOT_CHANGED),),
    "now": (Rule(rf"< minimum age for {TARGET}", _NOT_CHANGED),),
    "root": (Rule(rf"is not authorized by SELinux to change the password of {BARE_TARGET}", _NOT_CHANGED),),
    "Failed": (Rule(rf"to crypt password with previous salt of user {TARGET}", _NOT_CHANGED),),
    "user": BY_GPASSWD,
    "password": (
        Rule(rf"for {TARGET} changed by {_BY}", PASSWORD),
        *OF_GROUP[:1],
        Rule(rf"changed - {_ACCOUNT}", PASSWORD),
        Rule(rf"locked for {TARGET}", LOCKED),
        Rule(rf"changed for {BARE_TARGET}", PASSWORD),
    ),
    "incorrect": (Rule(r"password for [`']?(?P<user_name>[^`']{1,256})'?", REFUSED),),
    "changed": _CHANGED,
    "useradd": (Rule(r"defaults: (?P<defaults>.*)", {**USER_CHANGED, "event_action": "defaults_changed"}),),
    "Invalid": (Rule(r"password for group '(?P<group_name>[^']{1,256})' from '(?P<user_name>[^']{1,256})'", REFUSED),),
    "file": (Rule(r"(?P<file>/\S{1,256}) edited(?: by '?(?P<user_name>[^'\s]{1,256})'?)?", USER_CHANGED),),
    "Adding": (
        Rule(
            r"user `(?P<user_target_name>[^`'\s]{1,256})' to group `(?P<group_name>[^`'\s]{1,256})' \.\.\.",
            MEMBER_ADDED,
        ),
        Rule(rf"(?:new |system )?user {_ADDUSER}", USER_CREATED),
        Rule(rf"(?:new )?group {_ADDGROUP}", GROUP_CREATED),
    ),
    "Removing": (
        Rule(
            r"user `(?P<user_target_name>[^`'\s]{1,256})' from group `(?P<group_name>[^`'\s]{1,256})' \.\.\.",
            MEMBER_REMOVED,
        ),
        Rule(rf"user {_ADDUSER}", USER_DELETED),
        Rule(rf"group {_ADDGROUP}", GROUP_DELETED),
    ),
}
