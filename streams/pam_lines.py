"""From a PAM module's message, under whatever program, to columns: `pam_unix(sshd:auth): authentication failure; ...`.

Shared by the streams of programs that log in through PAM. Sets no attempts: the program's own line gives the verdict.
Linux-PAM 1.1 to 1.7 (modules/*/), sssd's pam_sss. https://man7.org/linux/man-pages/man8/pam_unix.8.html
"""

import re

from streams.text import extra, number, put, set_endpoint
from topics.event import Event

_HEAD = re.compile(r"(pam_[a-z0-9_]{1,40})\(([^\s:()]{1,64})(?::([a-z]{1,16}))?\):? ")
_FAILURE = re.compile(r"(?:authentication failure|authentication success|[0-9]{1,6} more authentication failures?); ")
_IGNORING = re.compile(r"PAM service\(([^()]{1,64})\) ignoring max retries; [0-9]{1,6} > [0-9]{1,6}")
_SESSION = re.compile(r"session (opened|closed) for user (.*)", re.DOTALL)
_OPENED = re.compile(r"(.*?)(?:\(uid=([0-9]{1,10})\))?(?: by ([^ ]*?)(?:\(uid=([0-9]{1,10})\))?)?", re.DOTALL)
_RECEIVED = re.compile(r"received for user (.*): ([0-9]{1,4}) \((.*)\)", re.DOTALL)
_LOCKED = re.compile(r"Consecutive login failures for user (.*) account temporarily locked", re.DOTALL)
_TALLY = re.compile(r"user (.*) \(([0-9]{1,10})\) tally [0-9]{1,6}, deny [0-9]{1,6}", re.DOTALL)
_DENIED = re.compile(r"access denied for user [`'](.*)' from [`'](\S*)'", re.DOTALL)
_NAMED = re.compile(
    r"(?:auth could not identify password for|error retrieving information about user|user unknown|bad username"
    r"|username|could not identify user \(from getpwnam) ?\[?(.*?)[\])]?",
    re.DOTALL,
)
_ACCOUNT = re.compile(r"account (.*) has (?:password )?(?:expired|changed).*", re.DOTALL)
_EXPIRED = re.compile(r"expired password for user (\S.*?)(?: \((.*)\))?", re.DOTALL)

_AUTHENTICATION = {"event_category": ["authentication"], "event_type": ["info"]}
_FAILED: Event = {**_AUTHENTICATION, "event_outcome": "failure"}
_SUCCEEDED: Event = {**_AUTHENTICATION, "event_outcome": "success"}
_CHANGED: Event = {
    "event_category": ["iam"],
    "event_type": ["user", "change"],
    "event_action": "password_changed",
    "event_outcome": "success",
}
_SESSIONS: dict[str, Event] = {
    "opened": {
        "event_category": ["authentication", "session"],
        "event_type": ["start"],
        "event_action": "session_opened",
        "event_outcome": "success",
    },
    "closed": {
        "event_category": ["authentication", "session"],
        "event_type": ["end"],
        "event_action": "session_closed",
        "event_outcome": "success",
    },
}


def parse(message: str, event: Event, action: str) -> bool:
    """Add what a `pam_*(service:type): ...` or `PAM N more authentication failures; ...` line says; False for others.

    `action` names a login of the program. Attempts are left to the caller.
    """
    if message.startswith("PAM "):
        return _failure(message[4:], event, action) or _ignored(message, event, action)
    head = _HEAD.match(message)
    if head is None:
        return False
    text = message[head.end() :]
    if not (_session(text, event) or _failure(text, event, action) or _other(text, event, action)):
        event.update(_AUTHENTICATION)
    fields = extra(event)
    fields["pam.module"] = head[1]
    fields["pam.service"] = head[2]
    if head[3]:
        fields["pam.type"] = head[3]
    return True


def _session(text: str, event: Event) -> bool:
    """`session opened for user root(uid=0) by alice(uid=1000)`: alice acts as root; `by (uid=0)` names only root."""
    found = _SESSION.fullmatch(text)
    if found is None:
        return False
    event.update(_SESSIONS[found[1]])
    opened = _OPENED.fullmatch(found[2])
    target, uid, actor, actor_id = opened.groups() if opened else (found[2], None, None, None)
    put(event, "user_name", actor or target)
    if actor:
        put(event, "user_effective_name", target)
    ids = (("user.effective.id" if actor else "user.id", uid), ("pam.by.id", actor_id))
    extra(event).update({field: value for field, value in ids if value})
    return True


def _failure(text: str, event: Event, action: str) -> bool:
    """`...; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root`: what follows `user=` is all name."""
    found = _FAILURE.match(text)
    if found is None:
        return False
    event.update(_SUCCEEDED if text.startswith("authentication success") else _FAILED)
    event["event_action"] = action
    before, _, after = text[found.end() :].partition(" rhost=")
    host, _, rest = after.partition(" ")
    set_endpoint(event, "source", host)
    user = rest.lstrip(" ")
    if user.startswith("user="):
        put(event, "user_name", user[5:])
    _more(text, before, event)
    return True


def _ignored(message: str, event: Event, action: str) -> bool:
    found = _IGNORING.fullmatch(message)
    if found is None:
        return False
    event.update(_FAILED, event_action=action)
    extra(event)["pam.service"] = found[1]
    return True


def _more(text: str, before: str, event: Event) -> None:
    fields = extra(event)
    for part in before.split(" "):
        key, _, value = part.partition("=")
        if value and key in ("logname", "uid", "euid", "tty", "ruser"):
            fields["pam." + key] = value
    if text[:1].isdigit() and (count := number(text.partition(" ")[0])):
        fields["pam.failures"] = count


def _other(text: str, event: Event, action: str) -> bool:
    if text.startswith("check pass; user unknown"):
        event.update(_FAILED, event_action=action)
        return True
    if found := _DENIED.fullmatch(text):
        event.update(_FAILED, event_action=action)
        put(event, "user_name", found[1])
        set_endpoint(event, "source", found[2])
        return True
    return _named(text, event, action)


def _named(text: str, event: Event, action: str) -> bool:
    for pattern in (_RECEIVED, _LOCKED, _TALLY, _ACCOUNT, _EXPIRED, _NAMED):
        if found := pattern.fullmatch(text):
            event.update(_FAILED, event_action=action)
            put(event, "user_name", found[1])
            return True
    if text.startswith("password changed for "):
        event.update(_CHANGED)
        put(event, "user_target_name", text[21:])
        return True
    if text.startswith("conversation failed"):
        event.update(_FAILED, event_action=action)
        return True
    return False
