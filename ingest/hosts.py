"""Finds the host that wrote a line or an event.

Its name is the key of the raw record, so that the records of one host are in one partition, in order.
"""

import re
from typing import Any

# Enough of an RFC 5424, RFC 3164 or ISO header to find the host; a tag in the host's place ("sshd[7]:") is none.
_HOST = re.compile(
    rb"(?:<\d{1,3}>)?(?:1 \S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+) ([^\s\[]{0,254}[^\s\[:]) "
)
_NAMES = ("hostname", "host", "HOST", "source_host", "Hostname", "host.name", "host.hostname", "_HOSTNAME", "Computer")
_LONGEST = 255  # characters of a host name: no DNS name has more (RFC 1035 2.3.4)


def host_of_line(line: bytes) -> bytes | None:
    """Return the host that a syslog header names; None when there is none in the first 512 bytes."""
    found = _HOST.match(line, 0, 512)
    return None if found is None or found[1] == b"-" else found[1]


def host_of_event(event: dict[str, Any]) -> bytes | None:
    """Return the host that an event names in one of the usual fields, or in ECS's `host`; None when there is none."""
    for name in _NAMES:
        value = event.get(name)
        if value is None:
            continue
        if type(value) is dict:
            value = value.get("name") or value.get("hostname")
        if type(value) is str and value:
            return value[:_LONGEST].encode("utf-8", "backslashreplace")
    return None
