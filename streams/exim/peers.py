"""Parses how Exim names the other end: `mail.example.com (helo) [192.0.2.1]:51234`.

https://www.exim.org/exim-html-current/doc/html/spec_html/ch-log_files.html

The name is what the address resolves to; the client chooses only what stands in parentheses, in which Exim lets no
blank pass. An address literal there, `([198.51.100.6])`, is not the client's address.
"""

import re

from streams.common.text import extra, is_ip, port_number
from topics.event import Event

HOST = (
    r"(?:(?P<name>[^\s()\[\]]{1,255}) )?(?:\((?P<helo>[^\s()]{0,255})\) )?"
    r"\[(?P<ip>[0-9A-Fa-f.:]{2,39})\](?::(?P<port>[0-9]{1,5}))?"
)
INTERFACE = r"(?: I=\[(?P<local_ip>[0-9A-Fa-f.:]{2,39})\](?::(?P<local_port>[0-9]{1,5}))?)?"


def set_peer(found: re.Match[str], event: Event, side: str = "source") -> None:
    """Set the end that the groups of `HOST`, and perhaps of `INTERFACE`, name."""
    groups = found.groupdict("")
    _set_end(event, side, groups["ip"], groups["port"])
    if groups["name"]:
        extra(event)[side + ".domain"] = groups["name"]
    if groups["helo"]:
        extra(event)["exim.helo"] = groups["helo"]
    if groups.get("local_ip"):
        _set_end(event, "destination" if side == "source" else "source", groups["local_ip"], groups["local_port"])


def _set_end(event: Event, side: str, address: str, port: str) -> None:
    if is_ip(address):
        event[side + "_ip"] = address
    if port and (value := port_number(port)):
        event[side + "_port"] = value
