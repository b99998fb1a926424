"""Parses messages of the web interface of pfSense and OPNsense.

It reads `php-fpm[1]: /index.php: Successful login for user 'admin' from: 192.0.2.1 (Local Database)` and similar
messages of pfSense 2.x, OPNsense's `audit` messages, `Configuration Change`. `streams/ATTEMPTS.md` says which lines are
attempts. Sources: pfSense src/etc/inc/auth.inc, OPNsense src/www/authgui.inc.
https://docs.netgate.com/pfsense/en/latest/monitoring/logs/

The client chooses the name, so the last address after a quote is the program's own.
"""

import re

from streams.base import StateStore, Stream
from streams.common.packets import set_end, set_type
from streams.common.text import extra, put
from topics.event import Event

_PAGE = re.compile(r"(/\S{0,255}): ")
_FROM = r" for (?:user )?'(?P<user>.*)' from:? (?P<ip>[0-9A-Fa-f.:]{2,39})(?: \((?P<database>[^()]{1,255})\))?"
_PATTERNS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        rf"(?P<what>Successful login|User logged out|Session timed out){_FROM}",
        rf"(?:webConfigurator|Web GUI|WebGUI) (?P<what>authentication error){_FROM}.{{0,255}}",
        r"user (?P<user>.*) (?P<what>authenticated successfully|failed authentication|could not authenticate) for "
        r"(?P<application>\S{1,64}?)\.?(?: \[(?P<database>[^\[\]]{1,255})\])?",
        r"Configuration Change: (?P<user>[^@]{0,255})@(?P<ip>[0-9A-Fa-f.:]{2,39})(?: \((?P<database>[^()]{1,255})\))?: "
        r"(?P<change>.{1,2048})",
    )
)
_LOGIN: Event = {
    "ogrewatch_service": "pfsense",
    "event_category": ["authentication"],
    "event_type": ["start"],
    "event_action": "logged-in",
    "event_outcome": "success",
}
_FAILED: Event = {**_LOGIN, "event_action": "logon-failed", "event_outcome": "failure"}
_LOGOUT: Event = {**_LOGIN, "event_type": ["end"], "event_action": "logged-out"}
_KINDS: dict[str, Event] = {
    "Successful login": {**_LOGIN, "ogrewatch_attempt": 1},
    "authentication error": {**_FAILED, "ogrewatch_attempt": 1},
    "authenticated successfully": {**_LOGIN, "event_type": ["info"]},
    "failed authentication": {**_FAILED, "event_type": ["info"]},
    "could not authenticate": {**_FAILED, "event_type": ["info"]},
    "User logged out": _LOGOUT,
    "Session timed out": {**_LOGOUT, "event_action": "session-timed-out"},
}
_CHANGED: Event = {
    "ogrewatch_service": "pfsense",
    "event_category": ["configuration"],
    "event_type": ["change"],
    "event_action": "configuration-change",
    "event_outcome": "success",
}
_LONGEST = 4096


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one message; False for other messages of the web interface."""
    page = _PAGE.match(message)
    text = message[page.end() :] if page else message
    found = next((match for pattern in _PATTERNS if (match := pattern.fullmatch(text))), None)
    if found is None:
        return False
    parts = found.groupdict()
    event.update(_KINDS.get(parts.get("what") or "", _CHANGED))
    put(event, "user_name", parts["user"])
    set_end(event, "source", parts.get("ip") or "", "")
    set_type(event)
    named = (("pfsense.page", page[1] if page else None), ("pfsense.database", parts.get("database")))
    for name, value in (
        *named,
        ("pfsense.application", parts.get("application")),
        ("event.reason", parts.get("change")),
    ):
        if value:
            extra(event)[name] = value
    return True


STREAM = Stream(
    name="pfsense", programs=("php-fpm", "php", "php-cgi", "audit", "configd.py"), parse=parse, longest=_LONGEST
)
