"""Parses what follows the stamp of a syslog line: host, tag, process id, and the message.

Host and tag may be missing, and relays and systems write them in forms of their own: each form has a pattern here.
"""

import re
from collections.abc import Container

from streams.common.text import extra, is_ip, number
from topics.event import Event

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp"),
    *("security", "console"),
)
_SEVERITIES = ("emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug")
_SEVERITY = f"(?P<{{}}>{'|'.join(_SEVERITIES)})"
_NUMBERED = "|".join((*_FACILITIES, "local[0-7]"))
_LEVEL = re.compile(
    rf"<[a-z0-9]{{2,8}}\.{_SEVERITY.format('bsd')}> |<(?P<code>[0-9]{{1,2}}\.[0-7])> "
    rf"|(?:{_NUMBERED})\.{_SEVERITY.format('busybox')}:? (?=[^\s:\[\]]{{1,64}}(?:\[|: ))"
    rf"|[a-z0-9|]{{2,30}}:{_SEVERITY.format('aix')} "
    rf"|{_SEVERITY.format('f5')} (?=[^\s:\[\]]{{1,64}}(?:\[[0-9A-Fa-f]{{1,10}}\]|: ))"
    r"|(?:Em|Al|Cr|Er|Wa|No|In|Db)\((?P<esx>[0-9]{1,3})\) "
)
"""What FreeBSD (`<auth.info>`, `<4.6>`), BusyBox (`auth.info`), AIX (`auth|security:info`), F5 and ESXi (`notice`,
`In(14)`) put before a tag."""
LEVELS = frozenset(
    f"{facility}.{severity}"
    for facility in (*_FACILITIES, *(f"local{number}" for number in range(8)))
    for severity in _SEVERITIES
)
"""What BusyBox writes where others write the host."""

_TAG = re.compile(r"([^\s:\[\]]{1,128})(?:\[([^\]\s]{0,64})\])?(?:\(([a-z]{3,8})\))?:(?: |$)")
_BARE_TAG = re.compile(r"([^\s:\[\]]{1,128})\[([^\]\s]{0,64})\](?: |$)")
_PID_TAG = re.compile(r"([A-Za-z][\w./-]{0,127})\[([0-9]{1,10})\]: ")
_HOST_AND_PID_TAG = re.compile(r"([\w.:-]{1,255}) (?=[A-Za-z][\w./-]{0,127}\[[0-9]{1,10}\]: )")
_SPACED_TAG = re.compile(r"([A-Z][\w.-]{0,63}(?: [A-Z(][\w.()-]{0,63}){1,5})\[([0-9]{1,10})\]: ")
"""The names of macOS's applications."""
_DOVECOT = re.compile(r"auth(?:-worker)?\([^()\s]{1,512}\)(?:<[^<>\s]{0,64}>)?: [A-Z][a-z]{2,9}: ")
"""What Dovecot writes into its own file of a login that it checks."""
_BRACKETED_TAG = re.compile(r"\[([A-Za-z][\w./-]{0,63})\]:? ")
_LOGIN = re.compile(r"-- \S{1,64}\[([0-9]{1,10})\]: ?")
_HOST = re.compile(r"([A-Za-z0-9_\[][\w.:%@/\[\]-]{0,254}) +")
_NO_HOST = re.compile(r"[0-9]{1,10}|\[[0-9]{0,10}\]?")
"""A process or session id: the line is of a log that has no hosts."""
_FORWARDED = re.compile(r"Message forwarded from (\S{1,255}): ")
_SLOT = re.compile(r"slot[0-9]{1,2}/")
_SECOND_HOST = re.compile(r"[\w.,-]{1,255} (?=kernel: )")
"""Gateways of Ubiquiti and relays name themselves once more."""
_OLD_PAM = re.compile(r"(.{1,64})\((pam_[a-z0-9_]{1,40})\)")


def read_host(rest: str, event: Event, programs: Container[str]) -> str:
    """Set the host, if there is one, and return what follows it and what some systems write around it."""
    rest = _skip_level(rest.lstrip(" "), event)
    if rest.startswith("%") or not (_FORWARDED.match(rest) or _tagged(rest, programs)):
        host = None if rest.startswith("%") else _HOST.match(rest)
        if host and not _NO_HOST.fullmatch(host[1]):
            set_host(event, host[1] if is_ip(host[1]) else host[1].rstrip(":"))
            rest = rest[host.end() :].removeprefix(": ")
    if forwarded := _FORWARDED.match(rest):
        set_host(event, forwarded[1])
        rest = rest[forwarded.end() :]
    return _skip_level(rest, event)


