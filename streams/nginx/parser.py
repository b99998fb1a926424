"""From a line of nginx's access log to columns.

Enters: the `combined` format and those that add to it (a virtual host before, timings or more after), `common`, sent by
syslog (`access_log syslog:server=...`, tag nginx) or as lines of a file, which are told by their beginning. Any nginx.
The format is in `streams.weblog`. https://nginx.org/en/docs/http/ngx_http_log_module.html
"""

from streams import weblog
from streams.base import Joins, Stream
from topics.event import Event

NAME = "nginx.access"


def parse(message: str, event: Event, joins: Joins) -> bool:
    """Columns of one line of the access log; False for others."""
    return weblog.parse(message, event, NAME)


STREAM = Stream(name=NAME, programs=("nginx", "nginx_access"), parse=parse, sniff=weblog.sniff)
