"""Parses the messages of PAM modules, under whatever program: `pam_unix(sshd:auth): authentication failure; ...`.

It is shared by the streams of programs that log in through PAM. It sets no attempts: a module does not know the verdict
of its stack, the program's own line gives it. It also understands `(pam_unix) ...` of Linux-PAM before 1.0, `PAM N more
authentication failures; ...` of its library, `in pam_sm_authenticate(): ...` of OpenPAM, `gkr-pam: ...` of GNOME's
keyring. Other messages of modules are in `streams.pam.messages`. https://man7.org/linux/man-pages/man8/pam_unix.8.html
"""

import re

from streams.common.domains import name_source
from streams.common.text import extra, number, put, set_endpoint
from streams.pam.messages import DETAIL, GRANTED, MESSAGES, REFUSED
from topics.event import Event

_HEAD = re.compile(r"(pam_[a-z0-9_]{1,40})(?:\(([^\s:()]{1,64})(?::([a-z_-]{1,16}))?\):?|\[[0-9]{1,10}\]:|:) {0,2}")
_OLD_HEAD = re.compile(r"\((pam_[a-z0-9_]{1,40})\) ")
_FAILURE = re.compile(r"(?:authentication success|(?:[0-9]{1,6} (?:more )?)?authentication failures?); ")
_OLD_FAILURE = re.compile(r"(\S{0,64}?)\(uid=([0-9]{1,10})\) -> (.{0,255}) for (\S{1,64}) service", re.DOTALL)
_IGNORING = re.compile(r"service\(([^()]{1,64})\) ignoring max retries; [0-9]{1,6} > [0-9]{1,6}")
_OPENPAM = re.compile(r"in (\w{1,64})\(\): (.*)", re.DOTALL)
_SESSION = re.compile(r"session (opened|closed) for user (.*)", re.DOTALL)
_OPENED = re.compile(r"(.*?)(?:\(uid=([0-9]{1,10})\))?(?: by ([^ ]*?)(?:\(uid=([0-9]{1,10})\))?)?", re.DOTALL)
_NAMED = ("pam_unix", "pam_unix_auth")
"""Modules that write the tried name only when there is such a user."""
_LONGEST_NAME = 512
_HOST = " rhost="
_USER_AFTER = re.compile(r" {1,2}user=")
_NAMED_BY_PEER = ("rsh", "rlogin", "rexec")
"""Terminals of services whose client says who its user is: `ruser` and `user` are two names, both typed."""
_SWITCHES = frozenset(("su", "sudo_authentication", "polkit_authorization"))
"""Actions by which a logged-in user becomes another: `ruser` is who asks, `user` whose password is asked for."""

_SESSION_ONLY = ["session"]
_IN_SESSION: Event = {**DETAIL, "event_category": _SESSION_ONLY}
_IN_CHANGE: Event = {**DETAIL, "event_category": ["iam"], "event_type": ["user", "info"]}
_DETAILS = {"session": _IN_SESSION, "chauthtok": _IN_CHANGE, "password": _IN_CHANGE}
_OPENING: Event = {
    "event_category": _SESSION_ONLY,
    "event_type": ["start"],
    "event_action": "session_opened",
    "event_outcome": "success",
}
_SESSIONS: dict[str, Event] = {
    "opened": _OPENING,
    "closed": {**_OPENING, "event_type": ["end"], "event_action": "session_closed"},
}


def parse(message: str, event: Event, action: str) -> bool:
    """Set the columns of a PAM line; False, and nothing set, for others.

    `action` names a login of the program. Attempts are left to the caller.
    """
    head = _HEAD.match(message) if message.startswith("pam_") else None
    if head is not None:
        return _module(message[head.end() :], head[1], head[2] or "", head[3] or "", event, action)
    if message.startswith("PAM "):
        return _library(message[4:], event, action)
    return _rarer(message, event, action)


