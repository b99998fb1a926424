"""Parses JSON records of sudo: `{"sudo": {"accept": {"submituser": "alice", "command": ...}}}`.

It reads what sudo 1.9 writes with `log_format=json`, by syslog after `@cee:` or in its file, and what sudo_logsrvd
writes. `accept` is a command that ran, `reject` one that was refused, `exit` its end, `alert` anything else. Source:
sudo lib/eventlog/eventlog.c (`json_add_timestamp`, `eventlog_store_json`).
https://www.sudo.ws/docs/man/sudoers.man/#EVENT_LOGGING
"""

from typing import Any

from streams.base import StateStore
from streams.mapping.json_fields import FieldMap
from streams.syslog.timestamps import set_instant
from topics.event import Event

_RUN: Event = {
    "ogrewatch_service": "sudo",
    "event_category": ["process"],
    "event_type": ["start"],
    "event_action": "sudo_command",
    "event_outcome": "success",
}
_INFO: Event = {
    "ogrewatch_service": "sudo",
    "event_category": ["process"],
    "event_type": ["info"],
    "event_action": "sudo_message",
}
_KINDS: dict[str, Event] = {
    "accept": {**_RUN, "ogrewatch_attempt": 1},
    "reject": {**_RUN, "event_outcome": "failure", "ogrewatch_attempt": 1},
    "exit": {**_INFO, "event_type": ["end"], "event_action": "sudo_exit"},
    "alert": _INFO,
}


def _time(event: Event, value: Any) -> bool:
    """Sets the time by the seconds of `{"seconds": 1795496400, "nanoseconds": 5000, "iso8601": ...}`."""
    return type(value) is dict and set_instant(event, value.get("seconds"))


def _arguments(event: Event, value: Any) -> bool:
    if type(value) is not list or not value or not all(type(part) is str for part in value):
        return False
    event["process_command_line"] = " ".join(value)
    return True


def _command(event: Event, value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    event["process_executable"] = value
    return True


_FIELD_MAP = FieldMap(
    "sudo",
    {
        "submituser": "user_name",
        "runuser": "user_effective_name",
        "submitcwd": "process_working_directory",
        "rungroup": "group.name",
        "exit_value": "process.exit_code",
        "submit_time": _time,
        "command": _command,
        "runargv": _arguments,
    },
)


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a record is one of sudo's."""
    inner = record.get("sudo")
    return type(inner) is dict and not _KINDS.keys().isdisjoint(inner)


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one record; False, and `event` untouched, when it has none of the four kinds."""
    inner = record.get("sudo")
    if type(inner) is not dict:
        return False
    kind = next((name for name in _KINDS if type(inner.get(name)) is dict), None)
    if kind is None:
        return False
    event.update(_KINDS[kind])
    _FIELD_MAP.apply(inner[kind], event)
    event.setdefault("process_name", "sudo")
    if executable := event.get("process_executable"):
        event.setdefault("process_command_line", executable)
    return True
