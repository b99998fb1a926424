"""Tells which hosts are this machine, and whether a request was made for this server; all HTTP servers here use it.

A browser sends the requests of a page wherever the page says. With DNS rebinding such a request seems to be of the same
origin: `Host` has the name of the page, so a server has to know its own names. An address in `Host` cannot be forged
like that. https://owasp.org/www-community/attacks/DNS_Rebinding, https://www.rfc-editor.org/rfc/rfc9110#name-host
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
    """Whether a host is a loopback address or `localhost`. Other names are not looked up."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


class HostNames:
    """The names a server answers to: addresses, localhost, this machine's name, and those given.

    `*` stands for any name, `*.example.com` for any with one label more.
    """

    def __init__(self, *given: str) -> None:
        names = {name.strip().lower().rstrip(".") for text in given for name in text.split(",")} - {""}
        self._any = "*" in names
        self._names = names | {"localhost", socket.gethostname().lower()}

    def know(self, headers: Sequence[str]) -> bool:
        """Whether a request with these values of `Host` is for this server. HTTP/1.0 may omit it, browsers never do."""
        if self._any or not headers:
            return True
        found = _HOST.fullmatch(headers[0].strip()) if len(headers) == 1 else None
        if found is None:
            return False
        name = (found[1] or found[2]).lower().rstrip(".")
        return name in self._names or f"*.{name.partition('.')[2]}" in self._names or is_address(name)


def names_of(certificate: Path | None) -> str:
    """The host names of a certificate (PEM, the first of its file), comma separated; "" if it has none.

    Raises `OSError` when the file cannot be read.
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
    """Parse networks in CIDR notation, comma separated. Raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def contains(among: Networks, address: str) -> bool:
    """Whether an address is in one of the networks; "" is in none."""
    return bool(among and address) and any(ip_address(address) in network for network in among)


def peer_of(transport: Any) -> str:
    """The address at the other end of a connection; "" when there is none."""
    peer = transport.get_extra_info("peername") if transport else None
    return plain(peer[0]) if isinstance(peer, tuple) else ""


def plain(text: str) -> str:
    """An address without its zone, IPv4-mapped ones as IPv4; "" when the text is not an address."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)


def sender_of(peer: str, forwarded: Iterable[str], proxies: Networks) -> str:
    """The address of the peer. If it is one of `proxies`, the last address in `X-Forwarded-For` that is not one."""
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
    """Whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
