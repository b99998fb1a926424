"""Parses the messages of named.

It reads what BIND 9.4 to 9.20 logs of queries, security, updates, transfers, response policies, rate limits, resolving
and DNSSEC, by syslog or as lines of its files (`print-time`, `print-category`, `print-severity`). Sources: BIND
lib/ns/query.c, client.c, update.c, xfrout.c, lib/dns/resolver.c.
https://bind9.readthedocs.io/en/stable/reference.html#namedconf-statement-logging

The client chooses the name asked for, in which BIND escapes blanks, quotes and parentheses; its address stands before.
"""

import re

from streams.base import StateStore, Stream
from streams.bind.clients import from_client
from streams.bind.server import from_server
from streams.common.text import extra
from streams.syslog.timestamps import MONTHS, set_civil, set_iso
from topics.event import Event

_TIME = re.compile(
    r"(?:([0-9]{2})-([A-Z][a-z]{2})-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?|"
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.[0-9]{1,6})?Z?)) "
)
_CATEGORY = re.compile(r"(?!client:|zone:|managed-keys-zone:)([a-z][a-z-]{2,23}): (?=\S)")
_SEVERITY = re.compile(r"(critical|error|warning|notice|info|dynamic|debug [0-9]{1,3}): ")
_CLIENT = re.compile(
    r"(?:[a-z-]{2,24}: )?client (?:@0x[0-9a-f]{1,16} )?([0-9A-Fa-f.:]{2,39}|[0-9A-Fa-f:]{2,39}%\w{1,16})#([0-9]{1,5})"
    r"(?:/key (\S{1,255}))?(?: \((\S{0,1100})\))?: (?:view ([^\s:]{1,128}): )?"
)
_LONGEST = 8192


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one message; False for those that say nothing of a name, a zone or a client."""
    if len(message) > _LONGEST:
        return False
    time = _TIME.match(message)
    start = time.end() if time else 0
    notes: dict[str, str] = {}
    for name, pattern in (("bind.category", _CATEGORY), ("log.level", _SEVERITY)):
        if found := pattern.match(message, start):
            notes[name], start = found[1], found.end()
    if not _understand(message, start, event):
        return False
    if notes:
        extra(event).update(notes)
    if time:
        _set_time(time, event)
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header is one of named's files."""
    time = _TIME.match(text)
    if time is None:
        return False
    return (_CATEGORY.match(text, time.end()) or _CLIENT.match(text, time.end())) is not None


def _understand(message: str, start: int, event: Event) -> bool:
    client = _CLIENT.match(message, start)
    if client is not None:
        return from_client(client, message[client.end() :], event)
    return from_server(message[start:], event)


def _set_time(time: re.Match[str], event: Event) -> None:
    day, month, year, hour, minute, second, fraction, stamp = time.groups()
    if stamp:
        set_iso(event, stamp)
    elif named := MONTHS.get(month.lower()):
        set_civil(event, (named, int(day), int(hour), int(minute), int(second)), int(year), fraction or "")


STREAM = Stream(name="bind", programs=("named", "named-sdb", "named-pkcs11", "bind", "bind9"), parse=parse, sniff=sniff)
