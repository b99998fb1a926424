"""Reads rule files: Sigma rules, correlations and filters in YAML, and what Ogrewatch adds to them.

A file holds one or more documents. One of them may be ours, `ogrewatch:`, about the rules of its file:

    ogrewatch:
        rule: NAME               # which rule of the file it is about; all that raise alerts when it is left out
        group-by: [source.ip]    # how matches of a rule without correlation become one alert
        suppress: 10m            # at most one revision of an alert in this time
        runbook: TEXT            # what to do
        allow_slow: true         # accept a rule for which every event has to be decoded
        tests: [...]             # see `alerts.rules.examples`

Nothing in a file is executed, fetched or included. Files are data of strangers: sizes and nesting are bounded.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule, SigmaRuleBase

from alerts.rules.condition import Node, Or, tree_of
from alerts.rules.correlation import DEEPEST, KINDS, Correlation, Stage, Threshold
from alerts.rules.errors import RuleError
from alerts.rules.model import About, Rule
from alerts.rules.sources import LogSource, source_of

PACK = Path(__file__).parents[1] / "pack"
"""The packaged rules."""
LARGEST = 256 << 10
"""Bytes of a file."""
_SPAN = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LONGEST_SPAN = 7 * 86_400.0
_FROM_BELOW = ("gt", "gte")
_OURS = {"rule", "group-by", "suppress", "runbook", "allow_slow", "tests", "block"}


@dataclass(frozen=True, slots=True)
class Example:
    """A test that a rule brings along, as it stands in the file."""

    rule: str
    content: dict[str, Any]


@dataclass(slots=True)
class RuleSet:
    """Rules and correlations, by id, and what could not be read. Correlations come after what they are about."""

    rules: dict[str, Rule] = field(default_factory=dict)
    correlations: dict[str, Correlation] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)
    refused: list[RuleError] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rules) + len(self.correlations)


def load_folder(folder: Path) -> RuleSet:
    """All rule files below a folder. What is wrong with one is in `refused`, and the others are read.

    A ConfigMap of Kubernetes has its files once more in a folder whose name begins with two dots: that is passed over.
    """
    found = RuleSet()
    for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
        if any(part.startswith("..") for part in path.relative_to(folder).parts):
            continue
        if path.stat().st_size > LARGEST:
            found.refused.append(RuleError(f"larger than {LARGEST} bytes", path.name))
        else:
            add_file(found, path.read_bytes(), path.name)
    return found


def add_file(found: RuleSet, text: bytes, name: str) -> None:
    """Add the rules of a file to a set, or what is wrong with it to `refused`. Does not raise."""
    try:
        documents = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one is not None]
        if not all(isinstance(one, dict) for one in documents):
            raise RuleError("a document is no mapping")
        ours = [_checked(one["ogrewatch"]) for one in documents if "ogrewatch" in one]
        parsed = SigmaCollection.from_dicts([one for one in documents if "ogrewatch" not in one])
    except RuleError as error:
        found.refused.append(RuleError(error.reason, name))
    except (yaml.YAMLError, SigmaError, RecursionError, ValueError, TypeError, KeyError, AttributeError) as error:
        found.refused.append(RuleError(f"{type(error).__name__}: {error}", name))
    else:
        found.refused += [RuleError(reason, name) for reason in _about_nothing(parsed, ours)]
        for rule in parsed.rules:
            _add(found, rule, name, ours)


def _about_nothing(parsed: SigmaCollection, ours: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with documents of ours that are about a rule which is not in their file."""
    names = set().union(*map(_names, parsed.rules)) if parsed.rules else set()
    for one in ours:
        if "rule" in one and one["rule"] not in names:
            near = get_close_matches(one["rule"], names, 1)
            meant = f"; is {near[0]!r} meant?" if near else ""
            yield f"`ogrewatch` is about the rule {one['rule'][:100]!r}, which is not in this file{meant}"


def _checked(ours: Any) -> dict[str, Any]:
    if not isinstance(ours, dict):
        raise RuleError("`ogrewatch` is no mapping")
    if strange := ours.keys() - _OURS:
        raise RuleError(f"`ogrewatch` knows no {', '.join(map(str, sorted(strange, key=str)))}")
    if not isinstance(ours.get("rule", ""), str):
        raise RuleError("`rule` of `ogrewatch` is no name, title or id")
    return ours


