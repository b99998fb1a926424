"""Describes rules for people and for the API."""

from typing import Any

from alerts.rules.correlation import Correlation
from alerts.rules.load import RuleSet
from alerts.rules.model import Rule

LEVELS = ("critical", "high", "medium", "low", "informational")


def described(rules: RuleSet) -> list[dict[str, Any]]:
    """All rules and correlations, the most severe first, then by name. Members are those of docs/api.md."""
    both: list[Rule | Correlation] = [*rules.rules.values(), *rules.correlations.values()]
    return sorted(map(_described, both), key=lambda one: (severity(one["level"]), one["name"]))


def severity(level: str) -> int:
    """The place of a level, 0 for the most severe."""
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _described(rule: Rule | Correlation) -> dict[str, Any]:
    about = rule.about
    found = {
        "id": rule.id, "name": rule.name, "title": about.title, "level": about.level, "revision": rule.revision,
        "kind": "event" if isinstance(rule, Rule) else rule.kind, "alerts": not rule.silent,
        "description": about.description, "author": about.author, "license": about.license,
        "references": list(about.references), "tags": list(about.tags), "runbook": about.runbook,
        "group_by": list(rule.group_by),
    }  # fmt: skip
    if isinstance(rule, Correlation):
        return {**found, "timespan": rule.span, "limit": rule.threshold.limit}
    return {**found, "log_source": rule.source.name}
