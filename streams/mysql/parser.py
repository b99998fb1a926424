"""Parses lines of MySQL's and MariaDB's error logs, general logs and slow query logs.

It reads MySQL 5.1 to 8.4 (`2026-11-24T04:05:06.123456Z 12 [Note] [MY-010926] [Server] ...`, its JSON error log) and
MariaDB 10 and 11, by syslog (tags mysqld, mariadbd) or as lines of a file. `streams/ATTEMPTS.md` says which lines are
attempts. Patterns and sources are in `streams.mysql.messages` and `streams.mysql.statements`.
https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html
"""

import re
from typing import Any

from streams.base import StateStore, Stream
from streams.common.text import extra, put
from streams.mapping.json_record import kept
from streams.mysql import statements
from streams.mysql.messages import ERROR, INFO, MESSAGES, SERVER
from streams.mysql.stamps import STAMP, set_stamp
from streams.syslog.timestamps import set_instant
from topics.event import Event

_HEAD = re.compile(
    rf"(?:{STAMP} {{1,4}})?(?:(0x[0-9a-f]{{1,16}}|[0-9]{{1,20}}) )?\[(Note|Warning|ERROR|Error|System|Entry)\] "
    r"(?:\[(MY-[0-9]{6})\] )?(?:\[([A-Za-z_ -]{1,32})\] )?"
)
_PLAIN = re.compile(rf"{STAMP} {{1,4}}(?=InnoDB: |mysqld_safe |/)")
_SNIFF = re.compile(
    rf"{STAMP}(?: {{1,4}}(?:(?:0x[0-9a-f]{{1,16}}|[0-9]{{1,20}}) )?\[(?:Note|Warning|ERROR|System)\]"
    r"| {1,4}(?:mysqld_safe |InnoDB: )|\t)"
)
_ERRORS = frozenset(("ERROR", "Error"))
_LABELS = ("System", "Error", "Warning", "Note")
_NOBODY = frozenset(("unauthenticated", "unconnected"))


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one line of any of these logs; False for other lines."""
    head = _HEAD.match(message)
    if head is None:
        return _plain(message, event) or statements.slow(message, event) or statements.general(message, event)
    if (head[1] or head[4]) and not set_stamp(head, event):
        return False
    thread, level, code, subsystem = head.groups()[-4:]
    _understand(level, message[head.end() :], event)
    fields = extra(event)
    put(fields, "mysql.thread_id", thread or "")
    put(fields, "event.code", code or "")
    put(fields, "event.provider", subsystem or "")
    return True


def parse_json(record: dict[str, Any], event: Event, state: StateStore) -> bool:
    """Columns of one record of the JSON error log."""
    set_instant(event, record.pop("time", None))
    text, priority, label = record.pop("msg", ""), record.get("prio"), record.get("label")
    level = _LABELS[priority] if type(priority) is int and 0 <= priority < len(_LABELS) else str(label or "Note")[:16]
    _understand(level, text if type(text) is str else str(text), event)
    extra(event)["mysql.record"] = kept(record)
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header is of one of these logs."""
    if text[:1] == "#":
        return text.startswith(("# User@Host: ", "# Query_time: ", "# Time: "))
    return text[:1].isdigit() and _SNIFF.match(text) is not None


def sniff_json(record: dict[str, Any]) -> bool:
    """Whether a JSON record is of MySQL's error log."""
    return "err_symbol" in record and "msg" in record


def _plain(message: str, event: Event) -> bool:
    """Parse a line without a severity, of an old server or of mysqld_safe."""
    found = _PLAIN.match(message)
    if found is None or not set_stamp(found, event):
        return False
    _understand("Note", message[found.end() :], event)
    return True


def _understand(level: str, text: str, event: Event) -> None:
    if not MESSAGES.parse(text, event):
        server = next((columns for words, columns in SERVER if words in text[:512]), None)
        event.update(server or (ERROR if level in _ERRORS else INFO))
        put(extra(event), "mysql.message", text)
    fields = extra(event)
    for holder, name in ((event, "user_name"), (fields, "mysql.database")):
        if holder.get(name) in _NOBODY:
            del holder[name]
    fields["log.level"] = level


STREAM = Stream(
    name="mysql",
    programs=("mysqld", "mysql", "mariadbd", "mariadb", "mysqld_safe"),
    parse=parse,
    sniff=sniff,
    parse_json=parse_json,
    sniff_json=sniff_json,
)
