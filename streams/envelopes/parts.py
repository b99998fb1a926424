"""Sets the columns of a syslog header from members of a record: host, program, process id, time, facility, severity.

Each function takes (event, value) and returns whether it set something. The value may be of any JSON type.
https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1
"""

import re
from datetime import UTC
from typing import Any

from streams.common.text import extra, number
from streams.syslog import stamps
from streams.syslog.origin import set_host, set_program
from streams.syslog.timestamps import ZONE, note_zone, set_instant
from topics.event import Event

_FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{n}" for n in range(8)),
)
FACILITIES = {name: code for code, name in enumerate(_FACILITIES)} | {"security": 4, "kernel": 0, "authorization": 4}
_SEVERITIES = (
    ("emerg", "panic", "emergency"),
    ("alert",),
    ("crit", "critical", "fatal"),
    ("err", "error"),
    ("warning", "warn"),
    ("notice",),
    ("info", "informational", "information"),
    ("debug", "trace"),
)
SEVERITIES = {name: code for code, names in enumerate(_SEVERITIES) for name in names}
_FACILITY, _SEVERITY = "log.syslog.facility.code", "log.syslog.severity.code"
_TAG = re.compile(r"([^\s:\[\]]{1,128})(?:\[([^\]\s]{0,64})\]:?|:)")
_BYTE = 256


def message(event: Event, value: Any) -> bool:
    """Text; or, from journald, a list of bytes (what is not UTF-8) or of texts (a field given more than once)."""
    if type(value) is list and value:
        value = _joined(value)
    if type(value) is not str:
        return False
    event["message"] = value.rstrip("\r\n").removeprefix("\ufeff")
    return True


def _joined(values: list[Any]) -> str | None:
    if all(type(value) is int and 0 <= value < _BYTE for value in values):
        return bytes(values).decode("utf-8", "backslashreplace")
    return "\n".join(values) if all(type(value) is str for value in values) else None


def host(event: Event, value: Any) -> bool:
    if type(value) is not str or not value or len(value) > 255:
        return False
    set_host(event, value)
    return True


def program(event: Event, value: Any) -> bool:
    if type(value) is not str or not value:
        return False
    set_program(event, value, "")
    return True


def tag(event: Event, value: Any) -> bool:
    """`sshd[57911]:` as it stands in a syslog line."""
    found = _TAG.fullmatch(value.strip()) if type(value) is str else None
    if found is None:
        return False
    set_program(event, found[1], found[2] or "")
    return True


def pid(event: Event, value: Any) -> bool:
    if type(value) is not str and (type(value) is not int or not 0 <= value < 2**63):
        return False
    found = number(value) if type(value) is str else value
    if found is None:
        extra(event)["log.syslog.procid"] = value
    else:
        event["process_pid"] = found
    return True


def when(event: Event, value: Any) -> bool:
    """Any time a JSON value may be, and the stamps of syslog headers."""
    if set_instant(event, value):
        return True
    stamp = stamps.read(value, event["timestamp"], event.get(ZONE, UTC)) if type(value) is str else None
    if stamp is None or stamp.end != len(value):
        return False
    event["timestamp"] = stamp.when
    if not stamp.zoned:
        note_zone(event)
    return True


def priority(event: Event, value: Any) -> bool:
    found = _code(value, {}, 191)
    if found is not None:
        event["log_syslog_priority"] = found
    return found is not None


def facility(event: Event, value: Any) -> bool:
    found = _code(value, FACILITIES, 23)
    if found is not None:
        extra(event)[_FACILITY] = found
    return found is not None


def severity(event: Event, value: Any) -> bool:
    found = _code(value, SEVERITIES, 7)
    if found is None:
        return False
    extra(event)[_SEVERITY] = found
    if type(value) is str and not value.isdigit():
        extra(event)["log.level"] = value
    return True


def _code(value: Any, names: dict[str, int], largest: int) -> int | None:
    if type(value) is str:
        value = names.get(value.strip().lower(), number(value, 3))
    return value if type(value) is int and 0 <= value <= largest else None


def join_priority(event: Event) -> None:
    """Facility and severity make the priority of a syslog line; one of them alone stays as it is."""
    fields = event.get("extra", {})
    if "log_syslog_priority" not in event and _FACILITY in fields and _SEVERITY in fields:
        event["log_syslog_priority"] = fields[_FACILITY] * 8 + fields[_SEVERITY]
    if "log_syslog_priority" in event:
        fields.pop(_FACILITY, None)
        fields.pop(_SEVERITY, None)
        if "extra" in event and not fields:
            del event["extra"]
