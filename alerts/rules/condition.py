"""The condition of a rule as a tree of tests, made from what pySigma parsed.

A test asks one thing of one field. Fields are ECS names (`process.command_line`), whatever name the rule's author used:
`alerts.rules.sources` translates. Texts are compared without regard to upper and lower case unless the rule says
`cased`; `alerts.engine.values` defines how. https://sigmahq.io/sigma-specification/specification/sigma-rules-specification.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import re2
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
)

from alerts.engine.values import fold
from alerts.rules.errors import RuleError
from alerts.rules.sources import LINE, LogSource

Operator = Literal[
    "equals", "contains", "begins", "ends", "like", "matches", "number", "compare", "cidr", "same", "exists", "absent"
]


@dataclass(frozen=True, slots=True)
class FieldTest:
    """Asks one thing of one field.

    `value` is, by operator: a text (equals, contains, begins, ends; folded unless `cased`); a tuple of texts, None for
    any text and False for one character (like); a pattern of RE2 (matches); a number (number); an operator and a number
    (compare); a network (cidr); the name of another field and how it is compared (same); nothing (exists, absent).
    """

    field: str
    operator: Operator
    value: Any = None
    cased: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """True when all parts are."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """True when one part is."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """True when its part is not."""

    part: "Node"


Node = FieldTest | And | Or | Not


def all_tests(node: Node) -> Iterator[FieldTest]:
    """All tests of a tree."""
    if isinstance(node, FieldTest):
        yield node
    elif isinstance(node, Not):
        yield from all_tests(node.part)
    else:
        for part in node.parts:
            yield from all_tests(part)


def tree_of(parsed: Any, source: LogSource) -> Node:
    """The tree of a condition that pySigma has parsed. Raises `RuleError` for a field or value that we cannot test."""
    if isinstance(parsed, ConditionAND):
        return And(tuple(tree_of(part, source) for part in parsed.args))
    if isinstance(parsed, ConditionOR):
        return Or(tuple(tree_of(part, source) for part in parsed.args))
    if isinstance(parsed, ConditionNOT):
        return Not(tree_of(parsed.args[0], source))
    if isinstance(parsed, ConditionValueExpression):
        return _keyword(parsed.value)
    if isinstance(parsed, ConditionFieldEqualsValueExpression):
        return _test(source.field(parsed.field), parsed.value, source)
    raise RuleError(f"a condition holds {type(parsed).__name__}, which is not supported")


def _keyword(value: Any) -> Node:
    """A keyword stands anywhere in the line as it was received."""
    if isinstance(value, SigmaNumber):
        return FieldTest(LINE, "contains", str(value))
    if isinstance(value, SigmaExpansion):
        return Or(tuple(_keyword(one) for one in value.values))
    if isinstance(value, SigmaString):
        found = _text(LINE, value)
        if found.operator == "like":
            return FieldTest(LINE, "like", (None, *found.value, None), found.cased)
        return (
            found if found.operator in ("exists", "absent") else FieldTest(LINE, "contains", found.value, found.cased)
        )
    if isinstance(value, SigmaRegularExpression):
        return _pattern(LINE, value)
    raise RuleError(f"a keyword is a {type(value).__name__}, which is not supported")


def _test(field: str, value: Any, source: LogSource) -> Node:
    if isinstance(value, SigmaExpansion):
        return Or(tuple(_test(field, one, source) for one in value.values))
    if isinstance(value, SigmaString):
        return _text(field, value)
    if isinstance(value, SigmaRegularExpression):
        return _pattern(field, value)
    if isinstance(value, SigmaBool):
        return FieldTest(field, "equals", str(bool(value)).lower())
    if isinstance(value, SigmaTimestampPart):
        raise RuleError(f"field {field}: parts of times (minute, hour, day, ...) are not supported")
    if isinstance(value, SigmaCompareExpression):
        return FieldTest(field, "compare", (value.op.name.lower(), value.number.number))
    if isinstance(value, SigmaNumber):
        return FieldTest(field, "number", value.number)
    if isinstance(value, SigmaCIDRExpression):
        return FieldTest(field, "cidr", value.network)
    if isinstance(value, SigmaExists):
        return FieldTest(field, "exists" if bool(value) else "absent")
    if isinstance(value, SigmaNull):
        return FieldTest(field, "absent")
    if isinstance(value, SigmaFieldReference):
        how = "begins" if value.starts_with else "ends" if value.ends_with else "equals"
        return FieldTest(field, "same", (source.field(value.field), how))
    raise RuleError(f"field {field} is compared with a {type(value).__name__}, which is not supported")


def _text(field: str, value: SigmaString) -> FieldTest:
    cased = isinstance(value, SigmaCasedString)
    parts = tuple(_part(part, cased) for part in value.s)
    texts = [part for part in parts if isinstance(part, str)]
    if not parts:
        return FieldTest(field, "absent")
    if all(part is None for part in parts):
        return FieldTest(field, "exists")
    if len(texts) == 1 and False not in parts and len(parts) <= 3:
        operators: dict[tuple[bool, bool], Operator] = {
            (False, False): "equals",
            (True, True): "contains",
            (True, False): "ends",
            (False, True): "begins",
        }
        return FieldTest(field, operators[parts[0] is None, parts[-1] is None], texts[0], cased)
    return FieldTest(field, "like", parts, cased)


def _part(part: Any, cased: bool) -> str | Literal[False] | None:
    """A piece of a text with wildcards: text, None for any text, False for one character."""
    if isinstance(part, str):
        return part if cased else fold(part)
    if part is SpecialChars.WILDCARD_MULTI:
        return None
    if part is SpecialChars.WILDCARD_SINGLE:
        return False
    raise RuleError(f"placeholder %{getattr(part, 'name', part)}% has no values")


def _pattern(field: str, value: SigmaRegularExpression) -> FieldTest:
    """RE2 runs in time linear in the text, so that no rule can hold up a worker; what it cannot do is refused."""
    flags = "".join(sorted(flag.name[0].lower() for flag in value.flags)).replace("d", "s")
    pattern = (f"(?{flags})" if flags else "") + str(value.regexp.original)
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise RuleError(f"the pattern {pattern!r} is none of RE2: {error}; look-around is not supported") from None
    return FieldTest(field, "matches", pattern)
