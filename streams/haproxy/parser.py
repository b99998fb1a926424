"""Parses lines of HAProxy's log.

It reads the HTTP and HTTPS formats (with or without captured headers), `option httplog clf`, the TCP format, the
default "Connect from" lines, error lines (`SSL handshake failure`, ...) and messages about servers, of HAProxy 1.5 to
3.x. The time is the log's own: when the connection was accepted. https://docs.haproxy.org/3.0/configuration.html#8.2

The client chooses the request, the captured headers and the name in a TLS hello. What HAProxy writes itself stands left
of them, and the request line is the last but for the HTTPS format's numbers.
"""

import re

from streams.base import StateStore, Stream
from streams.common import weblog
from streams.common.packets import set_end, set_number, set_type
from streams.common.text import extra, number, port_number, set_endpoint
from streams.haproxy import states
from streams.haproxy.requests import set_request
from streams.syslog.timestamps import MONTHS, set_civil, set_iso
from topics.event import Event

_CLIENT = re.compile(r"(?:unix|(\S{1,64})):([0-9]{1,10}) \[([^\]]{8,40})\] ")
_DATE = re.compile(r"([0-9]{1,2})/([A-Za-z]{3})/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6}))?")
_ROUTE = re.compile(r"(\S{1,128}) ([^\s/]{1,128})/(\S{0,128}) ")
_TIMERS = r"((?:\+?-?[0-9]{1,12}/){2,4}\+?-?[0-9]{1,12})"
_COUNTS = r"([0-9]{1,10}/[0-9]{1,10}/[0-9]{1,10}/[0-9]{1,10}/\+?[0-9]{1,10}) ([0-9]{1,10}/[0-9]{1,10})"
_TCP = re.compile(rf"{_TIMERS} (\+?[0-9]{{1,18}}) (\S{{2}}) {_COUNTS}(?: (.*))?", re.DOTALL)
_HTTP = re.compile(
    rf"(?:(\S{{1,64}}) )?{_TIMERS} (-1|[0-9]{{3}}) (\+?[0-9]{{1,18}}) (\S{{1,512}}) (\S{{1,512}}) (\S{{2,4}}) "
    rf"{_COUNTS} (.*)",
    re.DOTALL,
)
_ERROR = re.compile(r"([^\s/]{1,128})/([^\s:]{1,128}(?::[0-9]{1,5})?):? (.{1,1024})", re.DOTALL)
_CONNECT = re.compile(r"Connect from (\S{1,64}):([0-9]{1,5}) to (\S{1,64}):([0-9]{1,5}) \((\S{1,128})/(\w{1,8})\)")
_TCP_PARTS = 3
_CONNECTION: Event = {
    "event_category": ["network"],
    "event_type": ["connection", "end"],
    "event_action": "tcp_session",
    "network_transport": "tcp",
}
_ERRONEOUS: Event = {
    "event_category": ["network"],
    "event_type": ["connection", "info"],
    "event_action": "connection_error",
    "event_outcome": "failure",
}
_CONNECTED: dict[str, Event] = {
    "HTTP": {"event_category": ["web", "network"], "event_type": ["access", "connection"]},
    "TCP": {"event_category": ["network"], "event_type": ["connection", "start"]},
}
_LONGEST = 65536
"""The largest `len` of a `log` directive."""


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one line; False for what HAProxy does not write."""
    client = _CLIENT.match(message)
    if client is None:
        if message.startswith("Connect from "):
            return _connect(message, event)
        return states.parse(message, event) or _common(message, event)
    rest = message[client.end() :]
    if not (_proxied(rest, event) or _error(rest, event)):
        return False
    set_endpoint(event, "source", client[1] or "", client[2])
    set_type(event)
    _set_time(client[3], event)
    return True


def _common(message: str, event: Event) -> bool:
    """The common log format: `192.0.2.1 - - [24/Nov/2026:04:05:06 +0000] "GET / HTTP/1.1" 200 612 "" "" PORT ...`."""
    if not weblog.parse(message, event, "haproxy"):
        return False
    port = str(event.get("extra", {}).get("haproxy.more", "")).partition(" ")[0]
    if "source_port" not in event and (value := port_number(port)):
        event["source_port"] = value
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header begins as HAProxy's formats do."""
    return _CLIENT.match(text) is not None


def _proxied(rest: str, event: Event) -> bool:
    route = _ROUTE.match(rest)
    if route is None:
        return False
    numbers = rest[route.end() :]
    if not (_http(numbers, event) or _tcp(numbers, event)):
        return False
    fields = extra(event)
    frontend, backend, server = route.groups()
    fields["haproxy.frontend_name"], fields["haproxy.backend_name"] = frontend, backend
    if server:
        fields["haproxy.server_name"] = server
    return True


def _http(numbers: str, event: Event) -> bool:
    found = _HTTP.fullmatch(numbers)
    if found is None or not set_request(found[10], int(found[3]), event):
        return False
    address, timers, _, size, request_cookie, response_cookie, state, counts, queues, _ = found.groups()
    if address:
        set_end(event, "destination", address, "")
    if "destination_ip" in event:
        event["event_category"] = ["web", "network"]
    _set_numbers(timers, state, counts, queues, event)
    set_number(event, "http.response.bytes", size.lstrip("+"))
    for name, value in (("request", request_cookie), ("response", response_cookie)):
        if value != "-":
            extra(event)[f"haproxy.{name}_cookie"] = value
    return True


def _tcp(numbers: str, event: Event) -> bool:
    found = _TCP.fullmatch(numbers)
    if found is None or found[1].count("/") != _TCP_PARTS - 1:
        return False
    timers, size, state, counts, queues, more = found.groups()
    event.update(_CONNECTION)
    if (amount := number(size.lstrip("+"))) is not None:
        event["destination_bytes"] = amount
    _set_numbers(timers, state, counts, queues, event)
    if more:
        extra(event)["haproxy.more"] = more
    return True


def _set_numbers(timers: str, state: str, counts: str, queues: str, event: Event) -> None:
    fields = extra(event)
    fields["haproxy.timers"], fields["haproxy.connections"], fields["haproxy.queues"] = timers, counts, queues
    fields["haproxy.termination_state"] = state
    total = number(timers.rpartition("/")[2].lstrip("+"), 12)
    if total is not None:
        fields["event.duration"] = total * 1_000_000


def _error(rest: str, event: Event) -> bool:
    found = _ERROR.fullmatch(rest)
    if found is None:
        return False
    event.update(_ERRONEOUS)
    frontend, listener, reason = found.groups()
    extra(event).update({"haproxy.frontend_name": frontend, "haproxy.bind_name": listener, "event.reason": reason})
    return True


def _connect(message: str, event: Event) -> bool:
    found = _CONNECT.fullmatch(message)
    if found is None or found[6] not in _CONNECTED:
        return False
    event.update(_CONNECTED[found[6]])
    event["event_action"] = "connect"
    set_end(event, "source", found[1], found[2])
    set_end(event, "destination", found[3], found[4])
    set_type(event)
    extra(event).update({"haproxy.frontend_name": found[5], "haproxy.mode": found[6]})
    return True


def _set_time(stamp: str, event: Event) -> None:
    found = _DATE.fullmatch(stamp)
    if found is None:
        set_iso(event, stamp)
        return
    day, month, year, hour, minute, second, fraction = found.groups()
    if named := MONTHS.get(month.lower()):
        set_civil(event, (named, int(day), int(hour), int(minute), int(second)), int(year), fraction or "")


STREAM = Stream(name="haproxy", programs=("haproxy",), parse=parse, sniff=sniff, longest=_LONGEST)
