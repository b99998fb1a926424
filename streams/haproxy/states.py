"""Parses HAProxy's messages about its servers, backends and proxies. https://docs.haproxy.org/3.0/management.html"""

import re

from streams.common.text import extra
from topics.event import Event

_PREFIX = re.compile(r"\[([A-Z]{4,7})\] +(?:[0-9]{3}/[0-9]{6} )?\([0-9]{1,10}\) : ")
"""What stands before a message of the process itself, as on its standard error output."""
_SERVER = re.compile(
    r"(?:Backup )?(?:Server|server) (\S{1,128})/(\S{1,128}) (?:is|was) (\w{2,16}|going (?:DOWN|UP)[^,.]{0,80})"
    r"[,.;:]? ?(?:reason: )?(.*)",
    re.DOTALL,
)
_CHECK = re.compile(
    r"Health check for (?:backup )?server (\S{1,128})/(\S{1,128}) (succeeded|failed)(?:, (.*))?", re.DOTALL
)
_BACKEND = re.compile(r"(?:backend|proxy) '?(\S{1,128}?)'? (has no server available!?)")
_PROXY = re.compile(
    r"(?:(Proxy|Stopping|Pausing|Enabling)) (?:(?:frontend|backend|proxy|GLOBAL|listen) )?(\S{1,128}) ?(.{0,255})"
)
_WORKER = re.compile(
    r"(?:New|Current|Former|new|former) (?:worker|program|'.{1,64}') (?:#[0-9]{1,5} )?\([0-9]{1,10}\) (forked|exited)"
    r"(?: with code .{1,64})?",
    re.IGNORECASE,
)
_ABOUT: Event = {"event_category": ["process"], "event_type": ["info"]}
_STATE: Event = {"event_category": ["network"], "event_type": ["info"]}
_UP: Event = {**_STATE, "event_action": "server_up", "event_outcome": "success"}
_DOWN: Event = {**_STATE, "event_action": "server_down", "event_outcome": "failure"}
_CHECKED: Event = {**_STATE, "event_action": "health_check"}
_EMPTY: Event = {**_STATE, "event_action": "backend_down", "event_outcome": "failure"}
_CHANGED: Event = {**_STATE, "event_action": "proxy_state"}


def parse(message: str, event: Event) -> bool:
    """Set the columns of one message; False, and nothing set, for anything else."""
    prefix = _PREFIX.match(message)
    if prefix is None:
        return _parse(message, event)
    if not _parse(message[prefix.end() :], event):
        return False
    extra(event)["log.level"] = prefix[1].lower()
    return True


def _parse(message: str, event: Event) -> bool:
    if found := _SERVER.fullmatch(message):
        event.update(_UP if found[3].endswith("UP") else _DOWN)
        _set(event, found[1], found[2], found[4])
    elif found := _CHECK.fullmatch(message):
        event.update(_CHECKED)
        event["event_outcome"] = "success" if found[3] == "succeeded" else "failure"
        _set(event, found[1], found[2], found[4])
    elif found := _BACKEND.fullmatch(message):
        event.update(_EMPTY)
        _set(event, found[1], "", found[2])
    elif found := _WORKER.fullmatch(message):
        event.update({**_ABOUT, "event_action": found[1].lower()})
    elif found := _PROXY.fullmatch(message):
        event.update(_CHANGED)
        extra(event)["haproxy.proxy"] = found[2]
    else:
        return False
    return True


def _set(event: Event, backend: str, server: str, reason: str | None) -> None:
    named = (("haproxy.backend_name", backend), ("haproxy.server_name", server), ("event.reason", reason))
    extra(event).update({name: value for name, value in named if value})
