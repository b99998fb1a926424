"""Parses the header of an RFC 5424 message, after its PRI. https://www.rfc-editor.org/rfc/rfc5424#section-6

It is as lenient as devices need: a stamp may lack its zone, the message may follow malformed structured data.
"""

import re
from typing import Any

from streams.common.text import extra, number
from streams.syslog.origin import set_program
from streams.syslog.timestamps import Clock, iso
from topics.event import Event

_HEADER = re.compile(r"([1-9][0-9]{0,2}) (\S{1,64}) (\S{1,255}) (\S{1,255}) (\S{1,128}) (\S{1,255})(?: |$)")
_PARAM = r' [^\s="\]]+="[^"\\]*(?:\\.[^"\\]*)*"'
_ELEMENT = re.compile(rf'\[([^\s="\]]+)((?:{_PARAM})*) *\]', re.DOTALL)
_PARAMS = re.compile(r' ([^\s="\]]+)="([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\([\"\\\]])")


def read(text: str, event: Event, clock: Clock) -> bool:
    """Add the header's columns and `message` to `event`; False, and nothing added, when `text` is no RFC 5424."""
    found = _HEADER.match(text)
    if found is None:
        return False
    version, stamp, host, app, procid, msgid = found.groups()
    when = None if stamp == "-" else iso(stamp, clock.zone)
    if when is None and stamp != "-":
        return False
    if when is not None:
        event["timestamp"] = when
    _set_names(event, host, app, procid)
    fields = extra(event)
    fields["log.syslog.version"] = version
    if msgid != "-":
        fields["log.syslog.msgid"] = msgid
    message = _structured_data(text[found.end() :], fields)
    event["message"] = message[2:] if message.startswith(": %") else message  # as devices of Cisco write it
    if app.endswith(")") or app.startswith("/"):
        set_program(event, app, "")
    return True


def _set_names(event: Event, host: str, app: str, procid: str) -> None:
    if host != "-":
        event["host_hostname"] = host
    if app != "-":
        event["process_name"] = app
    pid = number(procid)
    if pid is not None:
        event["process_pid"] = pid
    elif procid != "-":
        extra(event)["log.syslog.procid"] = procid


def _structured_data(rest: str, fields: dict[str, Any]) -> str:
    """Put the structured data in `fields` and return what follows it."""
    if rest[:1] == "-" and rest[1:2] in ("", " "):
        return rest[2:].lstrip(" ").removeprefix("\ufeff")
    elements: dict[str, dict[str, str]] = {}
    position = 0
    while found := _ELEMENT.match(rest, position):
        elements.setdefault(found[1], {}).update(_params(found[2]))
        position = found.end()
    if elements:
        fields["log.syslog.structured_data"] = elements
    return rest[position:].lstrip(" ").removeprefix("\ufeff")


def _params(text: str) -> dict[str, str]:
    return {name: _ESCAPE.sub(r"\1", value) if "\\" in value else value for name, value in _PARAMS.findall(text)}
