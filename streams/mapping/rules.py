"""Maps messages to columns by a table: for each first word of a message, it holds the rules to try.

The rules of a word are tried in order. A rule is an anchored regular expression whose named groups are columns
(`user_name`, `source_ip`, `source_port`, ...); a group of another name becomes the field `<stream>.<group>` in `extra`.
Optional groups may be absent or empty.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from streams.common.text import extra, is_ip, number, port_number, set_endpoint, set_ip
from topics.event import Event
from topics.fields import FIELDS

LONGEST = 16384
"""Longer messages are not matched: no program whose messages are described by rules writes such lines."""

_Setter = Callable[[Event, str], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """The pattern of one kind of message as a whole, and the constant columns of such a message."""

    pattern: str
    columns: Event


@dataclass(frozen=True, slots=True)
class _Compiled:
    match: Callable[[str], re.Match[str] | None]
    columns: Event
    setters: tuple[tuple[str, _Setter], ...]


class Rules:
    """The rules of one stream. `table` maps the first word of a message, as it stands before the first space, to the
    rules for what follows that space. Give it patterns without two adjacent parts that match the same text."""

    def __init__(self, stream: str, table: dict[str, tuple[Rule, ...]]) -> None:
        self._table = {word: tuple(_compile(stream, rule) for rule in rules) for word, rules in table.items()}

    def parse(self, message: str, event: Event) -> bool:
        """Add the columns of the first rule that fits the whole message; False when none does."""
        word, _, rest = message.partition(" ")
        rules = self._table.get(word)
        if rules is None or len(message) > LONGEST:
            return False
        for rule in rules:
            found = rule.match(rest)
            if found is not None:
                _apply(rule, found, event)
                return True
        return False


def _compile(stream: str, rule: Rule) -> _Compiled:
    pattern = re.compile(rule.pattern, re.DOTALL)
    setters = tuple((group, _setter(stream, group)) for group in pattern.groupindex)
    return _Compiled(pattern.fullmatch, rule.columns, setters)


def _apply(rule: _Compiled, found: re.Match[str], event: Event) -> None:
    event.update(rule.columns)
    for group, setter in rule.setters:
        value = found[group]
        if value:
            setter(event, value)


def _setter(stream: str, group: str) -> _Setter:
    side, _, part = group.partition("_")
    if side in ("source", "destination") and part in ("ip", "port"):
        return _address_setter(side) if part == "ip" else _port_setter(group)
    field = FIELDS.get(group)
    if field is None:
        return _extra_setter(f"{stream}.{group}")
    return _text_setter(group) if field.kind == "string" else _number_setter(group)


def _address_setter(side: str) -> _Setter:
    def set_address(event: Event, value: str) -> None:
        if is_ip(value):
            set_ip(event, side, value)
        else:
            set_endpoint(event, side, value)

    return set_address


def _port_setter(column: str) -> _Setter:
    def set_port(event: Event, value: str) -> None:
        if port := port_number(value):
            event[column] = port

    return set_port


def _text_setter(column: str) -> _Setter:
    def set_text(event: Event, value: str) -> None:
        event[column] = value

    return set_text


def _number_setter(column: str) -> _Setter:
    largest = 9 if FIELDS[column].kind == "int" else 18

    def set_number(event: Event, value: str) -> None:
        found = number(value, largest)
        if found is not None:
            event[column] = found

    return set_number


def _extra_setter(name: str) -> _Setter:
    def set_extra(event: Event, value: str) -> None:
        extra(event)[name] = value

    return set_extra
