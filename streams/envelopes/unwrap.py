"""Unwraps a record that carries a log line: sets the header's columns and the message.

It goes by the names of the members, whoever wrote the record: `journalctl -o json`, templates of rsyslog and syslog-ng,
MozDef's events, Docker, Fluent Bit, Fluentd, Filebeat, Vector, Logstash, GELF, NXLog. What no column takes is kept in
`json`. https://systemd.io/JOURNAL_EXPORT_FORMATS/ https://www.rsyslog.com/doc/configuration/properties.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from streams.common.ecs_names import NAMES, leaves
from streams.common.text import extra
from streams.envelopes import mozdef, parts
from streams.mapping.json_fields import Converter, converter_for
from streams.mapping.json_record import kept
from topics.event import Event

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
_PIDS = ("_PID", "SYSLOG_PID", "PID", "procid", "pid", "processid", "ProcessID", "process.pid", "_process_id")
_SLOTS: tuple[tuple[tuple[Converter, tuple[str, ...]], ...], ...] = (
    ((parts.message, _MESSAGES),),
    ((parts.tag, ("syslogtag", "tag")), (parts.program, _PROGRAMS)),
    ((parts.host, (*_HOSTS, "log.syslog.hostname", "fromhost")),),
    ((parts.pid, _PIDS),),
    ((parts.when, _TIMES),),
    ((parts.priority, ("pri", "PRI", "log.syslog.priority")),),
    ((parts.facility, _FACILITIES),),
    ((parts.severity, _SEVERITIES),),
    ((converter_for("log.syslog.msgid"), ("msgid", "MSGID")),),
    ((converter_for("log.file.path"), ("log.file.path",)),),
)
"""Slots of an event, the message first. The first of the named members that its converter accepts fills a slot."""

_MESSAGE, _PROGRAM = 0, 1
_NOTHING = (None, "", "-")
Entry = tuple[int, int, str, Converter]
"""A member's slot, its rank among those of the slot, its name, and its converter."""


def _table(slots: Iterable[tuple[tuple[Converter, tuple[str, ...]], ...]]) -> dict[str, list[Entry]]:
    """The entries by a name at the top of a record: the whole name, or the first word of a dotted one."""
    table: dict[str, list[Entry]] = {}
    for slot, choices in enumerate(slots):
        named = [(name, converter) for converter, names in choices for name in names]
        for rank, (name, converter) in enumerate(named):
            for key in {name, name.partition(".")[0]}:
                table.setdefault(key, []).append((slot, rank, name, converter))
    return table


_TABLE = _table(_SLOTS)
_MOZDEF_TABLE = _table((*_SLOTS, *((part,) for part in mozdef.PARTS)))
_UNDATED = ("@timestamp", "timestamp", "time", "ts", "eventTime")
_ECS_GROUPS = frozenset({"agent", "cloud", "container", "orchestrator", "observer", "labels", "tags"})


@dataclass(frozen=True, slots=True)
class Inner:
    """What an envelope names: the program, and whether its line may begin with a header of its own."""

    program: str | None
    headed: bool


def unwrap(record: dict[str, Any], event: Event) -> Inner | None:
    """Set the header's columns and `message`; None, and the event untouched, for a record without a message."""
    of_mozdef = mozdef.sniff(record)
    table = _MOZDEF_TABLE if of_mozdef else _TABLE
    entries = sorted(entry for key in record for entry in table.get(key, ()))
    before, rest = event.pop("process_name", None), dict(record)
    filled = _fill(entries, rest, event)
    if _PROGRAM not in filled and before:
        event["process_name"] = before
    if _MESSAGE not in filled:
        return None
    if of_mozdef:
        event["event_dataset"] = mozdef.DATASET
    _keep(rest, event)
    parts.join_priority(event)
    if _PROGRAM in filled:
        event["message"] = event["message"].removeprefix(" ")
    return Inner(event.get("process_name"), _PROGRAM not in filled or ("program" in record and "message" in record))


def _fill(entries: list[Entry], rest: dict[str, Any], event: Event) -> set[int]:
    """Fill each slot once, by members that are removed from `rest`. Return the filled ones: none without a message."""
    filled: set[int] = set()
    for slot, _, name, convert in entries:
        if slot in filled:
            continue
        if slot > _MESSAGE and _MESSAGE not in filled:
            break
        value = rest[name] if name in rest else _get(rest, name)
        if value not in _NOTHING and convert(event, value):
            _drop(rest, name)
            filled.add(slot)
    return filled


def keep_unknown(record: dict[str, Any], event: Event) -> None:
    """Keep a record that nobody knows, and set its time if it has one."""
    any(parts.when(event, record[name]) for name in _UNDATED if name in record)
    extra(event)["json"] = kept(record)


def _get(record: dict[str, Any], name: str) -> Any:
    if name in record or "." not in name:
        return record.get(name)
    first, _, more = name.partition(".")
    inner = record.get(first)
    return _get(inner, more) if type(inner) is dict else None


def _drop(record: dict[str, Any], name: str) -> None:
    """Remove a member; the objects above it are copied first, because they belong to the record."""
    if name in record:
        del record[name]
        return
    first, _, more = name.partition(".")
    record[first] = dict(record[first])
    _drop(record[first], more)
    if not record[first]:
        del record[first]


def _keep(rest: dict[str, Any], event: Event) -> None:
    """Keep the rest: a shipper's ECS fields about itself under their names, everything else in `json`."""
    if "ecs" in rest:
        for group in _ECS_GROUPS & rest.keys():
            found = dict(leaves({group: kept(rest.pop(group))}))
            extra(event).update({name: value for name, value in found.items() if name in NAMES})
            if others := {name: value for name, value in found.items() if name not in NAMES}:
                rest[group] = others
    if rest:
        extra(event)["json"] = kept(rest)
