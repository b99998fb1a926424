r"""Parses lines of a web server's access log: the common and combined formats and what is added to them.

`[VHOST[:PORT] ]ADDRESS[:PORT] - USER [24/Nov/2026:04:05:06 +0100] "GET /x HTTP/1.1" 200 612[ SECONDS]
[ "REFERRER" "AGENT"][ more]`, on one line. What follows may be the addresses that it was passed on for.
It is shared by the streams of web servers. https://httpd.apache.org/docs/2.4/logs.html#combined,
https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format

The client chooses user, request, referrer and agent. nginx writes a quote in them as `\x22`, Apache as `\"`, so a bare
quote is the server's own: what stands before the first one is address, user and time, and the time is its last part.
"""

import re
from ipaddress import ip_address

from streams.common.http_requests import set_target
from streams.common.text import extra, host_port, is_ip, number, port_number, set_endpoint
from streams.syslog.timestamps import MONTHS, clf, set_civil, set_iso, zone_of
from topics.event import Event

_QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_BEFORE_QUOTE = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""What stands before the first quote without a backslash; matches everything."""
_SECONDS = r"(?: ([0-9]{1,9}(?:\.[0-9]{1,9})?))?"
_ESCAPED = re.compile(
    rf"{_QUOTED} ([0-9]{{3}}|-) ([0-9]{{1,18}}|-){_SECONDS}(?: {_QUOTED} {_QUOTED})?(?: (.*))?", re.DOTALL
)
_STATUS = re.compile(rf" ([0-9]{{3}}|-) ([0-9]{{1,18}}|-){_SECONDS} ?")
_FORWARDED = re.compile(r'"?(?:X-Forwarded-For=)?"?([0-9A-Fa-f.:]{3,45})(?:[",].*)?', re.DOTALL)
_STAMP = re.compile(
    r"([0-9]{1,2})/([A-Z][a-z]{2}|[0-9]{2})/([0-9]{4})[: ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,9}))?"
    r"(?: ?([+-][0-9]{2}:?[0-9]{2}))?"
)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:[.,][0-9]{1,9})?(?:Z| ?[+-][0-9]{2}:?[0-9]{2})?")
_BETWEEN = re.compile(r" \[([^\[\]]{10,40})\] ([^\s\[\]\"\\]{1,255}) \Z")
"""A time and one word more before the request: a variable of the administrator's choice, such as the virtual host."""
_SNIFF_BETWEEN = re.compile(r" \[([^\[\]]{10,40})\] [^\s\[\]\"\\]{1,255} \"")
_BLANKS = re.compile(r" {2,}")
_NO_USER = re.compile(r'(\S{1,255} \S{1,255} )""(?= \[)')
_UNESCAPED = re.compile(r'"(?= (?:[0-9]{3}|-) (?:[0-9]{1,18}|-)(?: |$))')
"""A quote that ends a request, whatever stands before it."""
_PROXIED = re.compile(r"\[([^\]]{0,255})\] - (.*)", re.DOTALL)
"""What ingress-nginx wrote before the user until 0.22: the addresses that a request was passed on for."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){1,16}(?::[0-9]{1,5})?")
_LONGEST_START = 2048
"""Within how many characters a line's request must begin for the line to be recognised by its beginning."""
_LONGEST_END = 320  # characters of a time and a word more
_LONGEST = 16384
LONGEST = 131_072
"""Characters of a line that is parsed. Around its status stand request, referrer and agent of 8 KiB each, every byte
perhaps escaped as four characters, and behind them variables of the administrator's choice."""
_UNAUTHORIZED = 401
_SUBMITTED = "POST"

_WEB: Event = {
    "ogrewatch_service": "web",
    "event_category": ["web"],
    "event_type": ["access"],
    "event_action": "http_request",
}
_SUCCESS: Event = {**_WEB, "event_outcome": "success"}
_FAILURE: Event = {**_WEB, "event_outcome": "failure"}


_ERRORS = frozenset(("emerg", "alert", "crit", "error", "warn"))
_ERROR: Event = {
    "ogrewatch_service": "web",
    "event_category": ["web"],
    "event_type": ["error"],
    "event_action": "server_error",
}
_INFO: Event = {**_ERROR, "event_type": ["info"], "event_action": "server_message"}


def of_status(status: int) -> Event:
    """The constant columns of a request that was answered with `status`; 0 when it was not answered."""
    return _SUCCESS if 100 <= status < 400 else _FAILURE


