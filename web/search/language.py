"""Parses the search language of the page and the command line.

    service:sshd outcome:failure ip:81.2.69.0/24 -user:root "invalid user" port:>1024 user:adm*

Terms are separated by blanks, and all have to hold; `-` before one negates it. A term is a word, a phrase in double
quotes, or a field with a value. Values are words, phrases, the beginning of a word (`adm*`), anything (`user:*`), a
comparison of numbers or times (`>`, `>=`, `<`, `<=`), an address or a network. In a phrase a backslash before a quote
or a backslash means that itself. The time needed is linear in the length of the text.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Literal

from web.search.fields import LOWER, UPPER, UnknownField, field_of

LONGEST = 1024
"""Characters of a search."""
MOST = 50
"""Terms of a search."""
_NAME = re.compile(r"[A-Za-z@_][A-Za-z0-9@_.-]{0,99}:")
_COMPARISON = re.compile(r"(>=|<=|>|<)(.*)", re.DOTALL)
_OCTETS = re.compile(r"((?:[0-9]{1,3}\.){1,3})\*")
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_REAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)

Op = Literal["is", "begins", "phrase", "exists", "network", ">", ">=", "<", "<="]
Value = str | int | float | bool


class BadSearch(ValueError):
    """The text is no search. The message says why; `column` (from 1) and `length` where."""

    def __init__(self, text: str, column: int, length: int = 1) -> None:
        super().__init__(text)
        self.column, self.length = column, max(1, length)


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. `field` is an ECS field and `kind` its type; both are "" for words and phrases without a field.

    `text` is how it was written.
    """

    op: Op
    value: Value
    field: str = ""
    kind: str = ""
    negated: bool = False
    text: str = ""


def parse(text: str) -> list[Term]:
    """Return the terms of a search, none for an empty one. Raises BadSearch."""
    if len(text) > LONGEST:
        raise BadSearch(f"a search has at most {LONGEST} characters", LONGEST + 1)
    terms: list[Term] = []
    at = _skip_blanks(text, 0)
    while at < len(text):
        if len(terms) == MOST:
            raise BadSearch(f"a search has at most {MOST} terms", at + 1)
        term, at = _term(text, at)
        terms.append(term)
        at = _skip_blanks(text, at)
    return terms


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _term(text: str, begin: int) -> tuple[Term, int]:
    negated = text[begin] == "-"
    at = begin + negated
    name = _NAME.match(text, at)
    if name is not None and not _is_address(text, at):
        value, quoted, end = _value(text, name.end(), begin)
        return _of_field(name[0][:-1], value, quoted, text[begin:end], begin, name.end(), negated), end
    value, quoted, end = _value(text, at, begin)
    return _free(value, quoted, text[begin:end], begin, negated), end


def _is_address(text: str, at: int) -> bool:
    """Whether an address of IPv6 stands here, whose beginning looks like a field (`fe80::1`)."""
    end = at
    while end < len(text) and end - at < 50 and not text[end].isspace():
        end += 1
    return _network(text[at:end]) is not None


def _value(text: str, at: int, begin: int) -> tuple[str, bool, int]:
    """The value that begins here, whether it is quoted, and where it ends."""
    if at >= len(text) or text[at].isspace():
        raise BadSearch("a word is missing here", at + 1 if at > begin else begin + 1)
    if text[at] == '"':
        return _quoted(text, at)
    end = at
    while end < len(text) and not text[end].isspace():
        if text[end] == '"':
            raise BadSearch('a quote within a word: put the whole between quotes, and write \\" for it', end + 1)
        end += 1
    return text[at:end], False, end


def _quoted(text: str, at: int) -> tuple[str, bool, int]:
    found, end = [], at + 1
    while end < len(text) and text[end] != '"':
        end += text[end] == "\\" and end + 1 < len(text)
        found.append(text[end])
        end += 1
    if end >= len(text):
        raise BadSearch("this quote has no end", at + 1, len(text) - at)
    if end + 1 < len(text) and not text[end + 1].isspace():
        raise BadSearch("a blank is missing after the quote", end + 2)
    if not found:
        raise BadSearch("nothing is between these quotes", at + 1, 2)
    return "".join(found), True, end + 1


def _free(value: str, quoted: bool, text: str, begin: int, negated: bool) -> Term:
    if quoted:
        return Term("phrase", value, negated=negated, text=text)
    if (network := _network(value)) is not None:
        return Term("network", network, negated=negated, text=text)
    if value.endswith("*"):
        return Term("begins", _beginning(value, begin, len(text)), negated=negated, text=text)
    return Term("is", value, negated=negated, text=text)


def _of_field(name: str, value: str, quoted: bool, text: str, begin: int, at: int, negated: bool) -> Term:
    try:
        field, kind = field_of(name)
    except UnknownField as error:
        raise BadSearch(str(error), begin + negated + 1, len(name)) from None
    if value == "*" and not quoted:
        return Term("exists", "", field, kind, negated, text)
    try:
        op, found = _typed(field, kind, value, quoted)
    except ValueError as error:
        raise BadSearch(f"{name}: {error}", at + 1, len(text) - (at - begin)) from None
    return Term(op, found, field, kind, negated, text)


def _typed(field: str, kind: str, value: str, quoted: bool) -> tuple[Op, Value]:
    """Operator and value of a field. Raises ValueError with what is wrong."""
    if kind == "ip":
        return "network", _address(value)
    if kind in ("long", "double", "date") and not quoted:
        return _number(kind, value)
    if kind == "boolean":
        if value not in ("true", "false"):
            raise ValueError("true or false")
        return "is", value == "true"
    if kind == "geo_point":
        raise ValueError("places cannot be searched; country and city can")
    if not quoted and _COMPARISON.fullmatch(value):
        raise ValueError("only numbers and times can be compared")
    value = value.upper() if field in UPPER else value.lower() if field in LOWER else value
    if not quoted and value.endswith("*"):
        return "begins", _beginning(value)
    return "phrase" if kind == "text" else "is", value


def _number(kind: str, value: str) -> tuple[Op, Value]:
    compared = _COMPARISON.fullmatch(value)
    op, text = (compared[1], compared[2]) if compared else ("is", value)
    if kind == "date":
        if not compared:
            raise ValueError("times are compared, as @timestamp:>2026-05-01T12:00:00Z")
        return op, _time(text)  # type: ignore[return-value]
    if text.upper().startswith("AS") and kind == "long":
        text = text[2:]
    if not (_WHOLE if kind == "long" else _REAL).fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number")
    return op, int(text) if kind == "long" else float(text)  # type: ignore[return-value]


def _time(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time such as 2026-05-01T12:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _address(value: str) -> str:
    if octets := _OCTETS.fullmatch(value):
        parts = octets[1].rstrip(".").split(".")
        value = f"{'.'.join(parts + ['0'] * (4 - len(parts)))}/{8 * len(parts)}"
    network = _network(value)
    if network is None:
        raise ValueError(f"{value[:50]!r} is no address, and no network such as 192.0.2.0/24")
    return network


def _network(value: str) -> str | None:
    """An address, or a network, as Elasticsearch takes it; None for anything else."""
    if len(value) > 49 or not ("." in value or ":" in value):
        return None
    try:
        return str(ip_network(value, strict=False) if "/" in value else ip_address(value))
    except ValueError:
        return None


def _beginning(value: str, begin: int = 0, length: int = 1) -> str:
    found = value.rstrip("*")
    if not found:
        raise BadSearch("at least one letter has to be before the *", begin + 1, length)
    return found
