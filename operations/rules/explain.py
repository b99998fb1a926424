"""Says why a rule holds for a line or does not: every test with the value that it saw, and how full windows are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agents.settings import Settings
from alerts.correlation.groups import Place
from alerts.correlation.judge import AnyRule, Judge
from alerts.engine.engines import DATASET, StagedEngine, staged_engines
from alerts.engine.predicate import Getter, predicate
from alerts.engine.view import EventView
from alerts.rules.condition import FieldTest, Node, Not, Or
from alerts.rules.correlation import Correlation
from alerts.rules.errors import RuleError
from alerts.rules.load import RuleSet
from alerts.rules.model import Rule
from operations.rules.lines import Encoded, LineEncoder
from topics.documents.ecs import iso

_SIGNS = {"gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "eq": "=", "neq": "!="}
_WORDS = {
    "equals": "is", "contains": "contains", "begins": "begins with", "ends": "ends with", "number": "is",
    "matches": "matches the pattern", "cidr": "is in",
}  # fmt: skip
_LONGEST = 200  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a condition: what it asks, whether it holds, what the event has, and its own parts."""

    text: str
    holds: bool
    seen: str = ""
    parts: "tuple[Step, ...]" = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """What one rule says of one line. `why` names the tests that decided, each with the value that was seen."""

    rule: str
    line: str
    holds: bool
    why: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The window of a correlation that is nearest to its condition, for one group. Times are ISO 8601."""

    group: dict[str, str]
    found: float
    wanted: str
    begin: str
    end: str
    alert: str


@dataclass(slots=True)
class Explanation:
    """What a rule is, what its parts say of each line, and for a correlation, how full its windows are."""

    name: str
    kind: str
    about: list[str]
    judged: list[Judged] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def find(rules: RuleSet, called: str) -> AnyRule:
    """The rule with a name, a title or an id. Raises `RuleError`."""
    everything: list[AnyRule] = [*rules.rules.values(), *rules.correlations.values()]
    for rule in everything:
        if called in (rule.id, rule.name, rule.about.title):
            return rule
    raise RuleError(f"no rule is called {called!r}; `ogrewatch rules list` lists them")


def explain(rules: RuleSet, rule: AnyRule, lines: Iterable[bytes], received: int, settings: Settings) -> Explanation:
    """What a rule says of lines that were received at `received`, microseconds since 1970."""
    encoder = LineEncoder(settings)
    events = [(line.decode(errors="replace"), encoder.encode(line, received)) for line in lines]
    found = Explanation(rule.name, "event" if isinstance(rule, Rule) else rule.kind, about(rules, rule))
    for single in singles(rules, rule):
        found.judged += [judged(single, line, event) for line, event in events]
    if isinstance(rule, Correlation) and events:
        found.groups = list(_groups(rules, rule, [event for _, event in events]))
    return found


def met(rules: RuleSet, event: Encoded) -> list[Rule]:
    """The rules that hold for an event."""
    return [match.rule for match in StagedEngine(event.kind, rules.rules.values()).match([event.value])]


def singles(rules: RuleSet, rule: AnyRule) -> list[Rule]:
    """The rules over single events that a rule rests on, itself if it is one; each of them only once."""
    if isinstance(rule, Rule):
        return [rule]
    found: dict[str, Rule] = {}
    for stage in rule.stages:
        inner = rules.rules.get(stage.rule) or rules.correlations[stage.rule]
        found |= {one.id: one for one in singles(rules, inner)}
    return list(found.values())


def about(rules: RuleSet, rule: AnyRule) -> list[str]:
    """A rule in sentences."""
    told = [f"{rule.about.title} (level {rule.about.level}, id {rule.id}, revision {rule.revision})"]
    if isinstance(rule, Correlation):
        names = [(rules.rules.get(stage.rule) or rules.correlations[stage.rule]).name for stage in rule.stages]
        told.append(f"{rule.kind} of {', '.join(names)} within {rule.span:g} s, {_wanted(rule)}")
        told.append(f"grouped by {', '.join(rule.group_by) or 'nothing: all matches are one group'}")
        crossing = "mostly in one partition" if rule.local else "in several; matches are forwarded to its home"
        told.append(f"events of a group are {crossing}")
    else:
        told.append(f"log source {rule.source.name}: {', '.join(sorted(rule.source.types))}")
    if rule.silent:
        told.append("raises no alert by itself: it feeds correlations")
    return told


def judged(rule: Rule, line: str, event: Encoded) -> Judged:
    """What a rule says of an event."""
    get = EventView(event.value).get
    dataset = "".join(get(DATASET))
    source = (
        Step(f"type is one of {', '.join(sorted(rule.source.types))}", event.kind in rule.source.types, event.kind),
        Step(f"log source is {rule.source.name}", rule.source.has(dataset), dataset or "(absent)"),
    )  # fmt: skip
    steps = (*source, step(rule.condition, get))
    holds = all(one.holds for one in steps)
    return Judged(rule.name, line, holds, () if holds else tuple(_reasons(steps)), steps)


def step(node: Node, get: Getter) -> Step:
    """A condition with all its parts, as an event meets them."""
    holds = predicate(node)(get)
    if isinstance(node, FieldTest):
        return Step(test_text(node), holds, _seen(node, get))
    if isinstance(node, Not):
        return Step("not", holds, "", (step(node.part, get),))
    return Step(
        "one of" if isinstance(node, Or) else "all of", holds, "", tuple(step(part, get) for part in node.parts)
    )


def _reasons(steps: Iterable[Step]) -> Iterator[str]:
    """The tests for which a condition does not hold; below `not`, those for which its part does."""
    for one in steps:
        if not one.holds:
            yield from _reason(one, wanted=True)


def _reason(one: Step, wanted: bool) -> Iterator[str]:
    if one.text == "not" and one.parts:
        yield from _reason(one.parts[0], not wanted)
    elif one.parts:
        for part in one.parts:
            if part.holds != wanted:
                yield from _reason(part, wanted)
    else:
        yield f"{one.text}: {'no' if wanted else 'yes, but it must not'}; the event has {one.seen}"


def test_text(test: FieldTest) -> str:
    """A test in words."""
    value: Any = test.value
    if test.operator in ("exists", "absent"):
        return f"{test.field} {'is there' if test.operator == 'exists' else 'is absent'}"
    if test.operator == "compare":
        return f"{test.field} {_SIGNS[value[0]]} {value[1]:g}"
    if test.operator == "same":
        other, how = value
        return f"{test.field} {_WORDS[how]} the value of {other}"
    if test.operator == "like":
        shown = "".join(part if isinstance(part, str) else "*" if part is None else "?" for part in value)
        return f"{test.field} is like {shown!r}"
    shown = repr(value) if isinstance(value, str) else str(value)
    return f"{test.field} {_WORDS[test.operator]} {shown}{' (case counts)' if test.cased else ''}"


def _seen(test: FieldTest, get: Getter) -> str:
    names = (test.field, test.value[0]) if test.operator == "same" else (test.field,)
    return "; ".join(_shown(name, get) if len(names) > 1 else _values(get(name)) for name in names)


def _shown(name: str, get: Getter) -> str:
    return f"{name} {_values(get(name))}"


def _values(texts: tuple[str, ...]) -> str:
    return ", ".join(repr(text[:_LONGEST]) for text in texts) or "(absent)"


def tree(steps: Iterable[Step], depth: int = 0) -> Iterator[str]:
    """Steps as lines of text, with parts indented."""
    for one in steps:
        yield f"{'yes' if one.holds else 'NO '} {'  ' * depth}{one.text}{f'  <- {one.seen}' if one.seen else ''}"
        yield from tree(one.parts, depth + 1)


def _groups(rules: RuleSet, rule: Correlation, events: list[Encoded]) -> Iterator[Group]:
    """The groups of a correlation after events, each of which is read when it happened."""
    judge, now = Judge(rules), 0
    engines = staged_engines(rules.rules.values())
    for offset, event in enumerate(events):
        now = max(now, event.at)
        for match in engines[event.kind].match([event.value]):
            judge.see(match, Place(0, offset, now))
    for (identity, _, *key), group in judge.groups.items():
        window = group.tally.fullest() if identity == rule.id and group.tally is not None else None
        if window is not None:
            named = dict(zip(rule.group_by, key, strict=True))
            alert = "" if group.alert is None else group.alert.id
            yield Group(named, window.found, _wanted(rule), iso(window.begin), iso(window.end), alert)


def _wanted(rule: Correlation) -> str:
    if rule.kind.startswith("temporal"):
        return f"all {len(rule.stages)}" + (" in this order" if rule.kind == "temporal_ordered" else "")
    return f"{_SIGNS[rule.threshold.operator]} {rule.threshold.limit:g}"