def count_refusal(event: Event) -> None:
    """Count a request that was answered 401 as an attempt, when it named a user or brought something (a form, or what
    an API takes). All others only ask who is to be named: each login of HTTP authentication begins so."""
    if event.get("http_response_status_code") == _UNAUTHORIZED and (
        "user_name" in event or event.get("http_request_method") == _SUBMITTED
    ):
        event["ogrewatch_attempt"] = 1


def of_level(level: str) -> Event:
    """The constant columns of a line of an error log, by its level."""
    return _ERROR if level in _ERRORS else _INFO


def sniff(text: str) -> bool:
    """Whether a line without a header begins as an access log's line does."""
    end = text.find('] "', 0, _LONGEST_START)
    if end < 0 and (end := text.find(']  "', 0, _LONGEST_START)) < 0:
        found = _SNIFF_BETWEEN.search(text, 0, _LONGEST_START)
        return found is not None and _is_stamp(found[1])
    start = text.rfind(" [", 0, end)
    return start > 0 and _is_stamp(text[start + 2 : end])


def _is_stamp(text: str) -> bool:
    return (_STAMP.fullmatch(text) or _ISO.fullmatch(text)) is not None


def _unquoted(text: str) -> str:
    """The line without the quotes around the list of addresses that it may begin with."""
    return text[1:].replace('"', "", 1) if text[:1] == '"' else text


def parse(message: str, event: Event, name: str) -> bool:
    """Set the columns of one line; False, and nothing set, when it is none. `name` is the stream's, for what has no
    field in ECS."""
    message = _unquoted(message)
    return _parse(message, event, name) or (len(message) < _LONGEST and _parse(_mended(message), event, name))


def _mended(message: str) -> str:
    """The line as servers write it, made of one with more blanks or an empty user in quotes."""
    parts = message.split('"')
    line = '"'.join(_BLANKS.sub(" ", part) if at % 2 == 0 else part for at, part in enumerate(parts))
    return _NO_USER.sub(r"\1-", line, count=1)


def _parse(message: str, event: Event, name: str) -> bool:
    before, quote, rest = message.partition('"')
    if before.endswith("\\"):
        at = _BEFORE_QUOTE.match(message).end()  # type: ignore[union-attr]
        before, quote, rest = message[:at], message[at : at + 1], message[at + 1 :]
    between = None
    if not before.endswith("] ") and (between := _BETWEEN.search(before, max(0, len(before) - _LONGEST_END))):
        before = before[: between.start(2)]
    if not quote or not before.endswith("] "):
        return False
    who, bracket, stamp = before[:-2].rpartition(" [")
    if not bracket or (" " not in who and not is_ip(who)):
        return False
    request = _split(rest)
    if request is None or not _set_time(stamp, event):
        return False
    _set_client(who, event)
    _set_request(request, event, name)
    if between is not None:
        _set_between(between[2], event, name)
    return True


def _set_between(word: str, event: Event, name: str) -> None:
    """Set the word between time and request."""
    if _NAME.fullmatch(word) and not word.replace(".", "").isdigit():
        _set_host(word, event)
    else:
        extra(event)[name + ".before_request"] = word


def _set_time(stamp: str, event: Event) -> bool:
    """Set the server's own time, with or without fraction and zone, or one of ISO 8601."""
    if (when := clf(stamp)) is not None:
        event["timestamp"] = when
        return True
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return _ISO.fullmatch(stamp) is not None and set_iso(event, stamp)
    day, month, year, hour, minute, second, fraction, zone = found.groups("")
    if zone and zone_of(zone) is None:
        return False
    moment = (
        int(month) if month.isdigit() else MONTHS.get(month.lower(), 0),
        int(day),
        int(hour),
        int(minute),
        int(second),
    )
    return set_civil(event, moment, int(year), fraction, zone)


_Parts = tuple[str, str, str, str, str, str, str]
"""Request, status, bytes, seconds, referrer, agent and what follows them, unquoted."""


def _split(rest: str) -> _Parts | None:
    """The parts of what follows the first quote."""
    if '\\"' in rest or "\\\\" in rest:
        return _split_escaped(rest)
    parts = rest.split('"', 5)
    found = _STATUS.match(parts[1]) if len(parts) > 1 else None
    if found is None:
        return _split_unescaped(rest)
    status, size, seconds = found.groups("")
    if len(parts) == 6 and found.end() == len(parts[1]) and parts[3] == " ":
        return parts[0], status, size, seconds, parts[2], parts[4], parts[5].lstrip(" ")
    if found.end() == len(parts[1]):
        if len(parts) == 5 and parts[3] == " ":  # cut off within the agent
            return parts[0], status, size, seconds, parts[2], parts[4], ""
        if len(parts) == 4 and not parts[3] and not _FORWARDED.fullmatch(parts[2]):
            return parts[0], status, size, seconds, parts[2], "-", ""
    more = '"'.join((parts[1][found.end() :], *parts[2:]))
    return parts[0], status, size, seconds, "-", "-", more


