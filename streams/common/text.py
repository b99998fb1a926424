"""Converts pieces of a line to values, for all streams: safe numbers, addresses, key=value pairs, names in DNs.

Nothing here raises on any text, and everything takes time proportional to the text's length.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from topics.event import Event

_PAIR = re.compile(r"""([A-Za-z_][\w.-]{0,63})=(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^']*)'|([^\s"']\S*)?)""", re.DOTALL)
_HEX_RUN = re.compile(r"(?:\\[0-9A-Fa-f]{2})+")
_MAPPED = "::ffff:"
_LONGEST_ADDRESS = 64


def extra(event: Event) -> dict[str, Any]:
    """The event's own dictionary of fields that have no column, made when there is none yet."""
    fields: dict[str, Any] = event.setdefault("extra", {})
    return fields


def put(event: Event, column: str, value: str) -> None:
    """Set a column of text, unless it is empty: what is not there is left out."""
    if value:
        event[column] = value


def number(text: str, digits: int = 18) -> int | None:
    """The value of plain ASCII digits, at most so many of them, else None."""
    return int(text) if text.isdigit() and text.isascii() and len(text) <= digits else None


def port_number(text: str) -> int | None:
    """A TCP or UDP port, else None."""
    value = number(text, 5)
    return value if value is not None and value <= 65535 else None


def is_ip(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address in its usual form (no zone, no brackets)."""
    return len(text) <= _LONGEST_ADDRESS and _is_ip(text)


@lru_cache(8192)
def _is_ip(text: str) -> bool:
    """As `is_ip`, for a short text: long ones would fill the cache."""
    try:
        inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


def set_endpoint(event: Event, side: str, address: str, port: str = "") -> None:
    """Set `<side>_ip` (or, for a host name or an address with a zone, `<side>.address`) and `<side>_port`.

    `side` is "source" or "destination". What is not there ("", "-", "UNKNOWN") sets nothing.
    """
    if is_ip(address):
        set_ip(event, side, address)
    elif address not in ("", "-", "UNKNOWN", "(null)"):
        _set_address(event, side, address)
    if port and (value := port_number(port)):
        event[side + "_port"] = value


def set_ip(event: Event, side: str, address: str) -> None:
    """Set `<side>_ip` to an address. An IPv4 peer of a socket for both families, `::ffff:192.0.2.1`, is that peer, not
    one of its own; as it was written it stays in `<side>.address`."""
    if address.startswith(_MAPPED) and "." in address:
        event[side + "_ip"] = address[len(_MAPPED) :]
        extra(event)[side + ".address"] = address
    else:
        event[side + "_ip"] = address


def _set_address(event: Event, side: str, address: str) -> None:
    bare = address.strip("[]").partition("%")[0]
    if is_ip(bare):
        set_ip(event, side, bare)
    if bare != address.strip("[]") or side + "_ip" not in event:
        extra(event)[side + ".address"] = address[:255]


def host_port(text: str) -> tuple[str, str]:
    """`1.2.3.4:22`, `[2001:db8::1]:22`, `name:22` or any of them without a port, as (host, port); "" for no port.

    An IPv6 address without brackets is a host without a port.
    """
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":")
    host, colon, port = text.rpartition(":")
    if not colon or ":" in host:
        return text, ""
    return host, port


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The `key=value`, `key="va lue"` and `key='va lue'` of a text, in order; backslash escapes are undone in "..."."""
    for found in _PAIR.finditer(text):
        key, double, single, bare = found.groups()
        if double is not None:
            yield key, unescape(double) if "\\" in double else double
        else:
            yield key, single or bare or ""


def unescape(text: str) -> str:
    r"""Undo `\"`, `\\` and any other backslash before a single character."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def first_rdn(dn: str) -> tuple[str, str]:
    r"""Attribute and value that an LDAP DN begins with: `uid=a\,b,ou=x` is ("uid", "a,b"). RFC 4514.

    A name that is no DN has the attribute "". Of a multi-valued RDN (`cn=a+uid=b`) the first part counts.
    """
    attribute, equals, rest = dn.partition("=")
    if not equals:
        return "", dn
    end = _unescaped(rest, ",;+")
    value = rest[:end].strip(" ")
    return attribute.strip().lower(), _undo_dn_escapes(value) if "\\" in value else value


def _unescaped(text: str, stops: str) -> int:
    position = 0
    while position < len(text) and text[position] not in stops:
        position += 2 if text[position] == "\\" else 1
    return min(position, len(text))


def _undo_dn_escapes(value: str) -> str:
    decoded = _HEX_RUN.sub(_hex_run, value)
    return unescape(decoded)


def _hex_run(found: re.Match[str]) -> str:
    decoded = bytes.fromhex(found[0].replace("\\", "")).decode("utf-8", "backslashreplace")
    return re.sub(r"([\\])", r"\\\1", decoded)