def _rarer(message: str, event: Event, action: str) -> bool:
    if message.startswith("(pam_") and (old := _OLD_HEAD.match(message)):
        return _module(message[old.end() :], old[1], "", "", event, action)
    if message.startswith("gkr-pam: "):
        return _module(message[9:], "gkr-pam", "", "", event, action)
    if " Duo login for '" in message[:32]:
        return _module(message, "pam_duo", "", "", event, action)
    if message.startswith("in ") and (open_pam := _OPENPAM.fullmatch(message)):
        _of_openpam(open_pam[1], open_pam[2], event, action)
        return True
    return False


def _of_openpam(function: str, reason: str, event: Event, action: str) -> None:
    """`in openpam_dispatch(): pam_opendirectory.so: Authentication error`, of macOS and FreeBSD."""
    if "authenticat" in function or reason.lower().endswith("authentication error"):
        event.update(REFUSED, event_action=action)
    else:
        event.update(DETAIL)
    extra(event).update({"pam.function": function, "pam.reason": reason} if reason else {"pam.function": function})


def _module(text: str, module: str, service: str, kind: str, event: Event, action: str) -> bool:
    if not (_session(text, event) or _failure(text, module, event, action) or _other(text, event, action)):
        event.update(_DETAILS.get(kind, DETAIL))
    name_source(event)
    fields = extra(event)
    fields["pam.module"] = module
    if service:
        fields["pam.service"] = service
    if kind:
        fields["pam.type"] = kind
    return True


def _session(text: str, event: Event) -> bool:
    """`session opened for user root(uid=0) by alice(uid=1000)`: alice acts as root. `by (uid=0)` names nobody who
    acts, then the user is both."""
    found = _SESSION.fullmatch(text)
    if found is None:
        return False
    event.update(_SESSIONS[found[1]])
    opened = _OPENED.fullmatch(found[2]) if found[1] == "opened" else None
    target, uid, actor, actor_id = opened.groups() if opened else (found[2], None, None, None)
    put(event, "user_name", actor or target)
    if actor is not None:
        put(event, "user_effective_name", target)
    ids = (("user.effective.id" if actor else "user.id", uid), ("pam.by.id", actor_id))
    given = {field: value for field, value in ids if value}
    if given:
        extra(event).update(given)
    return True


def _failure(text: str, module: str, event: Event, action: str) -> bool:
    """`...; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root`."""
    found = _FAILURE.match(text)
    if found is None:
        return False
    event.update(GRANTED if text.startswith("authentication success") else REFUSED)
    event["event_action"] = action
    if old := _OLD_FAILURE.fullmatch(text, found.end()):
        _who_tried(old, event)
        return True
    before, host, user = _caller(text[found.end() :], module)
    set_endpoint(event, "source", host)
    _more(text, before, user, module, event)
    if action in _SWITCHES:
        _name_both(user, event)
    return True


def _who_tried(old: re.Match[str], event: Event) -> None:
    """`alice(uid=500) -> root for su service`, of Linux-PAM before 0.78."""
    caller, uid, target, service = old.groups()
    put(event, "user_name", caller or target)
    if caller:
        put(event, "user_effective_name", target)
    extra(event).update({"pam.uid": uid, "pam.service": service})


def _name_both(target: str, event: Event) -> None:
    fields = event.get("extra", {})
    caller = fields.get("pam.ruser") or fields.get("pam.logname")
    if target and caller and caller != target:
        event["user_name"], event["user_effective_name"] = caller, target


def _caller(rest: str, module: str) -> tuple[str, str, str]:
    """What stands before `rhost=`, the host, and the user after it. Nothing of the three is escaped, so where a typed
    name leaves it open which host is the program's own, there is none."""
    cut = rest.find(_HOST)
    if cut < 0:
        return rest, "", ""
    if rest.find(_HOST, cut + 1) >= 0:
        cut = _true_host(rest, cut, module)
        if cut < 0:
            return rest.partition(" ruser=")[0], "", ""
    host, _, after = rest[cut + len(_HOST) :].partition(" ")
    user = after.lstrip(" ")
    return rest[:cut], host, user[5:] if user.startswith("user=") else ""


