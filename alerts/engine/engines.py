"""Judges encoded events of one type by all rules that can apply to it.

`PlainEngine` decodes every event and asks every rule: it defines the answer. `StagedEngine` gives the same answer and
decodes few events, because decoding costs more than all rules together:

1. One scan of the whole batch for a literal of each rule's witness (`alerts.engine.scanner`).
2. Where one was seen: all of the rule's literals, and the name of its dataset, are looked for in the event's bytes.
3. What is left is decoded, and the exact condition decides.

Rules about nothing but the header of login attempts take a way of their own (`alerts.engine.attempts`): half of all
events may be failed logins, and their header is read in a tenth of the time that decoding takes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from alerts.engine.attempts import AttemptRules, about_attempts
from alerts.engine.literals import ORDINARY, SHORTEST, Literals, Sieve, sieve, witness
from alerts.engine.predicate import predicate
from alerts.engine.scanner import make_scanner
from alerts.engine.view import EventView, Match
from alerts.rules.model import Rule
from topics.avro.codec import current
from topics.fields import TYPES

DATASET = "event.dataset"


class Engine(Protocol):
    """Judges events of one type."""

    def match(self, values: Sequence[bytes]) -> list[Match]:
        """The matches of a batch, by place and then in the order of the rules. Raises `CodecError`."""
        ...


def staged_engines(rules: Collection[Rule], kinds: Iterable[str] = TYPES) -> "dict[str, StagedEngine]":
    """The engines of some types of events, by type."""
    return {kind: StagedEngine(kind, rules) for kind in kinds}


def always_decoded(engines: "Mapping[str, StagedEngine]") -> list[Rule]:
    """Rules for which an engine has to decode every event of its type, each rule once."""
    return list({rule.id: rule for engine in engines.values() for rule in engine.always}.values())


class PlainEngine:
    """Decodes every event and asks every rule."""

    def __init__(self, kind: str, rules: Iterable[Rule]) -> None:
        self._rules = [(rule, predicate(rule.condition)) for rule in rules if kind in rule.source.types]

    def match(self, values: Sequence[bytes]) -> list[Match]:
        """As `Engine.match`."""
        found = []
        for place, value in enumerate(values):
            view = EventView(value)
            dataset = "".join(view.get(DATASET))
            found += [
                Match(place, rule, view) for rule, holds in self._rules if rule.source.has(dataset) and holds(view.get)
            ]
        return found


class StagedEngine:
    """Decodes only events for which a rule may hold. `always` names the rules that nothing can be ruled out for.

    `sample` is bytes of ordinary events in small letters: of several literals, those rare in it are looked for.
    """

    def __init__(self, kind: str, rules: Iterable[Rule], sample: bytes = ORDINARY) -> None:
        mine = [rule for rule in rules if kind in rule.source.types]
        self._order = {rule.id: number for number, rule in enumerate(mine)}
        self._attempts = AttemptRules([rule for rule in mine if about_attempts(rule)])
        self._rules = [rule for rule in mine if not about_attempts(rule)]
        self._holds = [predicate(rule.condition) for rule in self._rules]
        self._sieves = [_sieves(rule) for rule in self._rules]
        by_literal: dict[bytes, set[int]] = defaultdict(set)
        self._always: set[int] = set()
        for number, rule in enumerate(self._rules):
            literals = _witness(rule, sample)
            if literals is None:
                self._always.add(number)
            for literal in literals or ():
                by_literal[literal].add(number)
        self._of_literal = list(by_literal.values())
        self._scanner = make_scanner(list(by_literal))

    @property
    def always(self) -> list[Rule]:
        """Rules for which every event of their types has to be decoded."""
        return [self._rules[number] for number in sorted(self._always)]

    def match(self, values: Sequence[bytes]) -> list[Match]:
        """As `Engine.match`."""
        today = [current(value)[1] for value in values]
        found, others = list(self._attempts.match(today)), list[Match]()
        for place, numbers in self._candidates(today):
            others += self._judge(place, today[place], numbers)
        if others:
            found += others
            found.sort(key=lambda match: (match.place, self._order[match.rule.id]))
        return found

    def _candidates(self, values: Sequence[bytes]) -> Iterator[tuple[int, set[int]]]:
        seen = self._scanner.scan(values)
        for place in range(len(values)) if self._always else sorted(seen):
            numbers = set(self._always)
            for literal in seen.get(place, ()):
                numbers |= self._of_literal[literal]
            yield place, numbers

    def _judge(self, place: int, value: bytes, numbers: set[int]) -> list[Match]:
        lowered = value.lower()
        left = [number for number in numbers if all(may(lowered) for may in self._sieves[number])]
        if not left:
            return []
        view = EventView(value)
        dataset = "".join(view.get(DATASET))
        return [
            Match(place, self._rules[number], view)
            for number in left
            if self._rules[number].source.has(dataset) and self._holds[number](view.get)
        ]


def _witness(rule: Rule, sample: bytes) -> Literals | None:
    """Literals one of which stands in every event that a rule matches; its datasets' names if there are no others."""
    found = witness(rule.condition, sample)
    if found is None and rule.source.datasets and min(map(len, rule.source.datasets)) >= SHORTEST - 1:
        return frozenset(name.encode() for name in rule.source.datasets)
    return found


def _sieves(rule: Rule) -> tuple[Sieve, ...]:
    whole = sieve(rule.condition)
    names = tuple(name.encode() for name in rule.source.datasets)
    found = [] if whole is None else [whole]
    if names:
        found.append(lambda value: any(name in value for name in names))
    return tuple(found)
