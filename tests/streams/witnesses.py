"""Generates texts that match the beginning of a pattern, with a piece for each of its parts, to repeat each one."""

import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_CANDIDATES = 'a0 A-./:"[](=,_@%\t\n' + "".join(map(chr, range(33, 127)))
_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def witness(pattern: re.Pattern[str], choice: int) -> list[str]:
    """Pieces that together are about what a pattern matches; `choice` selects among alternatives and repetitions."""
    return [piece for piece in _of(_parser.parse(pattern.pattern, pattern.flags), choice) if piece]


def _of(tree: Any, choice: int) -> Iterator[str]:
    for operation, argument in tree:
        yield from _piece(operation, argument, choice)


def _piece(operation: Any, argument: Any, choice: int) -> Iterator[str]:
    if operation is sre.LITERAL:
        yield chr(argument)
    elif operation in (sre.ANY, sre.NOT_LITERAL):
        yield "b" if argument == ord("a") else "a"
    elif operation is sre.IN:
        yield _member(argument)
    elif operation is sre.BRANCH:
        yield from _of(argument[1][choice % len(argument[1])], choice // 2)
    elif operation is sre.SUBPATTERN:
        yield from _of(argument[3], choice)
    elif operation is sre.ATOMIC_GROUP:
        yield from _of(argument, choice)
    elif operation in _REPEATS:
        least, most, inner = argument
        yield from _repeated(least, most, inner, choice)


def _repeated(least: int, most: int, inner: Any, choice: int) -> Iterator[str]:
    """At least once, but for every third choice."""
    for _ in range(max(least, min(most, 1 if choice % 3 < 2 else 0))):
        yield from _of(inner, choice)


def _member(members: Any) -> str:
    """A character of a class."""
    negated = members[0][0] is sre.NEGATE
    return next((char for char in _CANDIDATES if _is_in(char, members) != negated), "\u00e9")


def _is_in(char: str, members: Any) -> bool:
    return any(
        (kind is sre.LITERAL and ord(char) == value)
        or (kind is sre.RANGE and value[0] <= ord(char) <= value[1])
        or (kind is sre.CATEGORY and re.match(_CATEGORIES[value], char) is not None)
        for kind, value in members
    )
