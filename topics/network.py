"""Tells which hosts are this machine, and whether a request was made for it, as all our HTTP servers must know.

A browser sends a page's requests wherever the page says. DNS rebinding makes them look as if they were of the same
origin: `Host` then bears the page's own name, so that a server must know its names. An address in `Host` cannot be
forged like that. https://owasp.org/www-community/attacks/DNS_Rebinding, https://www.rfc-editor.org/rfc/rfc9110#name-host
"""

import re
import socket
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s\[\]:@/?#,]{1,255}))(?::([0-9]{1,5}))?")
_SITES = ("same-origin", "none")  # values of Sec-Fetch-Site that are not another site's


def is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine only. Names but `localhost` are not looked up."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class HostNames:
    """The names a server answers to: addresses, localhost, this machine's name, and those given; `*` is any."""

    def __init__(self, *given: str) -> None:
        names = {name.strip().lower().rstrip(".") for text in given for name in text.split(",")} - {""}
        self._any = "*" in names
        self._names = names | {"localhost", socket.gethostname().lower()}

    def know(self, headers: Sequence[str]) -> bool:
        """Whether a request with these headers `Host` is for us. None at all is one of HTTP/1.0, never a browser's."""
        if self._any or not headers:
            return True
        found = _HOST.fullmatch(headers[0].strip()) if len(headers) == 1 else None
        if found is None:
            return False
        name = (found[1] or found[2]).lower().rstrip(".")
        return name in self._names or _is_address(name)


def is_foreign(host: str, origins: Sequence[str], sites: Iterable[str] = ()) -> bool:
    """Whether a browser made a request for a page of another origin, by its headers `Host`, `Origin` and
    `Sec-Fetch-Site`. Programs send neither of the latter.

    The scheme is not compared: a proxy before us may have ended TLS.
    """
    if any(site.strip() not in _SITES for site in sites):
        return True
    return any(origin.partition("://")[2].lower() != host.strip().lower() for origin in origins)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
