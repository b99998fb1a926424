"""Tells which hosts are this machine, and whether a request was made for it, as all our HTTP servers must know.

A browser sends a page's requests wherever the page says. DNS rebinding makes them look as if they were of the same
origin: `Host` then bears the page's own name, so that a server must know its names. An address in `Host` cannot be
forged like that. https://owasp.org/www-community/attacks/DNS_Rebinding, https://www.rfc-editor.org/rfc/rfc9110#name-host
"""

import _ssl
import re
import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

Networks = tuple[IPv4Network | IPv6Network, ...]

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
    """The names a server answers to: addresses, localhost, this machine's name, and those given.

    `*` is any, `*.example.com` any that has one label more.
    """

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
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names or is_address(name)


def names_of(certificate: Path | None) -> str:
    """The host names that a certificate (PEM, the first of its file) is for, comma separated; none if it has none.

    Raises OSError where it cannot be read.
    """
    decode: Any = vars(_ssl).get("_test_decode_cert")  # the standard library has no other way to read one
    shown = decode(str(certificate)) if decode is not None and certificate is not None else {}
    return ",".join(value for kind, value in shown.get("subjectAltName", ()) if kind == "DNS")


def is_foreign(host: str, origins: Sequence[str], sites: Iterable[str] = ()) -> bool:
    """Whether a browser made a request for a page of another origin, by its headers `Host`, `Origin` and
    `Sec-Fetch-Site`. Programs send neither of the latter.

    The scheme is not compared: a proxy before us may have ended TLS.
    """
    if any(site.strip() not in _SITES for site in sites):
        return True
    return any(origin.partition("://")[2].lower() != host.strip().lower() for origin in origins)


def networks(text: str) -> Networks:
    """Networks, comma separated. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def contains(among: Networks, address: str) -> bool:
    """Whether an address, "" for none, is in one of the networks."""
    return bool(among and address) and any(ip_address(address) in network for network in among)


def peer_of(transport: Any) -> str:
    """The address at the other end of a connection; "" when there is none."""
    peer = transport.get_extra_info("peername") if transport else None
    return plain(peer[0]) if isinstance(peer, tuple) else ""


def plain(text: str) -> str:
    """The address as IPv4 or IPv6 without a zone; "" when it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def sender_of(peer: str, forwarded: Iterable[str], proxies: Networks) -> str:
    """The peer's address; when that is a proxy of ours, the last one it forwarded (`X-Forwarded-For`) that is none."""
    address = peer
    if not contains(proxies, address):
        return address
    for part in reversed(",".join(forwarded).split(",")):
        if not (hop := plain(part.strip())):
            break
        address = hop
        if not contains(proxies, hop):
            break
    return address


def is_address(text: str) -> bool:
    """Whether it is an IP address, not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
