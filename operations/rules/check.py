"""Finds what is wrong with the rules of a folder, runs their tests and lists them.

Without a folder, the packaged rules of `alerts/pack` are taken.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from agents.settings import Settings
from alerts.engine.engines import always_decoded, staged_engines
from alerts.rules.errors import RuleError
from alerts.rules.load import Example, RuleSet
from operations.rules.examples import Examples

_LEVELS = ("critical", "high", "medium", "low", "informational")
_NO_LITERAL = (
    "has no literal of three characters that every match contains, so every event would have to be decoded; "
    "ask for a longer one too, or accept the cost with `allow_slow: true`"
)


class Problem(NamedTuple):
    """Something that is wrong: `where` names a file and a rule, as far as they are known."""

    where: str
    reason: str


class Listed(NamedTuple):
    """One rule or correlation; `kind` is "event" or the type of the correlation."""

    level: str
    name: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of one test, which is the `number`-th of its rule. `reason` is "" when it passed."""

    rule: str
    number: int
    reason: str


def problems(rules: RuleSet) -> list[Problem]:
    """Rules that are refused, and rules without a literal that do not say `allow_slow`."""
    refused = [Problem(error.where, error.reason) for error in rules.refused]
    slow = always_decoded(staged_engines(rules.rules.values()))
    return refused + [Problem(rule.name, _NO_LITERAL) for rule in slow if not rule.allow_slow]


def run_tests(rules: RuleSet, settings: Settings) -> Iterator[Tested]:
    """The result of each test, in the order of the files. Does not raise: a test that cannot be run has failed."""
    examples, numbers = Examples(rules, settings), dict[str, int]()
    for example in rules.examples:
        number = numbers[example.rule] = numbers.get(example.rule, 0) + 1
        yield Tested(name_of(rules, example.rule), number, _failure(examples, example))


def _failure(examples: Examples, example: Example) -> str:
    try:
        outcome = examples.run(example)
    except RuleError as error:
        return f"{error}"
    return "" if outcome.passed else f"{outcome.found} alerts instead of {outcome.expected}"


def listed(rules: RuleSet) -> list[Listed]:
    """All rules and correlations, the most severe first, then by name."""
    found = [Listed(one.about.level, one.name, "event", one.about.title) for one in rules.rules.values()]
    found += [Listed(one.about.level, one.name, one.kind, one.about.title) for one in rules.correlations.values()]
    return sorted(found, key=lambda one: (_LEVELS.index(one.level) if one.level in _LEVELS else len(_LEVELS), one.name))


def name_of(rules: RuleSet, identity: str) -> str:
    """The name of a rule or correlation; raises `KeyError` for an id that no rule has."""
    return (rules.rules.get(identity) or rules.correlations[identity]).name
