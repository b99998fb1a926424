"""Parses lines of PostgreSQL's log: connections and logins, errors, statements.

It reads the text log with the usual settings of log_line_prefix, by syslog (tag postgres) or as lines of a file, csvlog
and jsonlog; 9.6 to 17, messages in English. The address of `connection received` is added to later lines of the same
process. `streams/ATTEMPTS.md` says which lines are attempts. Patterns and sources are in `streams.postgresql.messages`.
https://www.postgresql.org/docs/current/runtime-config-logging.html
"""

import re
from typing import Any

from streams.base import StateStore, Stream
from streams.common.text import extra, number, put, set_endpoint
from streams.mapping.json_record import kept
from streams.postgresql import prefix
from streams.postgresql.messages import ERROR, INFO, MESSAGES, STATEMENT
from streams.postgresql.records import of_csv
from streams.syslog.timestamps import set_iso
from topics.event import Event

_SEQUENCE = re.compile(r"\[[0-9]{1,10}-[0-9]{1,10}\] ?")
_CSV = re.compile(r"[0-9-]{10} [0-9:.]{8,15} [A-Z]{1,5},")
_DURATION = re.compile(r"duration: ([0-9]{1,12}(?:\.[0-9]{1,6})?) ms(?:  (.*))?", re.DOTALL)
_STATEMENT = re.compile(r"(?:statement|execute|parse|bind|fastpath function call)(?: ([^:]{1,128}))?: (.*)", re.DOTALL)
_TEXTS = (
    *("timestamp", "user", "dbname", "pid", "remote_host", "remote_port", "error_severity", "state_code", "message"),
    *("detail", "statement", "application_name"),
)
_NOTES = frozenset(("DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE"))
_ERRORS = frozenset(("ERROR", "FATAL", "PANIC"))
_AUTHORIZED = ("connection authorized", "replication connection authorized")
_LOCAL = "[local]"
_CONNECT = "database_connect"
_LEAVE = "database_disconnect"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one line; False for a line without a severity."""
    if found := _SEQUENCE.match(message):
        message = message[found.end() :]
    if _CSV.match(message) and (record := of_csv(message)):
        return parse_json(record, event, state)
    parts = prefix.split(message)
    if parts is None:
        return False
    before, severity, sqlstate, text = parts
    prefix.read(prefix.without_user(before, text), event)
    if text.startswith(_AUTHORIZED) and prefix.holds_failure(text):
        text = ""  # a refused user may have such a name
        event.pop("user_name", None)
    _understand(severity, sqlstate, text, event)
    _join(event, state)
    return True


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one record of the JSON log, or of the CSV log as one."""
    texts = {name: str(record.pop(name)) for name in _TEXTS if type(record.get(name)) in (str, int)}
    stamp, _, zone = texts.get("timestamp", "").rpartition(" ")
    set_iso(event, stamp, zone)
    if (pid := number(texts.get("pid", ""))) is not None:
        event["process_pid"] = pid
    prefix.set_names(texts.get("user", ""), texts.get("dbname", ""), event)
    if texts.get("remote_host", _LOCAL) != _LOCAL:
        set_endpoint(event, "source", texts["remote_host"], texts.get("remote_port", ""))
    _understand(texts.get("error_severity", ""), texts.get("state_code", ""), texts.get("message", ""), event)
    fields = extra(event)
    put(fields, "postgresql.detail", texts.get("detail", ""))
    put(fields, "postgresql.statement", texts.get("statement", ""))
    put(fields, "postgresql.application", texts.get("application_name", ""))
    if record:
        fields["postgresql.record"] = kept(record)
    _join(event, state)
    return True


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a JSON record is of PostgreSQL's log."""
    return "error_severity" in record and "backend_type" in record


def _understand(severity: str, sqlstate: str, text: str, event: Event) -> None:
    if severity in _NOTES:
        event.update(INFO)
        extra(event)[f"postgresql.{severity.lower()}"] = text
    elif severity == "STATEMENT":
        event.update(STATEMENT)
        extra(event)["postgresql.statement"] = text
    elif not (MESSAGES.parse(text, event) or _statement(text, event)):
        event.update(ERROR if severity in _ERRORS else INFO)
        put(extra(event), "postgresql.message", text)
    fields = extra(event)
    put(fields, "log.level", severity)
    put(fields, "event.code", sqlstate)


def _statement(text: str, event: Event) -> bool:
    """Parse `duration: 12.3 ms  statement: SELECT 1`, `execute <unnamed>: SELECT 1`."""
    timed = _DURATION.fullmatch(text)
    found = _STATEMENT.fullmatch((timed[2] or "") if timed else text)
    if timed is None and found is None:
        return False
    event.update(STATEMENT)
    if timed:
        extra(event)["event.duration"] = round(float(timed[1]) * 1_000_000)
    if found:
        extra(event)["postgresql.statement"] = found[2]
    return True


def _join(event: Event, state: StateStore) -> None:
    """Keep the client's address when a process connects, and add it to the later lines of that process."""
    fields = event.get("extra", {})
    if fields.get("source.address") == _LOCAL:
        del fields["source.address"]
    pid = event.get("process_pid")
    if pid is None:
        return
    key = f"postgresql|{event.get('host_hostname', '')}|{pid}"
    if event["event_action"] == _CONNECT and event["event_category"][0] == "network":
        state.put(key, [event.get("source_ip", ""), event.get("source_port", 0)])
    elif "source_ip" not in event and (known := state.get(key)):
        put(event, "source_ip", known[0])
        if known[1]:
            event["source_port"] = known[1]
    if event["event_action"] == _LEAVE:
        state.close(key)


STREAM = Stream(
    name="postgresql",
    programs=("postgres", "postgresql", "postmaster"),
    parse=parse,
    sniff=prefix.sniff,
    parse_json=parse_json,
    sniff_json=sniff_json,
)
