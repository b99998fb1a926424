"""Sets the columns of a message by its number and text: the catalogue's templates, both ends, users and translations.

The templates are in the form of `streams.cisco.templates`. A is the source, B the destination of what they name.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from streams.cisco.templates import compile_template
from streams.cisco.users import set_users
from streams.common.packets import SERVICES, mac, nanoseconds, relate, set_end, set_number, set_transport, set_type
from streams.common.text import extra, is_ip, number, port_number
from topics.event import Event
from topics.fields import FIELDS

_MASKED = ("*****", "Unknown")
_INTERFACES = {"source": "observer_ingress_interface_name", "destination": "observer_egress_interface_name"}
_NO_HOSTS = ("console", "terminal", "serial")
_LONGEST_GROUP = 4
_MOST_TRIES = 1000
_Match = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Message:
    """Messages that mean the same: their numbers, with spaces between, their columns, and the forms of their text."""

    codes: str
    columns: Event
    templates: tuple[str, ...] = ()
    outbound_swaps: bool = False
    """Whether A is the destination when the text says "outbound"."""


_Compiled = tuple[Event, tuple[_Match, ...], bool]


class Catalogue:
    """Messages by number. Several entries of one number are tried in order."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages: dict[str, list[_Compiled]] = {}
        for message in messages:
            matches = tuple(compile_template(template).fullmatch for template in message.templates)
            for code in message.codes.split():
                self._messages.setdefault(code, []).append((message.columns, matches, message.outbound_swaps))

    def parse(self, code: str, text: str, event: Event) -> bool:
        """Add the columns of the message; False when its number is not known. A known number whose text has a form
        that is not known gives the columns of its last entry alone."""
        known = self._messages.get(code)
        if known is None:
            return False
        for columns, matches, outbound_swaps in known:
            for match in matches:
                if (found := match(text)) is not None:
                    event.update(columns)
                    set_fields(found.groupdict(), event, outbound_swaps)
                    return True
        columns = known[-1][0]
        event.update({name: value for name, value in columns.items() if name != "ogrewatch_attempt"})
        return True


def set_fields(groups: dict[str, str | None], event: Event, outbound_swaps: bool = False) -> None:
    """Set the columns of a pattern's named groups."""
    found = {name: value for name, value in groups.items() if value}
    for end in ("a", "b"):
        if end + "_early" in found:
            found.setdefault(end + "_user", found.pop(end + "_early"))
    swapped = outbound_swaps and found.get("direction", "").lower() == "outbound"
    if "protocol" in found:
        set_transport(event, found.pop("protocol"))
        _set_icmp_numbers(found, event)
    order = ("b", "a") if swapped else ("a", "b")
    for end, side in zip(order, ("source", "destination"), strict=True):
        if end + "_ip" in found:
            _set_end(found, end, side, event)
    set_type(event)
    if "a_user" in found or "b_user" in found or "closed_by" in found:
        set_users(found, order, event)
    for name, value in found.items():
        setter = _SETTERS.get(name)
        if setter is not None:
            setter(event, value)
        elif name[1] != "_":
            _set_other(event, name, value)


def _set_icmp_numbers(found: dict[str, str], event: Event) -> None:
    """ICMP has no ports: what stands in their places is an id, or type and code. The packet that an error is about has
    ports of its own."""
    if event.get("network_transport") in ("icmp", "ipv6-icmp") and "original_protocol" not in found:
        numbers = [found.pop(end + "_port") for end in ("a", "b") if end + "_port" in found]
        found.pop("a_natport", None)
        found.pop("b_natport", None)
        if numbers:
            extra(event)["cisco.icmp_numbers"] = "/".join(numbers)


def _set_end(found: dict[str, str], end: str, side: str, event: Event) -> None:
    """Set address, port, interface and translation of one end."""
    address, interface = _parted(found[end + "_ip"], found.get(end + "_if", ""))
    set_end(event, side, address, found.get(end + "_port", ""))
    if not is_ip(address) and address not in _NO_HOSTS:
        extra(event)[side + ".domain"] = address
        relate(event, "hosts", address)
    if interface:
        event[_INTERFACES[side]] = interface
    if end + "_nat" in found:
        address, _ = _parted(found[end + "_nat"], found.get(end + "_natif", ""))
        _set_nat(address, found.get(end + "_natport", ""), side, event)


def _parted(address: str, interface: str) -> tuple[str, str]:
    """Address and interface; what looks like an interface is the first group of an IPv6 address that has none."""
    if interface and len(interface) <= _LONGEST_GROUP and is_ip(whole := f"{interface}:{address}"):
        return whole, ""
    return address, interface


def _set_nat(address: str, port: str, side: str, event: Event) -> None:
    """Set the translated address and port, unless they are the same: then nothing was translated."""
    if is_ip(address) and address != event.get(side + "_ip"):
        extra(event)[side + ".nat.ip"] = address
        relate(event, "ip", address)
    if (number_of_port := port_number(port)) and number_of_port != event.get(side + "_port"):
        extra(event)[side + ".nat.port"] = number_of_port


def _set_user(event: Event, value: str) -> None:
    value = value.strip()
    if value and value not in _MASKED:
        event["user_name"] = value


def _set_direction(event: Event, value: str) -> None:
    event["network_direction"] = value.lower()


def _set_interface(event: Event, value: str) -> None:
    event.setdefault("observer_ingress_interface_name", value)


def _set_duration(event: Event, value: str) -> None:
    if (length := nanoseconds(value)) is not None:
        extra(event)["event.duration"] = length


def _set_mac(event: Event, value: str) -> None:
    if address := mac(value):
        extra(event)["source.mac"] = address


def _set_service(event: Event, value: str) -> None:
    event["network_protocol"] = value.lower()
    if value.lower() in SERVICES:
        event.setdefault("destination_port", SERVICES[value.lower()])


def _set_tries(event: Event, value: str) -> None:
    extra(event)["cisco.tries"] = int(value)
    if "ogrewatch_attempt" in event:
        event["ogrewatch_attempt"] = min(int(value), _MOST_TRIES) or 1


def _named(name: str) -> Callable[[Event, str], None]:
    def set_named(event: Event, value: str) -> None:
        set_number(event, name, value)

    return set_named


def _set_other(event: Event, name: str, value: str) -> None:
    column = FIELDS.get(name)
    if column is None:
        set_number(event, "cisco." + name, value)
    elif column.kind == "string":
        event[name] = value
    elif (amount := port_number(value) if name.endswith("_port") else _whole(value, column.kind)) is not None:
        event[name] = amount


def _whole(value: str, kind: str) -> int | None:
    """The number of digits that a column of that kind holds."""
    return number(value, 9 if kind == "int" else 18)


_SETTERS: dict[str, Callable[[Event, str], None]] = {
    "user": _set_user,
    "direction": _set_direction,
    "tries": _set_tries,
    "on_interface": _set_interface,
    "duration": _set_duration,
    "mac": _set_mac,
    "service": _set_service,
    "bytes": _named("network.bytes"),
    "reason": _named("event.reason"),
    "login_reason": _named("event.reason"),
    "transport": set_transport,
    "domain": _named("destination.domain"),
    "source_domain": _named("source.domain"),
    "group": _named("user.group.name"),
    "file": _named("file.path"),
    "agent": _named("user_agent.original"),
}
