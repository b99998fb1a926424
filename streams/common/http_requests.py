"""Parses the request lines of HTTP that servers and proxies log: `GET /x?y HTTP/1.1`.

The client chooses all of it. https://www.rfc-editor.org/rfc/rfc9112#section-3
"""

import re

from streams.common.text import extra, host_port, is_ip, port_number, put
from topics.event import Event

_REQUEST = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,31}) (.*?)(?: HTTP/([0-9](?:\.[0-9])?))?", re.DOTALL)
_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://([^/?#]*)(.*)", re.DOTALL)


def set_target(request: str, event: Event, name: str) -> None:
    """Set method, target and version; a request that is none of that (a TLS hello, `-`) is kept as it came."""
    found = _REQUEST.fullmatch(request)
    if found is None:
        if request not in ("", "-"):
            extra(event)[name + ".request"] = request
        return
    method, target, version = found.groups()
    event["http_request_method"] = method
    put(event, "url_original", target)
    put(event, "http_version", version)
    _set_url(target, method, event)


def _set_url(target: str, method: str, event: Event) -> None:
    if method == "CONNECT":
        _set_authority(target, event)
        return
    if not target.startswith("/") and (origin := _ORIGIN.fullmatch(target)):
        extra(event)["url.scheme"] = origin[1]
        _set_authority(origin[2].rpartition("@")[2], event)
        target = origin[3]
    path, _, query = target.partition("#")[0].partition("?")
    put(event, "url_path", path)
    put(event, "url_query", query)
    base, dot, extension = path.rpartition("/")[2].rpartition(".")
    if dot and base and extension:
        extra(event)["url.extension"] = extension


def _set_authority(text: str, event: Event) -> None:
    """Set the host that is asked for, which may come with its port."""
    host, port = ("", "") if is_ip(text) else host_port(text)
    extra(event)["url.domain"] = host or text
    if value := port_number(port):
        extra(event)["url.port"] = value