def _add(found: RuleSet, parsed: SigmaRule | SigmaCorrelationRule, name: str, ours: list[dict[str, Any]]) -> None:
    where = f"{name}: {parsed.title}"
    settings = _settings(parsed, ours)
    try:
        identity = _identity(parsed)
        if identity in found.rules or identity in found.correlations:
            raise RuleError(f"id {identity} is there already")
        if isinstance(parsed, SigmaCorrelationRule):
            found.correlations[identity] = _correlation(found, parsed, identity, settings)
        else:
            found.rules[identity] = _rule(parsed, identity, settings)
        found.examples += [Example(identity, one) for one in settings.get("tests", ()) if isinstance(one, dict)]
    except RuleError as error:
        found.refused.append(RuleError(error.reason, where))
    except (SigmaError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        found.refused.append(RuleError(f"{type(error).__name__}: {error}", where))


def _settings(parsed: SigmaRuleBase, ours: list[dict[str, Any]]) -> dict[str, Any]:
    names = _names(parsed)
    merged: dict[str, Any] = {}
    for one in ours:
        if one.get("rule", parsed.title) in names and not ("rule" not in one and _only_feeds(parsed)):
            merged |= one
    return merged


def _names(parsed: SigmaRuleBase) -> set[str]:
    """What a document of ours may call a rule."""
    return {text for text in (parsed.name, parsed.title, str(parsed.id)) if text}


def _only_feeds(parsed: SigmaRuleBase) -> bool:
    """Whether a rule exists for correlations: it is referred to, and none of those asks for its own alerts."""
    users = [one for one in parsed._backreferences if isinstance(one, SigmaCorrelationRule)]
    return bool(users) and not any(one.generate for one in users)


def _identity(parsed: SigmaRuleBase) -> str:
    if parsed.id is None:
        raise RuleError("there is no id; `uuidgen` makes one")
    return str(parsed.id)


def _rule(parsed: SigmaRule, identity: str, settings: dict[str, Any]) -> Rule:
    log = parsed.logsource
    source = source_of(log.product, log.category, log.service)
    trees = tuple(_tree(condition.parsed, source) for condition in parsed.detection.parsed_condition)
    return Rule(
        identity,
        parsed.name or parsed.title,
        _about(parsed, settings),
        source,
        trees[0] if len(trees) == 1 else Or(trees),
        silent=_only_feeds(parsed),
        allow_slow=settings.get("allow_slow") is True,
        group_by=tuple(source.field(str(name)) for name in _list(settings.get("group-by"))),
        suppress=_span(settings.get("suppress", "5m")),
    )


def _tree(parsed: Any, source: LogSource) -> Node:
    if parsed is None:
        raise RuleError("a condition is empty")
    return tree_of(parsed, source)


def _about(parsed: SigmaRuleBase, settings: dict[str, Any]) -> About:
    return About(
        parsed.title,
        str(parsed.level or "medium").lower(),
        parsed.description or "",
        str(parsed.author or ""),
        parsed.license or "",
        tuple(map(str, parsed.references or ())),
        tuple(map(str, parsed.tags or ())),
        tuple(map(str, parsed.falsepositives or ())),
        str(settings.get("runbook") or ""),
    )


def _correlation(found: RuleSet, parsed: SigmaCorrelationRule, identity: str, settings: dict[str, Any]) -> Correlation:
    kind = parsed.type.name.lower() if parsed.type is not None else ""
    if kind not in KINDS:
        raise RuleError(f"correlations of type {kind} are not supported")
    if not isinstance(parsed.condition, SigmaCorrelationCondition):
        raise RuleError("extended conditions are not supported")
    if parsed.condition.op.name.lower() not in _FROM_BELOW:
        raise RuleError("a condition other than gt and gte is only known when its window is over: it is not supported")
    if parsed.timespan.seconds > _LONGEST_SPAN:
        raise RuleError("a timespan is longer than 7 days")
    group_by = tuple(parsed.group_by or ())
    stages = tuple(_stages(found, parsed, group_by))
    condition = parsed.condition
    return Correlation(
        identity,
        parsed.name or parsed.title,
        _about(parsed, settings),
        kind,
        stages,
        group_by,
        float(parsed.timespan.seconds),
        Threshold(condition.op.name.lower(), condition.count, condition.percentile or 50),
        generate=parsed.generate,
        silent=_only_feeds(parsed),
        suppress=_span(settings.get("suppress", "5m")),
    )


def _stages(found: RuleSet, parsed: SigmaCorrelationRule, group_by: tuple[str, ...]) -> Iterator[Stage]:
    aliases = {alias.alias: {ref.reference: name for ref, name in alias.mapping.items()} for alias in parsed.aliases}
    condition = parsed.condition
    wanted = condition.fieldref if isinstance(condition, SigmaCorrelationCondition) else None
    value = wanted[0] if isinstance(wanted, list) else wanted or ""
    for reference in parsed.rules or ():
        rule, identity = reference.rule, _identity(reference.rule)
        called = (reference.reference, rule.name or "", identity)
        wanted_names = (*group_by, *([value] if value else []))
        names = [_alias(aliases.get(name, {}), called, name) for name in wanted_names]
        fields = tuple(_fields(found, identity, names, group_by))
        yield Stage(identity, fields[: len(group_by)], fields[len(group_by)] if value else "")


def _alias(mapping: dict[str, str], called: Iterable[str], name: str) -> str:
    """The field that a name stands for in a rule, which an alias may call by name or id."""
    return next((mapping[one] for one in called if one in mapping), name)


def _fields(found: RuleSet, identity: str, names: Iterable[str], group_by: tuple[str, ...]) -> Iterator[str]:
    """The ECS names of fields of a stage; those of a correlation are the names that it groups by."""
    if identity in found.rules:
        yield from (found.rules[identity].source.field(name) for name in names)
    elif identity in found.correlations:
        inner = found.correlations[identity]
        if _depth(found, identity) >= DEEPEST:
            raise RuleError(f"correlations refer to each other over more than {DEEPEST} levels")
        for name in names:
            if name not in inner.group_by:
                raise RuleError(f"correlation {inner.name} does not group by {name}")
            yield name
    else:
        raise RuleError(f"it is about rule {identity}, which was refused or comes later")


def _depth(found: RuleSet, identity: str) -> int:
    if identity not in found.correlations:
        return 0
    return 1 + max((_depth(found, stage.rule) for stage in found.correlations[identity].stages), default=0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _span(text: Any) -> float:
    match = _SPAN.fullmatch(str(text))
    if match is None:
        raise RuleError(f"{text!r} is no time span such as 10m")
    return float(int(match[1]) * _SECONDS[match[2]])


def without_slow(found: RuleSet, slow: Iterable[Rule]) -> None:
    """Refuse rules for which every event would have to be decoded, unless they say `allow_slow`."""
    for rule in slow:
        if not rule.allow_slow and rule.id in found.rules:
            del found.rules[rule.id]
            reason = (
                "nothing in it can be looked for in encoded events, so all would be decoded; `allow_slow` allows it"
            )
            found.refused.append(RuleError(reason, rule.about.title))
