"""Parses messages of cron, crontab, anacron, atd and run-parts: jobs, and changes of their tables.

It reads `(USER) WHAT (TEXT)` of Vixie's cron, cronie and Debian's; `USER root pid N cmd ...` of busybox; anacron 2.3,
at 3.1. PAM lines under these names are those of `streams.pam`. Sources: cronie src/{cron,do_command,crontab,misc}.c,
anacron/{main,runjob}.c, Debian's cron 3.0pl1; at's atd.c. https://man7.org/linux/man-pages/man8/cron.8.html

The owner of a table chooses its commands: all that follows the user and the verb is the command's text.
"""

import re
from collections.abc import Callable

from streams.base import StateStore, Stream
from streams.common.text import extra, number, put
from streams.cron.messages import JOBS, MESSAGES, PAM_SAYS
from topics.event import Event

_PROCESS: Event = {"event_category": ["process"], "event_type": ["info"], "event_action": "cron_message"}
_FAILED: Event = {**_PROCESS, "event_outcome": "failure"}
_TABLE: Event = {"event_category": ["configuration"], "event_type": ["info"], "event_action": "crontab_message"}
_REFUSED: Event = {**_TABLE, "event_action": "crontab_refused", "event_outcome": "failure"}


def _run(action: str, kind: str) -> Event:
    return {**_PROCESS, "event_action": action, "event_type": [kind]}


def _table(action: str, kind: str) -> Event:
    return {**_TABLE, "event_action": action, "event_type": [kind], "event_outcome": "success"}


_COMMANDS: dict[str, Event] = {
    "CMD": _run("cron_job_started", "start"),
    "CMDEND": _run("cron_job_ended", "end"),
}
_OUTPUTS: dict[str, Event] = {
    "CMDOUT": _run("cron_job_output", "info"),
    "MAIL": _run("cron_mail", "info"),
}
_TABLES: dict[str, Event] = {
    "RELOAD": _table("crontab_reloaded", "info"),
    "LIST": _table("crontab_listed", "access"),
    "BEGIN EDIT": _table("crontab_edit_began", "info"),
    "END EDIT": _table("crontab_edit_ended", "info"),
    "REPLACE": _table("crontab_replaced", "change"),
    "DELETE": _table("crontab_deleted", "deletion"),
    "AUTH": _REFUSED,
    "AUTH ERROR": _REFUSED,
}
_SERVER: dict[str, Event] = {
    "STARTUP": _run("cron_started", "start"),
    "DEATH": {**_FAILED, "event_type": ["end"]},
    "INFO": _PROCESS,
    "info": _PROCESS,
}
_MEANINGS = _COMMANDS | _OUTPUTS | _TABLES | _SERVER
_LINE = re.compile(r"\(([^()]{1,255})\) ([A-Za-z][A-Za-z' _-]{0,39}?) ?\((.*)\)", re.DOTALL)
_BUSYBOX = re.compile(r"USER (\S{1,255}) pid +([0-9]{1,10}) cmd (.*)", re.DOTALL)
_NOBODY = frozenset(("CRON", "*system*", "system"))
_GRANDCHILD = re.compile(r"grandchild #([0-9]{1,10}) failed with exit status ([0-9]{1,10})")


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False when it is about no job, table or server."""
    if message.startswith("("):
        found = _LINE.fullmatch(message)
        if found is None:
            return _part(message, event)
        _line(found[1], found[2], found[3], event)
        return True
    if found := _BUSYBOX.fullmatch(message.removeprefix("crond: ")):
        event.update(_COMMANDS["CMD"], user_name=found[1])
        extra(event)["cron.job_pid"] = int(found[2])
        _set_command(found[3], event)
        return True
    return MESSAGES.parse(message, event) or _of_directory(message, event) or _refused(message, event)


def _refused(message: str, event: Event) -> bool:
    if message not in PAM_SAYS:
        return False
    event.update(_FAILED)
    extra(event)["cron.detail"] = message
    return True


def _part(message: str, event: Event) -> bool:
    """`(/etc/cron.hourly) starting 0anacron`."""
    directory, _, rest = message[1:].partition(") ")
    if not directory.startswith("/") or not JOBS.parse(rest, event):
        return False
    extra(event)["cron.directory"] = directory
    return True


def _of_directory(message: str, event: Event) -> bool:
    """`starting 0anacron`, of a program `run-parts(/etc/cron.hourly)`."""
    name, _, directory = event.get("process_name", "").partition("(")
    if not JOBS.parse(message, event):
        return False
    if directory:
        event["process_name"] = name
        extra(event)["cron.directory"] = directory.rstrip(")")
    return True


def _line(user: str, what: str, text: str, event: Event) -> None:
    event.update(_MEANINGS.get(what, _FAILED))
    if user not in _NOBODY:
        event["user_name"] = user
    _SETTERS.get(what, _set_detail)(text, event)
    if what not in _MEANINGS:
        extra(event)["cron.problem"] = what


def _set_command(text: str, event: Event) -> None:
    put(event, "process_command_line", text.lstrip(" "))


def _set_owner(text: str, event: Event) -> None:
    """Set the owner of a table."""
    if not text:
        return
    if text.startswith(("/", "crontabs/", "tabs/", "cron/")):
        extra(event)["file.path"] = text
    elif text != event.get("user_name"):
        event["user_target_name"] = text


def _set_detail(text: str, event: Event) -> None:
    if found := _GRANDCHILD.fullmatch(text):
        extra(event)["cron.job_pid"] = int(found[1])
        if (status := number(found[2], 9)) is not None:
            extra(event)["process.exit_code"] = status
        event["event_outcome"] = "failure"
    if text:
        extra(event)["cron.detail"] = text


_SETTERS: dict[str, Callable[[str, Event], None]] = {
    **dict.fromkeys(_COMMANDS, _set_command),
    **{what: _set_owner for what in _TABLES if not what.startswith("AUTH")},
}

STREAM = Stream(
    name="cron",
    programs=("cron", "crond", "crontab", "anacron", "atd", "run-parts", "run-parts(", "fcron"),
    parse=parse,
)
