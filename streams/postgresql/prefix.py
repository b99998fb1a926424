"""Splits a line of PostgreSQL's log into what `log_line_prefix` wrote, the severity and the message.

The administrator chooses the prefix, as in `2026-11-24 04:05:06.789 UTC [123] alice@app LOG:  message`, so each part of
it is searched for. https://www.postgresql.org/docs/current/runtime-config-logging.html#GUC-LOG-LINE-PREFIX

A user name may look like a severity and a message. It then stands in the prefix and again in the message, so the
severity is the first one that is not repeated. When one before it is FATAL, the refused client may have typed it in
either place: of such a line only the time is read.
"""

import re
from collections import Counter
from itertools import islice

from streams.common.text import extra, is_ip, number, set_endpoint
from streams.syslog.timestamps import set_iso
from topics.event import Event

_MARK = ":  "
"""The end of a severity."""
_SEVERITIES = frozenset(
    (
        *("LOG", "ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "INFO", "DETAIL", "HINT", "STATEMENT", "CONTEXT"),
        *("QUERY", "LOCATION", "BACKTRACE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5"),
    )
)
_WORD = re.compile(r"(?:^|[\s:>\]])([A-Z]{3,9}[1-5]?)\Z")
_LONGEST_WORD = 11
_RETYPED = re.compile(r"(?:^|[\s:>\]])(LOG|ERROR|FATAL|PANIC|WARNING|STATEMENT|DETAIL|HINT): (?=\S)")
"""A severity that has lost one of its two blanks in transport."""
_STATE = re.compile(r"([0-9A-Z]{5}): ")
_STAMP_PART = r"([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?) ([A-Z]{1,5}|[+-][0-9:]{2,6})"
_STAMP = re.compile(rf"[<\[]? ?{_STAMP_PART}")
_FIRST = re.compile(
    rf"([0-9A-Fa-f][0-9A-Fa-f.:]{{1,44}}|::[0-9A-Fa-f.:]{{0,43}})(?:\(([0-9]{{1,5}})\))? (?={_STAMP_PART})"
)
"""The client, where it stands before the time."""
_ALONE = re.compile(
    r"(?:[ :]{0,2}\[[0-9]{1,10}(?:-[0-9]{1,10})?\]:?)? ([0-9A-Fa-f][0-9A-Fa-f.:]{1,44}|::[0-9A-Fa-f.:]{0,43}) "
)
"""The client, where it stands alone behind the time, or the process."""
_SNIFF = re.compile(
    rf"(?:< ?)?{_STAMP_PART}(?: \[[0-9]{{1,10}}|:[^\s]{{0,255}}\[[0-9]{{1,10}}\]:| >"
    r"| (?:LOG|ERROR|FATAL|PANIC|WARNING|STATEMENT|DETAIL|HINT|CONTEXT):  )"
    rf"|{_STAMP_PART},(?:\"|,)"
)
_PID = re.compile(r"\[([0-9]{1,10})(?:-([0-9]{1,10}))?\]")
_NAMED = re.compile(
    r"(?<![A-Za-z_])"
    r"(user|db|database|app|application|client|host)=(\[unknown\]|[^,\]]{0,255}?)(?=,|\]| (?:\S{1,64}=|$)|$)"
)
_AT = re.compile(r"(?:^|(?<=[\s:]))([^\s:]{1,255})@(\[unknown\]|[^\s:@,]{1,255})(?=[\s:,]|$)")
_REMOTE = re.compile(r"(?:^|(?<=[\s:,]))([0-9A-Fa-f][0-9A-Fa-f.:]{1,44}|::[0-9A-Fa-f.:]{0,43})\(([0-9]{1,5})\)")
_NOBODY = frozenset(("[unknown]", "", "[local]"))
_SNIPPET = 24
_BEFORE_LOGINS = (
    "sorry, too many clients",
    "remaining connection slots",
    "the database system is ",
    "too many connections",
)
_UNNAMED = re.compile(rf"(?:{_FIRST.pattern})?(?:{_STAMP.pattern})?[ :]{{0,2}}(?:{_PID.pattern})?")
_USER = re.compile(r'(?:user|role) "')
_PLAIN = re.compile(r'\w{1,64}"')
_QUOTE = re.compile('"')
_MOST_QUOTES = 16
_MOST_SEVERITIES = 8
_LONGEST_PREFIX = 1024


def sniff(text: str) -> bool:
    """Whether a line begins like one of this log."""
    return (text[:1] in "2<" and _SNIFF.match(text) is not None) or _sniff_client(text)


def _sniff_client(text: str) -> bool:
    found = _FIRST.match(text)
    return found is not None and _SNIFF.match(text, found.end()) is not None


def split(text: str) -> tuple[str, str, str, str] | None:
    """Prefix, severity, SQLSTATE (or "") and message; None when there is no severity."""
    found, refused = _severity(text, 0), False
    for _ in range(_MOST_SEVERITIES):
        if found is None or text.find(text[found[0] : found[0] + _SNIPPET], found[1]) < 0:
            break
        following = _severity(text, found[1])
        refused |= following is not None and text.startswith("FATAL", found[0])
        found = following or found
    if found is None:
        return _split_retyped(text)
    if refused:
        client = _FIRST.match(text)
        stamp = _STAMP.match(text, client.end() if client else 0)
        return text[: stamp.end() if stamp else 0], "FATAL", "", ""
    start, end = found
    state = _STATE.match(text, end)
    severity = text[start : end - len(_MARK)]
    return text[:start], severity, state[1] if state else "", text[state.end() if state else end :]


def _split_retyped(text: str) -> tuple[str, str, str, str] | None:
    found = _RETYPED.search(text, 0, _LONGEST_PREFIX) if _STAMP.match(text) else None
    return (text[: found.start(1)], found[1], "", text[found.end() :]) if found else None


def _severity(text: str, start: int) -> tuple[int, int] | None:
    """The positions of the next severity and of the text after it."""
    at = text.find(_MARK, start, _LONGEST_PREFIX)
    while at >= 0:
        before = max(at - _LONGEST_WORD, start)
        found = _WORD.search(text[before:at])
        if found is not None and found[1] in _SEVERITIES:
            return before + found.start(1), at + len(_MARK)
        at = text.find(_MARK, at + 1, _LONGEST_PREFIX)
    return None


def holds_failure(message: str) -> bool:
    """Whether a message contains a severity of a failure."""
    found = _severity(message, 0)
    while found and not message.startswith(("FATAL", "ERROR", "PANIC"), found[0]):
        found = _severity(message, found[1])
    return found is not None


def without_user(prefix: str, message: str) -> str:
    """The prefix without the name of a refused user: the client chose it, and the message repeats it in quotes."""
    if message.startswith(_BEFORE_LOGINS):  # the message does not repeat the name, which may be of no account
        found = _UNNAMED.match(prefix)
        return prefix[: found.end()] if found else ""
    named = _USER.search(message)
    if named is None or _PLAIN.match(message, named.end()):
        return prefix
    ends = [found.start() for found in islice(_QUOTE.finditer(message, named.end()), _MOST_QUOTES)]
    names = (message[named.end() : end] for end in reversed(ends))
    return next((prefix.replace(name, "[unknown]") for name in names if name and name in prefix), prefix)


def read(prefix: str, event: Event) -> None:
    """Set the columns of what a prefix says."""
    if (found := _FIRST.match(prefix)) and is_ip(found[1]):
        set_endpoint(event, "source", found[1], found[2] or "")
        prefix = prefix[found.end() :]
    if found := _STAMP.match(prefix):
        set_iso(event, found[1], found[2])
        prefix = prefix[found.end() :]
    if (found := _PID.match(prefix.lstrip(" :")) or _only(_PID, prefix)) and (pid := number(found[1])) is not None:
        event["process_pid"] = pid
    if "=" in prefix:
        _set_named(_NAMED.findall(prefix), event)
    elif found := _AT.search(prefix):
        set_names(found[1], found[2], event)
    if (found := _ALONE.match(prefix)) and is_ip(found[1]):
        set_endpoint(event, "source", found[1])
    if found := _only(_REMOTE, prefix):
        set_endpoint(event, "source", found[1], found[2])


def _only(pattern: re.Pattern[str], prefix: str) -> re.Match[str] | None:
    """The only match of a pattern; None when there are several, since a user or an application may be called so."""
    found = list(islice(pattern.finditer(prefix), 2))
    return found[0] if len(found) == 1 else None


def _set_named(pairs: list[tuple[str, str]], event: Event) -> None:
    """Set what `key=` names in a prefix. A key that is there twice is ignored, since a client typed one of them."""
    names = Counter(name for name, _ in pairs)
    named = {name: value for name, value in pairs if names[name] == 1}
    set_names(named.get("user", ""), named.get("db", named.get("database", "")), event)
    application = named.get("app", named.get("application", ""))
    if application not in _NOBODY:
        extra(event)["postgresql.application"] = application
    client = named.get("client", named.get("host", ""))
    if client not in _NOBODY:
        host, _, port = client.partition("(")
        set_endpoint(event, "source", host, port.rstrip(")"))


def set_names(user: str, database: str, event: Event) -> None:
    """Set the user and the database of a session, when there are any."""
    if user not in _NOBODY:
        event["user_name"] = user.strip("[]") or user
    if database not in _NOBODY:
        extra(event)["postgresql.database"] = database.strip("[]") or database
