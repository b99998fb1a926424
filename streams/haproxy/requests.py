"""Parses the end of an HTTP log line: `{headers} {headers} "GET / HTTP/1.1" ...`.

HAProxy writes a quote, a brace and a control character of the client's in hex (`#22`), so a bare quote is its own. The
one after the protocol's version ends the request, whatever a format of the administrator's own adds, else the last.
https://docs.haproxy.org/3.0/configuration.html#8.2.3, #8.2.5
"""

import re

from streams.common.http_requests import set_target
from streams.common.packets import relate
from streams.common.text import extra
from streams.common.weblog import count_refusal, of_status
from topics.event import Event

_LINE = re.compile(r'(?:(\{.{0,8192}?\}) (?="))?"(.*)', re.DOTALL)
_END = re.compile(r' HTTP/[0-9](?:\.[0-9])?"')
_TLS = re.compile(r"((?:[0-9]{1,10}/){4}[0-9]) (\S{1,255})/(TLS|SSL)v([0-9.]{1,4})/(\S{1,80})")


def set_request(text: str, status: int, event: Event) -> bool:
    """Set the request's columns; False, and nothing set, when the text does not end a line of the HTTP format."""
    found = _LINE.fullmatch(text)
    if found is None:
        return False
    headers, rest = found.groups()
    if end := _END.search(rest):
        request, more = rest[: end.end() - 1], rest[end.end() :]
    else:
        request, quote, more = rest.rpartition('"')
        if not quote:  # cut off at the longest line that syslog takes
            request, more = rest, ""
    event.update(of_status(status))
    if status > 0:
        event["http_response_status_code"] = status
    if headers:
        _set_headers(headers, event)
    if more:
        _set_tls(more.lstrip(" "), event)
    set_target(request, event, "haproxy")
    count_refusal(event)
    return True


def _set_headers(headers: str, event: Event) -> None:
    """One or two lists in braces, `|` between their members, of what the configuration captures."""
    first, brace, second = headers[1:-1].partition("} {")
    extra(event)["haproxy.request_headers"] = first.split("|")
    if brace:
        extra(event)["haproxy.response_headers"] = second.split("|")


def _set_tls(more: str, event: Event) -> None:
    found = _TLS.fullmatch(more)
    if found is None:
        extra(event)["haproxy.more"] = more
        return
    fields = extra(event)
    errors, name, protocol, version, cipher = found.groups()
    fields["haproxy.tls_errors"] = errors
    if name != "-":
        fields["tls.client.server_name"] = fields["destination.domain"] = name
        fields["url.domain"] = name
        relate(event, "hosts", name)
    fields.update({"tls.version_protocol": protocol.lower(), "tls.version": version, "tls.cipher": cipher})
