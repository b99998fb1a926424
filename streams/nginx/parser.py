"""Parses lines of nginx's access and error logs.

It reads the `combined` format and those that add to it (a virtual host before, timings or more after), `common`, and
the error log, of any version, sent by syslog (`access_log syslog:server=...`, tag nginx) or as lines of a file, which
are recognised by their beginning; also formats in JSON. The formats are in `streams.common.weblog`, `.error` and
`.records`.
https://nginx.org/en/docs/http/ngx_http_log_module.html, https://nginx.org/en/docs/syslog.html
"""

from streams.base import StateStore, Stream
from streams.common import weblog
from streams.nginx import error, records
from topics.event import Event

NAME = "nginx.access"


def parse(message: str, event: Event, state: StateStore) -> bool:
    """Columns of one line of either log; False for others."""
    if error.sniff(message):
        return error.parse(message, event)
    return weblog.parse(message, event, NAME)


def sniff(text: str) -> bool:
    """Whether a line without a header is of one of nginx's logs. Apache's access log looks the same."""
    return error.sniff(text) or weblog.sniff(text)


STREAM = Stream(
    name=NAME,
    programs=("nginx", "nginx_access", "nginx_error"),
    parse=parse,
    longest=weblog.LONGEST,
    sniff=sniff,
    parse_json=records.parse_json,
    sniff_json=records.sniff_json,
)
