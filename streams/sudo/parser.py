"""Parses messages of sudo: the command, as whom, where; or why it was refused.

It reads `USER : [problem ; ]KEY=value ; ... ; COMMAND=...`, sudo 1.7 to 1.9 in its traditional log format
(`streams.sudo.records` reads JSON), PAM lines under sudo, its few other messages. Each of HOST, TTY, CHROOT, PWD, USER,
GROUP, TSID and ENV may be absent. `streams/ATTEMPTS.md` says which lines are attempts. Sources: sudo
lib/eventlog/eventlog.c, plugins/sudoers/logging.c. https://www.sudo.ws/docs/man/sudoers.man/#EVENT_LOGGING

The caller chooses directory, environment and arguments, which may hold ` ; USER=...`. The first COMMAND is the command
and all that follows is its text, so nothing that ran is hidden.
"""

import re

from streams.base import StateStore, Stream
from streams.common import pam_lines
from streams.common.text import extra, put
from streams.sudo.records import parse_json, sniff_json
from topics.event import Event

_SERVICE: Event = {"ogrewatch_service": "sudo"}
_RUN: Event = {
    **_SERVICE,
    "event_category": ["process"],
    "event_type": ["start"],
    "event_action": "sudo_command",
    "event_outcome": "success",
}
_RAN: Event = {**_RUN, "ogrewatch_attempt": 1}
_REFUSED: Event = {**_RUN, "event_outcome": "failure"}
_CONTINUED: Event = {**_RUN, "event_type": ["info"]}
_TROUBLE: Event = {**_SERVICE, "event_category": ["process"], "event_type": ["info"], "event_action": "sudo_message"}

_USUAL = re.compile(r" *([^\s:]{1,255}) : TTY=([^\s;]+) ; PWD=([^;]+) ; USER=([^\s;]+) ; COMMAND=(.+)", re.DOTALL)
"""The usual line, which most lines are."""
_PASSWORDS = re.compile(r"([0-9]{1,9}) incorrect password attempts?")
_MOST_TRIES = 1000
_COMMAND = " ; COMMAND="
_COLUMNS = {"USER": "user_effective_name", "PWD": "process_working_directory"}
_FIELDS = {
    "HOST": "sudo.host",
    "TTY": "sudo.tty",
    "CHROOT": "sudo.chroot",
    "GROUP": "group.name",
    "TSID": "sudo.session",
    "ENV": "sudo.env",
}
_ALONE = ("unable to ", "parse error ", "syntax error ", "problem with ", "/etc/sudoers", "no valid sudoers", "error ")
_KEYS = _COLUMNS.keys() | _FIELDS.keys()
_REFUSALS = (
    "user NOT in sudoers",
    "command not allowed",
    "user NOT authorized on host",
    "a password is required",
    "no tty present and no askpass program specified",
    "a terminal is required to read the password",
    "sorry, you must have a tty to run sudo",
    "sorry, you are not allowed to ",
    "account validation failure",
    "authentication failure",
    "command rejected by ",
    "timed out reading password",
    "PAM authentication error",
    "PAM account management error",
    "pam_authenticate: ",
    "pam_acct_mgmt: ",
    "pam_chauthtok: ",
    "Account or password is expired",
    "unable to change expired password",
    "Account expired",
    "Password expired",
    "unable to validate",
    "validation failure",
    "no password was provided",
    "conversation failed",
    "interactive authentication is required",
    "no tty",
    "sorry, a password is required to run sudo",
    "timeout value not permitted",
    "user not allowed to ",
    "authentication server error",
    "unable to initialize PAM",
    "invalid authentication ",
)
"""Beginnings of the problems that are refusals; all others are warnings."""


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message of sudo; False when it says nothing about a command or its caller."""
    usual = _USUAL.fullmatch(message)
    if usual is not None:
        _run(usual, event)
        return True
    return _pam(message, event) or _line(message.lstrip(" "), event)


def _run(usual: re.Match[str], event: Event) -> None:
    user, tty, directory, target, command = usual.groups()
    event.update(_RAN)
    event["user_name"] = user
    event["process_working_directory"] = directory
    event["process_command_line"] = command
    event["user_effective_name"] = target
    extra(event)["sudo.tty"] = tty


def _pam(message: str, event: Event) -> bool:
    if not pam_lines.parse(message, event, "sudo_authentication"):
        return False
    event.update(_SERVICE)
    return True


def _line(message: str, event: Event) -> bool:
    user, colon, rest = message.partition(" : ")
    if not colon or len(user) > 255:
        return _alone(message, event)
    if rest.startswith("(command continued) "):
        event.update(_CONTINUED)
        put(event, "user_name", user)
        put(event, "process_command_line", rest[20:])
        return True
    problem, fields, command = _split(rest)
    if not fields and not command and not _verdict(problem)[1]:
        return _warn(user, problem, event)
    columns, attempts = _verdict(problem)
    event.update(columns)
    put(event, "user_name", user)
    if attempts:
        event["ogrewatch_attempt"] = attempts
    _set_fields(fields, command, problem, event)
    return True


def _split(rest: str) -> tuple[str, dict[str, str], str]:
    """Split what follows the caller's name into problem, keys and command."""
    before, _, command = rest.partition(_COMMAND) if not rest.startswith("COMMAND=") else ("", "", rest[8:])
    before, found, env = before.rstrip(" ").removesuffix(" ;").partition(" ; ENV=")
    fields = {"ENV": [env]} if found else {}
    problem: list[str] = []
    for part in before.split(" ; "):
        key, equals, value = part.partition("=")
        if equals and key in _KEYS:
            fields[key] = [value]
        elif not fields.keys() - {"ENV"}:
            problem.append(part)
        else:
            fields[next(reversed(fields))].append(part)
    return " ; ".join(problem), {key: " ; ".join(parts) for key, parts in fields.items()}, command


def _verdict(problem: str) -> tuple[Event, int]:
    """The columns that a problem means, and how many attempts failed or succeeded with it."""
    if not problem:
        return _RUN, 1
    if found := _PASSWORDS.match(problem):
        return _REFUSED, min(int(found[1]), _MOST_TRIES)
    if problem.startswith(_REFUSALS):
        return _REFUSED, 1
    return _TROUBLE, 0


def _set_fields(fields: dict[str, str], command: str, problem: str, event: Event) -> None:
    for key, value in fields.items():
        if key in _COLUMNS:
            put(event, _COLUMNS[key], value)
        elif value:
            extra(event)[_FIELDS[key]] = value
    put(event, "process_command_line", command)
    if problem:
        extra(event)["sudo.reason"] = problem


def _warn(user: str, problem: str, event: Event) -> bool:
    """Parse a problem alone: `alice : problem with defaults entries`, `alice : unable to resolve host x`."""
    event.update(_TROUBLE)
    put(event, "user_name", user)
    extra(event)["sudo.reason"] = problem
    return True


def _alone(message: str, event: Event) -> bool:
    """Parse a message about sudo itself: `unable to resolve host x`, `parse error in /etc/sudoers`."""
    if not message.startswith(_ALONE):
        return False
    event.update(_TROUBLE)
    extra(event)["sudo.reason"] = message
    return True


STREAM = Stream(name="sudo", programs=("sudo", "sudoedit"), parse=parse, parse_json=parse_json, sniff_json=sniff_json)