def _split_escaped(rest: str) -> _Parts | None:
    found = _ESCAPED.fullmatch('"' + rest)
    if found is None:
        return _split_unescaped(rest)
    request, status, size, seconds, referrer, agent, more = found.groups("")
    return request, status, size, seconds, referrer, agent, more


def _split_unescaped(rest: str) -> _Parts | None:
    """As `_split`, for a server that writes quotes in a request as they come: a status follows the one that ends it."""
    end = _UNESCAPED.search(rest)
    if end is None or end.start() == 0:
        return None
    parts = _split('"' + rest[end.end() :])
    return None if parts is None else (rest[: end.start()], *parts[1:])


def _set_client(who: str, event: Event) -> None:
    """`192.0.2.1 - alice`: address, identd's word, user, who may hold spaces; perhaps the virtual host before it or in
    the word's place, or several addresses with commas, of which the first public one is the client's."""
    first, _, rest = who.partition(" ")
    second, _, after = rest.partition(" ")
    if rest and not second:  # two blanks
        second, _, after = _BLANKS.sub(" ", rest.lstrip(" ")).partition(" ")
    if first.endswith(","):
        first, after = _forwarded(who)
    elif second.endswith(",") and is_ip(second[:-1]) and _NAME.fullmatch(first):
        _set_host(first, event)
        first, after = _forwarded(rest)
    elif is_ip(second):
        _set_host(first, event)
        first, after = second, after.partition(" ")[2]
    elif second != "-" and _NAME.fullmatch(second):
        _set_host(second, event)
    if after[:1] == "[" and (found := _PROXIED.fullmatch(after)):
        after = found[2]
    if "," in first:
        first = _first_public(first.split(","))
    set_endpoint(event, "source", *_address(first.strip('"').removeprefix("unix:")))
    if after not in ("", "-"):
        event["user_name"] = after


def _address(client: str) -> tuple[str, str]:
    """A client's address, perhaps with its port."""
    host, port = ("", "") if is_ip(client) else host_port(client)
    return (host, port) if is_ip(host) else (client, "")


def _set_host(host: str, event: Event) -> None:
    """Set the virtual host that was asked, which may come with its port."""
    if host == "-":
        return
    name, port = (host, "") if is_ip(host) else host_port(host)
    if is_ip(name):
        set_endpoint(event, "destination", name, port)
        return
    extra(event)["url.domain"] = name
    if value := port_number(port):
        event["destination_port"] = value


def _forwarded(who: str) -> tuple[str, str]:
    """The client's address and the user, after a list of the addresses a request was passed on by, and perhaps that of
    the last of them."""
    words = who.split(" ")
    last = next((at for at, word in enumerate(words) if not word.endswith(",")), len(words) - 1)
    client = _first_public([word.rstrip(",") for word in words[: last + 1]])
    if is_ip("".join(words[last + 1 : last + 2])):
        last += 1
    return client, " ".join(words[last + 2 :])


def _first_public(addresses: list[str]) -> str:
    return next((address for address in addresses if is_ip(address) and ip_address(address).is_global), addresses[0])


def _set_request(parts: _Parts, event: Event, name: str) -> None:
    request, status, size, seconds, referrer, agent, more = parts
    code = int(status) if status != "-" else 0
    event.update(of_status(code))
    if code:
        event["http_response_status_code"] = code
    if (length := number(size)) is not None:
        event["http_response_body_bytes"] = length
    if referrer not in ("", "-"):
        event["http_request_referrer"] = referrer
    if agent not in ("", "-"):
        event["user_agent_original"] = agent
    if seconds:
        extra(event)[name + ".response_time"] = seconds
    if more:
        _set_more(more, event, name)
    set_target(request, event, name)
    count_refusal(event)


def _set_more(more: str, event: Event, name: str) -> None:
    """Set what a custom format adds; often the addresses that a proxy passed on, the client's the first of them."""
    extra(event)[name + ".more"] = more
    if (found := _FORWARDED.fullmatch(more)) and is_ip(found[1]):
        extra(event)["network.forwarded_ip"] = found[1]
