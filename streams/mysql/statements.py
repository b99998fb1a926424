"""Parses lines of MySQL's general log and slow query log.

A line of the general log has time, thread, command and argument with tabs between (`12 Connect`, `alice@web1 on app
using TCP/IP`). The slow query log has `# User@Host: alice[alice] @ web1 [192.0.2.1]  Id: 12`, `# Query_time: 2.5
Lock_time: 0.0 ...` and the statement, on lines of their own or joined by the log shipper.
https://dev.mysql.com/doc/refman/8.4/en/query-log.html, https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html
"""

import re

from streams.common.text import extra, number, put, set_endpoint
from streams.mysql.messages import LOGIN, MESSAGES, columns
from streams.mysql.stamps import STAMP, set_stamp
from topics.event import Event

_GENERAL = re.compile(rf"(?:{STAMP})?\t{{0,2}} *([0-9]{{1,20}}) ([A-Z][A-Za-z ]{{1,24}}?)(?:\t(.*))?", re.DOTALL)
_CONNECT = re.compile(r"(.{0,256})@(\S{0,255}) (?:as .{0,256} )?on(?: (.{0,256}?))?(?: using (.{1,64}))?", re.DOTALL)
_USER_HOST = re.compile(
    r"# User@Host: ([^\[\n]{0,256})(?:\[([^\]\n]{0,256})\])? @ ([^\[\n]{0,255}?) ?\[([^\]\s]{0,64})\](.*)", re.DOTALL
)
_METRIC = re.compile(r"([A-Z][A-Za-z_]{1,40}): {1,8}([^\s:]{1,64})")
_TIME = re.compile(rf"# Time: {STAMP}")
_SINCE_1970 = re.compile(r"SET timestamp=([0-9]{1,12})(?:\.[0-9]{1,9})?;")
_COMMANDS = frozenset(
    (
        *("Connect", "Query", "Quit", "Init DB", "Prepare", "Execute", "Close stmt", "Field List", "Change user"),
        *("Ping", "Statistics", "Shutdown", "Refresh", "Processlist", "Kill", "Reset stmt", "Long Data", "Fetch"),
        "Binlog Dump",
    )
)
_STATEMENT = columns(["database"], "access", "database_statement")
_SLOW = columns(["database"], "info", "database_slow_statement")
_LEFT = columns(["session", "database"], "end", "database_disconnect")
_MOST_METRICS = 64


def general(text: str, event: Event) -> bool:
    """Add the columns of a line of the general log; False for other lines."""
    found = _GENERAL.fullmatch(text)
    if found is None:
        return False
    thread, command, argument = found.groups()[-3:]
    stamped = found[1] or found[4]
    if command not in _COMMANDS or not (stamped or text.startswith("\t")) or (stamped and not set_stamp(found, event)):
        return False
    if command != "Connect":
        event.update(_LEFT if command == "Quit" else _STATEMENT)
        put(extra(event), "mysql.statement", argument or "")
    else:
        _connect(argument or "", event)
    fields = extra(event)
    fields["mysql.command"] = command
    fields["mysql.thread_id"] = thread
    return True


def _connect(argument: str, event: Event) -> None:
    """Parse a login. A refusal follows on a line of its own, and is counted in the error log."""
    if MESSAGES.parse(argument, event):
        event.pop("ogrewatch_attempt", None)
        return
    event.update(LOGIN)
    found = _CONNECT.fullmatch(argument)
    if found is None:
        put(extra(event), "mysql.statement", argument)
        return
    user, host, database, protocol = found.groups("")
    put(event, "user_name", user)
    set_endpoint(event, "source", host)
    put(extra(event), "mysql.database", database)
    put(extra(event), "mysql.protocol", protocol)


def slow(text: str, event: Event) -> bool:
    """Add the columns of one or several lines of the slow query log; False for other lines."""
    time = _TIME.match(text)
    if time is not None:
        if not set_stamp(time, event):
            return False
        text = text[time.end() :].lstrip()
    if not (time and not text) and not text.startswith(("# User@Host: ", "# Query_time: ")):
        return False
    event.update(_SLOW)
    if found := _USER_HOST.match(text):
        _set_user(found, event)
        text = found[5]
    _set_metrics(text, event)
    return True


def _set_user(found: re.Match[str], event: Event) -> None:
    user, current, host, address, _ = found.groups("")
    put(event, "user_name", user.strip() or current)
    set_endpoint(event, "source", address or host)
    if address and host not in ("", address):
        extra(event)["source.domain"] = host


def _set_metrics(text: str, event: Event) -> None:
    """Set the numbers of `Query_time: 2.5  Lock_time: 0.0 ...` and the statement, which follows the time it ran at."""
    ran = _SINCE_1970.search(text)
    fields = extra(event)
    for name, value in _METRIC.findall(text[: ran.start()] if ran else text)[:_MOST_METRICS]:
        if name == "Query_time" and (duration := _nanoseconds(value)) is not None:
            fields["event.duration"] = duration
        else:
            fields["mysql." + ("thread_id" if name in ("Id", "Thread_id") else name.lower())] = value
    if ran is not None:
        event["timestamp"] = int(ran[1]) * 1_000_000
        put(fields, "mysql.statement", text[ran.end() :].strip())
    if not fields:
        del event["extra"]


def _nanoseconds(seconds: str) -> int | None:
    whole, _, fraction = seconds.partition(".")
    value, rest = number(whole, 9), number(fraction[:9].ljust(9, "0"), 9)
    return None if value is None or rest is None else value * 1_000_000_000 + rest