def _true_host(rest: str, first: int, module: str) -> int:
    """Which of several ` rhost=` is the one that PAM wrote; -1 when that cannot be known.

    pam_krb5 writes the tried name as `logname`, before, and nothing after the host. FTP servers and dovecot give it as
    `ruser`, also before, and pam_unix gives it as `user`, after, only if there is such a user. All others have it after
    the host alone: `ruser` is empty, or the name of a local user who asks without a host.
    """
    if module == "pam_krb5":
        return _host_at_end(rest)
    start = rest.find(" ruser=") + len(" ruser=")
    if not len(" ruser=") <= start <= first:
        return -1
    terminal = rest[:start].rpartition(" tty=")[2].removesuffix(" ruser=")
    if "ftp" in terminal or terminal == "dovecot":
        doubled = _host_between_names(rest, start, first)
        last = _host_at_end(rest) if module in _NAMED else -1
        return -1 if doubled >= 0 and last >= 0 else max(doubled, last)
    if terminal in _NAMED_BY_PEER:
        return -1
    return first if first == start or rest.startswith(" ", first + len(_HOST)) else -1


def _host_at_end(rest: str) -> int:
    last = rest.rfind(_HOST)
    return -1 if " " in rest[last + len(_HOST) :] else last


def _host_between_names(rest: str, start: int, cut: int) -> int:
    """Where `NAME rhost=HOST  user=NAME` has its host: there is at most one place where both names are the same."""
    if len(rest) > 4 * _LONGEST_NAME:
        return -1
    while 0 <= cut < start + _LONGEST_NAME:
        end = rest.find(" ", cut + len(_HOST))
        tail = _USER_AFTER.match(rest, end) if end >= 0 else None
        if tail and rest[tail.end() :] == rest[start:cut].rstrip(" "):  # at the end of the line, blanks are lost
            return cut
        cut = rest.find(_HOST, cut + 1)
    return -1


def _more(text: str, before: str, user: str, module: str, event: Event) -> None:
    fields: dict[str, str | int] = {}
    before, _, remote = before.partition(" ruser=")
    logname, _, ids = before.partition(" uid=")
    logname = logname.removeprefix("logname=")
    if module == "pam_krb5":
        if " uid=" in ids or " ruser=" in remote:  # somebody typed it, and nobody knows where the name ends
            return
        user = user or remote or logname
    uid, _, ids = ids.partition(" euid=")
    euid, _, terminal = ids.partition(" tty=")
    for key, value in (("uid", uid), ("euid", euid), ("tty", terminal), ("logname", logname), ("ruser", remote)):
        if value:
            fields["pam." + key] = value
    if text[:1].isdigit() and (count := number(text.partition(" ")[0])):
        fields["pam.failures"] = count
    put(event, "user_name", user or remote)
    if fields:
        extra(event).update(fields)


def _other(text: str, event: Event, action: str) -> bool:
    """Parse other messages; `password changed for alice` names its user twice, as who did it and who has it."""
    if not MESSAGES.parse(text, event):
        return False
    event.setdefault("event_action", action)
    if target := event.get("user_target_name"):
        event["user_name"] = target
    return True


def _library(text: str, event: Event, action: str) -> bool:
    """`PAM 2 more authentication failures; ...`, `PAM service(sshd) ignoring max retries; 6 > 3`, and complaints."""
    if _failure(text, "pam_unix", event, action):
        return True
    if found := _IGNORING.fullmatch(text):
        event.update(REFUSED, event_action=action)
        extra(event)["pam.service"] = found[1]
        return True
    if text.startswith(
        ("unable to ", "adding faulty module", "bad jump", "illegal ", "(other) ", "error ", "audit_", "_pam_", "pam_")
    ):
        event.update(DETAIL)
        extra(event)["pam.reason"] = text
        return True
    return False
