"""Parses lines of Apache's access and error logs.

It reads `common`, `combined`, `vhost_combined` and formats that add to them, the `ssl_request_log` of Apache's sample
configuration, and the error log of 2.0 to 2.4, sent by syslog (tags apache2, httpd, ...) or as lines of a file. Without
a header, lines of the error log and of SSL requests are recognised by their beginning; access logs look like nginx's
and become events of nginx. The formats are in `streams.common.weblog` and `streams.apache.error`.
https://httpd.apache.org/docs/2.4/logs.html
"""

import re

from streams.apache import error
from streams.base import StateStore, Stream
from streams.common import weblog
from streams.common.http_requests import set_target
from streams.common.text import extra, number, set_endpoint
from streams.syslog.timestamps import clf
from topics.event import Event

NAME = "apache.access"
_SSL = re.compile(
    r"\[([0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [+-][0-9]{4})\] (\S{1,255}) ([A-Za-z0-9.]{1,16}) (\S{1,128}) "
    r'"(.*)" ([0-9]{1,18}|-)',
    re.DOTALL,
)
_ACCESSED: Event = {
    "ogrewatch_service": "web",
    "event_category": ["web"],
    "event_type": ["access"],
    "event_action": "http_request",
}


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Set the columns of one line of any of its logs; False for others."""
    if message[:1] == "[":
        return error.parse(message, event) or _ssl(message, event)
    return weblog.parse(message, event, NAME)


def sniff(text: str) -> bool:
    """Whether a line without a header is of its error log or its log of SSL requests."""
    return text[:1] == "[" and (error.sniff(text) or _SSL.match(text) is not None)


def _ssl(message: str, event: Event) -> bool:
    """`[24/Nov/2026:04:05:06 +0000] 192.0.2.1 TLSv1.3 TLS_AES_256_GCM_SHA384 "GET / HTTP/1.1" 512`: no status."""
    found = _SSL.fullmatch(message)
    when = clf(found[1]) if found else None
    if found is None or when is None:
        return False
    event.update(_ACCESSED, timestamp=when, event_dataset=NAME)
    set_endpoint(event, "source", found[2])
    protocol, _, version = found[3].lower().partition("v")
    extra(event).update({"tls.cipher": found[4], "tls.version_protocol": protocol})
    if version:
        extra(event)["tls.version"] = version if "." in version else version + ".0"
    if (size := number(found[6])) is not None:
        event["http_response_body_bytes"] = size
    set_target(found[5], event, NAME)
    return True


STREAM = Stream(
    name=NAME,
    programs=(
        *("apache", "apache2", "httpd", "apache_access", "apache_error", "apache-access", "apache-error"),
        *("httpd_access", "httpd_error", "apache2_access", "apache2_error"),
    ),
    parse=parse,
    longest=weblog.LONGEST,
    sniff=sniff,
)
