"""Defines the columns that messages of shadow mean, and the patterns of the names in them.

A name that is not at the end of a message ends at the quote or comma that the program writes after it. Names hold
neither, unless an administrator forced it.
"""

from topics.event import Event


def _change(kind: str, what: str, action: str) -> Event:
    return {
        "event_category": ["iam"],
        "event_type": [kind, what],
        "event_action": action,
        "event_outcome": "success",
    }


def failed(columns: Event) -> Event:
    """The same columns with the outcome failure."""
    return {**columns, "event_outcome": "failure"}


USER_CREATED = _change("user", "creation", "user_created")
USER_CHANGED = _change("user", "change", "user_changed")
USER_DELETED = _change("user", "deletion", "user_deleted")
USER_INFO = _change("user", "info", "user_message")
GROUP_CREATED = _change("group", "creation", "group_created")
GROUP_CHANGED = _change("group", "change", "group_changed")
GROUP_DELETED = _change("group", "deletion", "group_deleted")
MEMBER_ADDED = _change("user", "change", "group_member_added")
MEMBER_REMOVED = _change("user", "change", "group_member_removed")
GROUP_PASSWORD = _change("group", "change", "group_password_changed")
PASSWORD = _change("user", "change", "password_changed")
LOCKED = _change("user", "change", "user_locked")
UNLOCKED = _change("user", "change", "user_unlocked")
EXPIRY = _change("user", "change", "password_expiry_changed")
REFUSED: Event = {
    "event_category": ["authentication"],
    "event_type": ["info"],
    "event_action": "password_check",
    "event_outcome": "failure",
}

TARGET = r"[`'](?P<user_target_name>[^`']{1,256})'"
GROUP = r"[`'](?P<group_name>[^`']{1,256})'"
BARE_GROUP = r"(?P<group_name>[^\s']{1,256})"
BARE_TARGET = r"(?P<user_target_name>\S{1,256})"
BARE_ACTOR = r"(?P<user_name>\S{1,256})"
IN_FILE = r"(?: in (?P<file>/\S{1,256}))?"
REASON = r"(?P<reason>.*)"
