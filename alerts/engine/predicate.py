"""Turns a rule's condition into a function of an event: exact, and the definition of what a rule means.

The function asks for fields by their ECS names and gets texts (`alerts.engine.values.texts_of`). A field with several
values meets a test when one of them does, as in Sigma. Every test takes time linear in the text.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import re2

from alerts.engine.values import fold, numbers_of
from alerts.rules.condition import And, FieldTest, Node, Not, Or

Getter = Callable[[str], tuple[str, ...]]
"""Gives the texts of a field, none when the event lacks it."""
Predicate = Callable[[Getter], bool]

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "neq": lambda a, b: a != b,
}
_RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "equals": lambda a, b: a == b,
    "begins": lambda a, b: a.startswith(b),
    "ends": lambda a, b: a.endswith(b),
}


def predicate(node: Node) -> Predicate:
    """The function of a condition."""
    if isinstance(node, FieldTest):
        return _of_test(node)
    if isinstance(node, Not):
        part = predicate(node.part)
        return lambda get: not part(get)
    parts = tuple(predicate(part) for part in node.parts)
    if isinstance(node, And):
        return lambda get: all(part(get) for part in parts)
    assert isinstance(node, Or)
    return lambda get: any(part(get) for part in parts)


def _of_test(test: FieldTest) -> Predicate:
    field = test.field
    if test.operator == "exists":
        return lambda get: bool(get(field))
    if test.operator == "absent":
        return lambda get: not get(field)
    if test.operator == "same":
        return _same(field, *test.value)
    if test.operator in ("number", "compare"):
        sign, number = ("eq", test.value) if test.operator == "number" else test.value
        compare = _COMPARISONS[sign]
        return lambda get: any(compare(found, number) for found in numbers_of(get(field)))
    holds = _of_text(test)
    return lambda get: any(map(holds, get(field)))


def _same(field: str, other: str, how: str) -> Predicate:
    holds = _RELATIONS[how]
    return lambda get: any(holds(fold(a), fold(b)) for a in get(field) for b in get(other))


def _of_text(test: FieldTest) -> Callable[[str], bool]:
    value: Any = test.value
    if test.operator == "matches":
        search = re2.compile(value).search
        return lambda text: search(text) is not None
    if test.operator == "cidr":
        return _within(value)
    folded: Callable[[str], str] = str if test.cased else fold
    if test.operator == "equals":
        return lambda text: folded(text) == value
    if test.operator == "contains":
        return lambda text: value in folded(text)
    if test.operator == "begins":
        return lambda text: folded(text).startswith(value)
    if test.operator == "ends":
        return lambda text: folded(text).endswith(value)
    pattern = re2.compile("(?s)" + "".join(map(_wildcard, value)))
    return lambda text: pattern.fullmatch(folded(text)) is not None


def _wildcard(part: str | bool | None) -> str:
    return re2.escape(part) if isinstance(part, str) else ".*" if part is None else "."


def _within(network: IPv4Network | IPv6Network) -> Callable[[str], bool]:
    @lru_cache(4096)
    def within(text: str) -> bool:
        try:
            return ip_address(text) in network
        except ValueError:
            return False

    return within
