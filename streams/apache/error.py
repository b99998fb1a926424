"""Parses lines of Apache's error log.

`[Tue Nov 24 04:05:06.123456 2026] [core:error] [pid 1:tid 2] (13)Permission denied: [client 192.0.2.1:4711] AH00035:
MESSAGE, referer: URL` of 2.4, on one line, and `[Tue Nov 24 04:05:06 2026] [error] [client 192.0.2.1] MESSAGE` of 2.0
and 2.2; by syslog without the time. Sources: httpd server/log.c (do_errorlog_default), modules/aaa/mod_auth*.c.
https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat

The client's address stands before all that a client can choose. Quotes in the rest are escaped.
"""

import re

from streams.apache.refusals import find_refusal
from streams.common import weblog
from streams.common.modsecurity import find_alert
from streams.common.text import extra, put, set_endpoint
from streams.syslog.timestamps import MONTHS, set_civil
from topics.event import Event

NAME = "apache.error"
_LEVELS = "emerg|alert|crit|error|warn|notice|info|debug|trace[1-8]"
_STAMP = (
    r"\[(?:[A-Z][a-z]{2} )?(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):"
    r"(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))? (?P<year>[0-9]{4})\] "
)
_ORIGIN = (
    rf"\[(?:(?P<module>[\w-]{{0,64}}):)?(?P<level>{_LEVELS})\] "
    r"(?:\[pid (?P<pid>[0-9]{1,10})(?::tid (?P<thread>[0-9]{1,18}))?\] ?)?(?:(?P<file>[\w./-]{1,128})\([0-9]{1,6}\): )?"
)
_CLIENT = (
    r"(?:\[(?:client|remote) (?P<client>\[[0-9A-Fa-f.:]{2,45}\]:[0-9]{1,5}|[^\[\]\s]{1,255})\] )?"
    r"(?:\[client [^\]\s]{1,255}\] )?"
)
_HEAD = re.compile(
    rf"(?:{_STAMP})?{_ORIGIN}(?:\((?P<errno>[0-9]{{1,6}})\)(?P<error>[^:\[\]]{{1,128}}): )?{_CLIENT}"
    r"(?:\((?P<late_errno>[0-9]{1,6})\)(?P<late_error>[^:\[\]]{1,128}): )?(?:(?P<code>AH[0-9]{5}): )?"
)
_FIELDS = (
    *(("level", "log.level"), ("module", "apache.error.module"), ("file", "log.origin.file.name")),
    *(("errno", "apache.error.errno"), ("late_errno", "apache.error.errno"), ("code", "event.code")),
    *(("error", "apache.error.strerror"), ("late_error", "apache.error.strerror")),
)
_PATH = re.compile(r"(?:client denied by server configuration|File does not exist|.*not found or unable to stat): (.*)")
_LONGEST = 16384


def parse(message: str, event: Event) -> bool:
    """Set the columns of one line; False for others."""
    head = _HEAD.match(message)
    if head is None or not _set_time(head, event):
        return False
    event.update(weblog.of_level(head["level"]))
    event["event_dataset"] = NAME
    _set_origin(head, event)
    _set_client(head, event)
    _set_message(message[head.end() :][:_LONGEST], event)
    return True


def sniff(text: str) -> bool:
    """Whether a line begins as one of this log."""
    return text[:1] == "[" and _HEAD.match(text) is not None


def _set_time(head: re.Match[str], event: Event) -> bool:
    """Set the line's time. True without one as well: then syslog has told it."""
    if not head["month"]:
        return True
    day, hour, minute, second = (int(head[part]) for part in ("day", "hour", "minute", "second"))
    moment = (MONTHS.get(head["month"].lower(), 0), day, hour, minute, second)
    return set_civil(event, moment, int(head["year"]), head["fraction"] or "")


def _set_origin(head: re.Match[str], event: Event) -> None:
    """Set module and level, process and thread, source file, the system's error, the message's number."""
    fields = extra(event)
    for group, name in _FIELDS:
        put(fields, name, head[group] or "")
    if head["pid"]:
        event["process_pid"] = int(head["pid"])
    if head["thread"]:
        fields["process.thread.id"] = int(head["thread"])


def _set_client(head: re.Match[str], event: Event) -> None:
    """Set the client; since 2.4 its port follows it, and the line has a process id, too."""
    client = head["client"]
    if not client:
        return
    address, colon, port = client.rpartition(":") if head["pid"] else ("", "", "")
    bare = address.strip("[]")
    set_endpoint(event, "source", *((bare, port) if colon and port.isdigit() else (client, "")))


def _set_message(text: str, event: Event) -> None:
    said, comma, referrer = text.rpartition(", referer: ")
    if comma:
        put(event, "http_request_referrer", referrer)
    else:
        said = text
    put(extra(event), "apache.error.reason", said)
    if said.startswith("ModSecurity: "):
        find_alert(said, event, "apache")
    else:
        find_refusal(said, event)
    if found := _PATH.fullmatch(said):
        extra(event)["file.path"] = found[1]
