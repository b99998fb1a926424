"""From a record that carries a log line to the columns of its header and the line within.

By the names of its members, whoever wrote it: `journalctl -o json`, templates of rsyslog and syslog-ng, MozDef's
events, Docker, Fluent Bit, Fluentd, Filebeat, Vector, Logstash, GELF, NXLog. What no column takes is kept in `json`.
https://systemd.io/JOURNAL_EXPORT_FORMATS/ https://www.rsyslog.com/doc/configuration/properties.html
"""

from dataclasses import dataclass
from typing import Any

from streams.ecs_names import NAMES, leaves
from streams.envelopes import mozdef, parts
from streams.members import Take, taker
from streams.records import kept
from streams.text import extra
from topics.event import Event

Part = tuple[Take, tuple[str, ...]]
"""What takes, and the names of members it may take; the first that it can use."""

_MESSAGES = ("MESSAGE", "message", "msg", "MSG", "summary", "short_message", "Message", "log", "rawmsg")
_PROGRAMS = (
    *("SYSLOG_IDENTIFIER", "_COMM", "PROGRAM", "programname", "app-name", "appname", "app_name", "ident", "program"),
    *("processname", "pname", "SourceName", "syslog.identifier", "log.syslog.appname", "process.name"),
    *("_application_name", "details.program"),
)
_TIMES = (
    *("__REALTIME_TIMESTAMP", "timereported", "ISODATE", "DATE", "utctimestamp", "timestamp", "@timestamp"),
    *("eventtime", "EventTime", "time", "ts", "date", "datetime", "timegenerated"),
)
_HOSTS = ("_HOSTNAME", "HOST", "hostname", "host.hostname", "host.name", "host", "source_host", "Hostname", "logsource")
_FACILITIES = (
    *("SYSLOG_FACILITY", "syslogfacility", "FACILITY_NUM", "FACILITY", "syslogfacility-text", "facility"),
    *("SyslogFacilityValue", "log.syslog.facility.code", "syslog.facility", "_facility"),
)
_SEVERITIES = (
    *("PRIORITY", "syslogseverity", "LEVEL_NUM", "LEVEL", "syslogseverity-text", "severity", "SEVERITY", "level"),
    *("SyslogSeverityValue", "log.syslog.severity.code", "syslog.priority"),
)
_HEADER: tuple[Part, ...] = (
    (parts.host, (*_HOSTS, "log.syslog.hostname", "fromhost")),
    (parts.pid, ("_PID", "SYSLOG_PID", "PID", "procid", "pid", "processid", "ProcessID", "process.pid", "_process_id")),
    (parts.when, _TIMES),
    (parts.priority, ("pri", "PRI", "log.syslog.priority")),
    (parts.facility, _FACILITIES),
    (parts.severity, _SEVERITIES),
    (taker("log.syslog.msgid"), ("msgid", "MSGID")),
    (taker("log.file.path"), ("log.file.path",)),
)
_UNDATED = ("@timestamp", "timestamp", "time", "ts", "eventTime")
_ECS_GROUPS = frozenset({"agent", "cloud", "container", "orchestrator", "observer", "labels", "tags"})


@dataclass(frozen=True, slots=True)
class Inner:
    """What an envelope names: the program, and whether its line may begin with a header of its own."""

    program: str | None
    headed: bool


def unwrap(record: dict[str, Any], event: Event) -> Inner | None:
    """Set the header's columns and `message`; None, and the event untouched, for a record without a message."""
    rest = dict(record)
    if not _first(parts.message, _MESSAGES, rest, event):
        return None
    before = event.pop("process_name", None)
    named = _first(parts.tag, ("syslogtag", "tag"), rest, event) or _first(parts.program, _PROGRAMS, rest, event)
    for take, names in _HEADER:
        _first(take, names, rest, event)
    if mozdef.sniff(record):
        for take, names in mozdef.PARTS:
            _first(take, names, rest, event)
    _keep(rest, event)
    parts.join_priority(event)
    headed = not named or ("program" in record and "message" in record)
    if named:
        event["message"] = event["message"].removeprefix(" ")
        return Inner(event["process_name"], headed)
    if before:
        event["process_name"] = before
    return Inner(before, headed)


def keep_unknown(record: dict[str, Any], event: Event) -> None:
    """Keep a record that nobody knows, and take its time if it has one."""
    _first(parts.when, _UNDATED, dict(record), event)
    extra(event)["json"] = kept(record)


def _first(take: Take, names: tuple[str, ...], rest: dict[str, Any], event: Event) -> bool:
    """Let the first of the named members that is of use be taken, out of `rest`."""
    for name in names:
        value = _get(rest, name)
        if value is not None and value not in ("", "-") and take(event, value):
            _drop(rest, name)
            return True
    return False


def _get(record: dict[str, Any], name: str) -> Any:
    if name in record or "." not in name:
        return record.get(name)
    first, _, more = name.partition(".")
    inner = record.get(first)
    return _get(inner, more) if type(inner) is dict else None


def _drop(record: dict[str, Any], name: str) -> None:
    """Take a member out; the objects above it are copied first, for they belong to the record."""
    if name in record:
        del record[name]
        return
    first, _, more = name.partition(".")
    record[first] = dict(record[first])
    _drop(record[first], more)
    if not record[first]:
        del record[first]


def _keep(rest: dict[str, Any], event: Event) -> None:
    """What is left of a shipper's ECS document about itself is ECS still; all else is kept as it is."""
    if "ecs" in rest:
        for group in _ECS_GROUPS & rest.keys():
            found = dict(leaves({group: kept(rest.pop(group))}))
            extra(event).update({name: value for name, value in found.items() if name in NAMES})
            if others := {name: value for name, value in found.items() if name not in NAMES}:
                rest[group] = others
    if rest:
        extra(event)["json"] = kept(rest)
