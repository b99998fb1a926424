"""Decides whether an event in memory satisfies the terms of a search, as documents do in Elasticsearch.

Words are looked for in the text without regard to capitals; Elasticsearch compares whole words.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from topics.event import Event
from topics.fields import FIELDS
from web.search.language import Term

Test = Callable[[Event], bool]

_COLUMNS = {field.ecs: field.column for field in FIELDS.values()}
_NAMES = ("user_name", "host_hostname", "process_name", "event_action", "rule_name")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def matcher(terms: Iterable[Term]) -> Test:
    """A function that says whether an event, as it is decoded, satisfies all terms."""
    tests = [_test(term) for term in terms]
    return lambda event: all(test(event) for test in tests)


def needles(terms: Iterable[Term]) -> list[bytes]:
    """Bytes that an encoded event must contain to satisfy the terms: whoever lacks one need not be decoded."""
    return [str(term.value).encode("utf-8", "replace") for term in terms if _has_needle(term)]


def _has_needle(term: Term) -> bool:
    """Whether a value stands in an encoded event as it is written: JSON within it would escape some characters."""
    named = term.field and not term.negated and term.op in ("is", "begins") and term.kind == "keyword"
    return (
        bool(named) and isinstance(term.value, str) and term.value.isprintable() and not set(term.value) & {'"', "\\"}
    )


def _test(term: Term) -> Test:
    test = _of_field(term) if term.field else _anywhere(term)
    return (lambda event: not test(event)) if term.negated else test


def _of_field(term: Term) -> Test:
    read, holds = _reader(term.field), _holds(term)
    return lambda event: any(holds(value) for value in read(event))


def _reader(field: str) -> Callable[[Event], list[Any]]:
    """A function that returns the values of a field, none where it is absent."""
    column = _COLUMNS.get(field)
    absent = FIELDS[column].absent if column is not None else None

    def read(event: Event) -> list[Any]:
        value = event.get(column, absent) if column is not None else absent
        if value == absent:
            value = event.get("extra", {}).get(field)
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    return read


def _holds(term: Term) -> Callable[[Any], bool]:
    value = term.value
    if term.op == "exists":
        return lambda found: True
    if term.op in _COMPARE:
        compare, limit = _COMPARE[term.op], _micros(str(value)) if term.kind == "date" else value
        return lambda found: isinstance(found, int | float) and compare(found, limit)
    if term.op == "network":
        return _within(str(value))
    if term.op == "begins":
        return lambda found: str(found).startswith(str(value))
    if term.op == "phrase":
        folded = str(value).casefold()
        return lambda found: folded in str(found).casefold()
    if isinstance(value, str):
        return lambda found: str(found) == value
    return lambda found: bool(found == value)


def _anywhere(term: Term) -> Test:
    if term.op == "network":
        within, text = _within(str(term.value)), str(term.value)
        return lambda event: (
            within(event.get("source_ip", "")) or within(event.get("destination_ip", "")) or text in event["message"]
        )
    folded, text, begins = str(term.value).casefold(), str(term.value), term.op == "begins"

    def test(event: Event) -> bool:
        if folded in event.get("message", "").casefold():
            return True
        named = [event.get(column, "") for column in _NAMES] if term.op != "phrase" else []
        return any(name.startswith(text) if begins else name == text for name in named)

    return test


def _within(text: str) -> Callable[[Any], bool]:
    if "/" not in text:
        return lambda found: found == text
    network = ip_network(text, strict=False)

    def within(found: Any) -> bool:
        try:
            return ip_address(found) in network
        except ValueError:
            return False

    return within


def _micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)
