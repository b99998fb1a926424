"""Parses lines of Squid's access log.

It reads Squid's own format (`TIME ELAPSED CLIENT RESULT/STATUS BYTES METHOD URL USER HIERARCHY/PEER TYPE`, with or
without the times, with a time as web servers write it, with more in quotes after the type), and its `common` and
`combined` formats, by syslog or as lines of a file. Squid 2.6 to 6.
https://wiki.squid-cache.org/Features/LogFormat, http://www.squid-cache.org/Doc/config/logformat/

The client chooses URL and user. Squid encodes blanks in a URL, unless `uri_whitespace allow` is set. So what is left of
the URL is read from the left, and what follows it from the right: these are Squid's own.
"""

import re

from streams.base import StateStore, Stream
from streams.common import weblog
from streams.common.http_requests import set_target
from streams.common.packets import relate, set_end, set_number
from streams.common.text import extra, host_port, is_ip, number, put
from streams.syslog.timestamps import clf, set_instant
from topics.event import Event

NAME = "squid"
_NATIVE = re.compile(
    r"(?:([0-9]{9,11}(?:\.[0-9]{1,6})?|\[?[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}\]?) +)?"
    r"(?:(-?[0-9]{1,12}) +)?(\S{1,255}) ([A-Z_]{3,64})/([0-9]{3}) ([0-9]{1,18}) "
    r"(\S{1,64}) (.*) (\S{1,255}) +([A-Z_]{2,64})/(\S{1,255}) +(\S{1,255})(?: ([\[\x22].*))?",
    re.DOTALL,
)
_RESULT = re.compile(r"([A-Z_]{3,64}):([A-Z_]{3,64})")
_SNIFF = re.compile(
    r"(?:[0-9]{9,11}(?:\.[0-9]{3})?|[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4}) +-?[0-9]{1,12} "
    r"\S{1,255} [A-Z_]{3,64}/[0-9]{3} "
)
_PROXY_AUTHENTICATION, _ERRORS = 407, 400
_WEB: Event = {
    "ogrewatch_service": "proxy",
    "event_category": ["web"],
    "event_type": ["access"],
    "event_action": "http_request",
}
_SUCCESS: Event = {**_WEB, "event_outcome": "success"}
_FAILURE: Event = {**_WEB, "event_outcome": "failure"}
_LONGEST = 65536
"""Its status stands before the URL, of which Squid takes 8 KiB, each byte perhaps escaped as three characters."""


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one line; False for Squid's other messages."""
    found = _NATIVE.fullmatch(message)
    if found is not None:
        _native(found, event)
    elif not _of_web_server(message, event):
        return False
    _set_program(event)
    return True


def sniff(text: str) -> bool:
    """Whether a line without a header begins like Squid's own format."""
    return _SNIFF.match(text) is not None


def _native(found: re.Match[str], event: Event) -> None:
    when, elapsed, client, result, status, size, method, target, user, hierarchy, peer, kind, more = found.groups()
    _set_outcome(int(status), user, event)
    if when and (local := clf(when.strip("[]"))) is not None:
        event["timestamp"] = local
    elif when:
        set_instant(event, when)
    if elapsed and (milliseconds := number(elapsed)) is not None:
        extra(event)["event.duration"] = milliseconds * 1_000_000
    set_end(event, "source", *((client, "") if is_ip(client) else host_port(client)))
    set_number(event, "http.response.bytes", size)
    _set_request(method, target, event)
    weblog.count_refusal(event)
    _set_result(result, hierarchy, event)
    if result.startswith("UDP_"):  # a neighbour asked whether a page is here: no request was answered
        event.pop("event_outcome")
    _set_server(peer, event)
    for name, value in (("http.response.mime_type", kind), ("squid.headers", more)):
        if value and value != "-":
            extra(event)[name] = value


def _set_outcome(status: int, user: str, event: Event) -> None:
    """Set the outcome of a request; a 407 without a user only asks for one."""
    event.update(_SUCCESS if 0 < status < _ERRORS else _FAILURE)
    if status:
        event["http_response_status_code"] = status
    if user != "-":
        event["user_name"] = user
    if status == _PROXY_AUTHENTICATION and user != "-":
        event["ogrewatch_attempt"] = 1


def _set_request(method: str, target: str, event: Event) -> None:
    if method == "-" or method == "NONE":
        put(event, "url_original", target if target != "-" else "")
    else:
        set_target(f"{method} {target}", event, NAME)


def _set_server(peer: str, event: Event) -> None:
    """Set the server that answered: the peer, else the host that was asked for."""
    asked = event.get("extra", {}).get("url.domain", "")
    if asked and not is_ip(asked):
        relate(event, "hosts", asked)
    set_end(event, "destination", *(host_port(peer) if peer != "-" else (asked, "")))


def _set_result(result: str, hierarchy: str, event: Event) -> None:
    extra(event).update({"squid.result": result, "squid.hierarchy": hierarchy})
    if "DENIED" in result:
        event["event_type"] = ["access", "error"]


def _of_web_server(message: str, event: Event) -> bool:
    """Parse the common and combined formats, with `RESULT:HIERARCHY` after them."""
    if not weblog.parse(message, event, NAME):
        return False
    event["ogrewatch_service"] = "proxy"
    if event.get("http_response_status_code") == _PROXY_AUTHENTICATION and "user_name" in event:
        event["ogrewatch_attempt"] = 1
    if found := _RESULT.fullmatch(event.get("extra", {}).get("squid.more", "")):
        del extra(event)["squid.more"]
        _set_result(found[1], found[2], event)
    return True


def _set_program(event: Event) -> None:
    """Remove the parentheses from the program's name, which a worker writes as `(squid-1)`."""
    name = event.get("process_name", "")
    if name.startswith("("):
        put(event, "process_name", name.strip("()"))


_WORKERS = tuple(
    f"{name}" for worker in ("", "-1", "-2", "-3", "-4") for name in (f"squid{worker}", f"(squid{worker})")
)

STREAM = Stream(name=NAME, programs=_WORKERS, parse=parse, sniff=sniff, longest=_LONGEST)
