"""Chooses the addresses of visitors, scanners and attackers, from networks that belong to nobody real.

Scanners and attackers use MaxMind's published test networks, so that GeoIP knows them
(https://github.com/maxmind/MaxMind-DB/tree/main/source-data); some visitors use documentation networks (RFC 5737 and
RFC 3849), which it does not know.
"""

from ipaddress import IPv4Network
from random import Random

_SCANNERS = ("175.16.199.0/24", "67.43.156.0/24", "202.196.224.0/20", "89.160.20.128/25", "111.235.160.0/22")
_VISITORS = ("81.2.69.160/27", "81.2.69.192/28", "202.196.224.0/20", "89.160.20.112/28", "111.235.160.0/22")
_NOWHERE = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")

SPRAYER = "2.125.160.217"
BRUTE = "81.2.69.142"
INTRUDER = "175.16.199.37"
WEB_BRUTE = "216.160.83.58"
# A compromised workstation inside the company.
LDAP_SPRAYER = "10.50.9.66"

_ATTACKERS = frozenset((SPRAYER, BRUTE, INTRUDER, WEB_BRUTE, LDAP_SPRAYER))


def scanner(random: Random) -> str:
    """A random address of a scanner, never that of an attacker."""
    while (address := _inside(random, _SCANNERS)) in _ATTACKERS:
        pass
    return address


def visitor(random: Random) -> str:
    """A random address of a visitor: mostly one that GeoIP knows, sometimes unknown, sometimes IPv6."""
    draw = random.random()
    if draw < 0.05:
        return f"2001:db8:{random.randrange(1, 400):x}::{random.randrange(1, 65535):x}"
    return _inside(random, _VISITORS if draw < 0.8 else _NOWHERE)


def _inside(random: Random, networks: tuple[str, ...]) -> str:
    network = IPv4Network(random.choice(networks))
    return str(network[random.randrange(1, network.num_addresses - 1)])
