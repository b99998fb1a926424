"""From a line of Apache's error log to columns.

`[Tue Nov 24 04:05:06.123456 2026] [core:error] [pid 1:tid 2] (13)Permission denied: [client 192.0.2.1:4711] AH00035:
MESSAGE, referer: URL` of 2.4, on one line, and `[Tue Nov 24 04:05:06 2026] [error] [client 192.0.2.1] MESSAGE` of 2.0
and 2.2; by syslog without the time. Sources: httpd server/log.c (do_errorlog_default), modules/aaa/mod_auth*.c.
https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat

The client's address stands before all that a client can choose. Quotes in the rest are escaped.
"""

import re

from streams import weblog
from streams.modsecurity import find_alert
from streams.text import extra, put, set_endpoint
from streams.timestamps import MONTHS, set_civil
from topics.event import Event

NAME = "apache.error"
_LEVELS = "emerg|alert|crit|error|warn|notice|info|debug|trace[1-8]"
_STAMP = (
    r"\[(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))? "
    r"([0-9]{4})\] "
)
_HEAD = re.compile(
    rf"(?:{_STAMP})?\[(?:([\w-]{{0,64}}):)?({_LEVELS})\] (?:\[pid ([0-9]{{1,10}})(?::tid ([0-9]{{1,20}}))?\] ?)?"
    r"(?:([\w./-]{1,128})\([0-9]{1,6}\): )?(?:\(([0-9]{1,6})\)([^:\[\]]{1,128}): )?"
    r"(?:\[(?:client|remote) ([^\]\s]{1,255})\] )?(?:\[client [^\]\s]{1,255}\] )?"
    r"(?:\(([0-9]{1,6})\)([^:\[\]]{1,128}): )?(?:(AH[0-9]{5}): )?"
)
_USERS = tuple(
    re.compile(rf"(?:Digest: )?user [`']?(.{{1,256}}?)'?{end}", re.DOTALL)
    for end in (
        r": authentication failure for \"(?P<path>[^\"]*)\": (?P<reason>.*)",
        r": (?P<reason>password mismatch): (?P<path>/.*)",
        r" in realm .{1,256} (?P<reason>not found|denied by provider): (?P<path>/.*)",
        r": (?P<reason>authorization failure)(?: for)?:? \"?(?P<path>/[^\" ]*)\"?.*",
        r": (?P<reason>nonce expired|one-time-nonce mismatch)(?P<path>).*",
        r" (?P<reason>not found): (?P<path>/[^ ]*)",
    )
)
"""How a user is refused. Quotes in a name are escaped, so the path in quotes is the server's own."""
_PATH = re.compile(r"(?:client denied by server configuration|File does not exist|.*not found or unable to stat): (.*)")
_AUTHORIZATION = re.compile(r"Authorization of user (\S{1,256}) to access (\S{0,4096}) failed, reason: (.*)", re.DOTALL)
_REFUSALS = (
    *("client denied by server configuration", "Directory index forbidden", "client used wrong authentication"),
    *(
        "invalid nonce ",
        "realm mismatch ",
        "unknown algorithm ",
        "invalid qop ",
        "access to ",
        "Invalid URI in request",
    ),
)
_LONGEST = 16384


def parse(message: str, event: Event) -> bool:
    """Columns of one line; False for others."""
    head = _HEAD.match(message)
    if head is None:
        return False
    month, day, hour, minute, second, fraction, year, module, level, pid, thread, *rest = head.groups()
    moment = (MONTHS.get((month or "").lower(), 0), int(day or 0), int(hour or 0), int(minute or 0), int(second or 0))
    if month and not set_civil(event, moment, int(year), fraction or ""):
        return False
    event.update(weblog.of_level(level))
    event["event_dataset"] = NAME
    fields = extra(event)
    fields["log.level"] = level
    if module:
        fields["apache.error.module"] = module
    if pid:
        event["process_pid"] = int(pid)
    if thread:
        fields["process.thread.id"] = int(thread)
    _set_rest(rest, event, has_port=pid is not None)
    _set_message(message[head.end() :][:_LONGEST], event)
    return True


def sniff(text: str) -> bool:
    """Whether a line begins as one of this log."""
    return text[:1] == "[" and _HEAD.match(text) is not None


def _set_rest(rest: list[str | None], event: Event, has_port: bool) -> None:
    """The source file, the system's error before or after the client, the client, the message's number."""
    file, number, error, client, later_number, later_error, code = rest
    fields = extra(event)
    put(fields, "log.origin.file.name", file or "")
    put(fields, "apache.error.errno", number or later_number or "")
    put(fields, "apache.error.strerror", error or later_error or "")
    put(fields, "event.code", code or "")
    if client:
        address, colon, port = client.rpartition(":") if has_port else ("", "", "")
        set_endpoint(event, "source", *((address, port) if colon and port.isdigit() else (client, "")))


def _set_message(text: str, event: Event) -> None:
    said, comma, referrer = text.rpartition(", referer: ")
    if comma:
        event["http_request_referrer"] = referrer or "-"
    else:
        said = text
    put(extra(event), "apache.error.reason", said)
    if said.startswith("ModSecurity: "):
        find_alert(said, event, "apache")
    elif said.startswith(("user ", "Digest: ")):
        _set_refusal(said, event)
    elif found := _AUTHORIZATION.fullmatch(said):
        event.update(event_outcome="failure", user_name=found[1])
    elif said.startswith(_REFUSALS):
        event["event_outcome"] = "failure"
    if found := _PATH.fullmatch(said):
        extra(event)["file.path"] = found[1]


def _set_refusal(said: str, event: Event) -> None:
    """Somebody's password was not taken, or nobody knows the user. The access log has the attempt."""
    found = next((found for pattern in _USERS if (found := pattern.fullmatch(said))), None)
    if found is None:
        event["event_outcome"] = "failure"
        return
    event.update(event_category=["web", "authentication"], event_type=["info"], event_outcome="failure")
    event["event_action"] = "http_authentication"
    event["user_name"] = found[1]
    put(event, "url_path", found["path"])
    put(extra(event), "event.reason", found["reason"])
