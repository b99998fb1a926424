"""Decides which addresses are looked up in a geolocation database, and in which form.

Addresses without a place on Earth are never looked up: those that the IANA registries of special-purpose addresses list
as not globally reachable, multicast, and in IPv6 all outside of 2000::/3.
https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from bisect import bisect_right
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

LONGEST = 45
"""Characters of the longest text of an address (INET6_ADDRSTRLEN without its NUL)."""

_UNPLACED_V4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by carrier-grade NAT
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarking
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/3",  # multicast, reserved, broadcast
)
_UNPLACED_V6 = (
    "::/3",  # unspecified, loopback, translation, discard-only
    "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
    "2001:db8::/32",  # documentation
    "3fff::/20",  # documentation
    "4000::/2",  # not assigned
    "8000::/1",  # not assigned, unique-local, link-local, multicast
)
_MAPPED = bytes(10) + b"\xff\xff"


class _Ranges:
    """Disjoint ranges of packed addresses of one family."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        ranges = sorted((n[0].packed, n[-1].packed) for n in map(ip_network, networks))
        self._first = [first for first, _ in ranges]
        self._last = [last for _, last in ranges]

    def __contains__(self, packed: bytes) -> bool:
        index = bisect_right(self._first, packed) - 1
        return index >= 0 and packed <= self._last[index]


_V4 = _Ranges(_UNPLACED_V4)
_V6 = _Ranges(_UNPLACED_V6)


def placed(address: str) -> str | None:
    """Return the address to look up; None if it has no place, or if the text is not an address.

    IPv4 in IPv6 (::ffff:a.b.c.d) comes back as IPv4. Zone ids and the short forms of inet_aton are not accepted.
    Never raises.
    """
    try:
        packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
    except (OSError, ValueError):
        return None
    if len(packed) == 4:
        return None if packed in _V4 else address
    if packed.startswith(_MAPPED):
        return None if packed[12:] in _V4 else inet_ntop(AF_INET, packed[12:])
    return None if packed in _V6 else address