def _tagged(rest: str, programs: Container[str]) -> bool:
    """Whether a tag comes first. `fw01: %ASA-6-302013: ...` begins with a host."""
    tag = _TAG.match(rest)
    if tag:
        return not (rest.startswith("%", tag.end()) and tag[2] is None and tag[1] not in programs)
    return bool(_BARE_TAG.match(rest) or _LOGIN.match(rest)) or _named(rest, programs)


def _named(rest: str, programs: Container[str]) -> bool:
    """Whether a program is named without a tag. A host may be called `ftp` or `mail`: then a tag follows."""
    word, _, after = rest.partition(" ")
    if word not in programs:
        return False
    tag = _TAG.match(after) or _BARE_TAG.match(after)
    return tag is None or not (tag[2] or tag[1] in programs)


def set_host(event: Event, name: str) -> None:
    """Set the host: `s_src@web1/relay` is the host web1, `[192.0.2.1]` the host 192.0.2.1. The whole is kept, too."""
    host = name.rpartition("@")[2]
    if "/" in host:
        host = _SLOT.sub("", host).partition("/")[0]
    if host.startswith("[") and is_ip(host[1:-1]):
        host = host[1:-1]
    event["host_hostname"] = host or name
    if event["host_hostname"] != name:
        extra(event)["log.syslog.hostname"] = name


def _skip_level(rest: str, event: Event) -> str:
    found = _LEVEL.match(rest)
    if found is None:
        return rest
    if found["esx"]:
        _set_priority(event, int(found["esx"]))
    elif found["code"]:
        facility, _, severity = found["code"].partition(".")
        _set_priority(event, int(facility) * 8 + int(severity))
    else:
        extra(event)["log.level"] = found["bsd"] or found["busybox"] or found["aix"] or found["f5"]
    return rest[found.end() :]


def _set_priority(event: Event, priority: int) -> None:
    if priority <= 191:
        event["log_syslog_priority"] = priority


def read_tag(rest: str, event: Event, programs: Container[str]) -> None:
    """Set the program from the tag, if there is one, and the message to what follows it."""
    if second := _SECOND_HOST.match(rest):
        rest = rest[second.end() :]
    tag = None if rest.startswith("%") else _TAG.match(rest) or _BARE_TAG.match(rest)
    event["message"] = rest[tag.end() :] if tag else rest
    if tag:
        set_program(event, tag[1], tag[2] or "")
        if tag.re is _TAG and tag[3]:
            extra(event)["log.level"] = tag[3]
    elif found := _LOGIN.match(rest):
        set_program(event, "login", found[1])
        event["message"] = rest[found.end() :]
    elif found := _SPACED_TAG.match(rest):
        event["message"] = rest[found.end() :]
        set_program(event, found[1], found[2])
    elif rest.startswith("auth") and _DOVECOT.match(rest):
        event["process_name"] = "dovecot"
    elif (found := _BRACKETED_TAG.match(rest)) and found[1] in programs:
        event["process_name"], event["message"] = found[1], rest[found.end() :]
    else:
        word, space, message = rest.partition(" ")
        if space and word in programs:
            event["process_name"], event["message"] = word, message


def read_lone_tag(rest: str, event: Event, headed: bool) -> bool:
    """As `read_tag`, for a line without a stamp: a tag without a process id counts only after a PRI. False for none."""
    if headed and (host := _HOST_AND_PID_TAG.match(rest)):
        set_host(event, host[1])
        rest = rest[host.end() :]
    tag = None if rest.startswith("%") else (_TAG if headed else _PID_TAG).match(rest)
    if tag is None:
        return False
    event["message"] = rest[tag.end() :]
    set_program(event, tag[1], tag[2] or "")
    return True


def set_program(event: Event, name: str, pid: str) -> None:
    """Set the program: `/usr/sbin/cron` is the program cron, `postfix/smtpd` a program's own name.

    A message of `sshd(pam_unix)` becomes `pam_unix(sshd): ...` of sshd, which is what PAM writes since 2005.
    """
    if name.endswith(")") and (old := _OLD_PAM.fullmatch(name)):
        name = old[1]
        event["message"] = f"{old[2]}({name}): {event['message']}"
    if name.startswith("/") and (base := name.rpartition("/")[2]):
        event["process_executable"], name = name, base
    event["process_name"] = name
    if pid:
        if (value := number(pid)) is not None:
            event["process_pid"] = value
        else:
            extra(event)["log.syslog.procid"] = pid
