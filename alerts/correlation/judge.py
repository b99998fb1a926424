"""Judges matches by all rules: gathers those of one rule in alerts, and feeds correlations.

This is the whole of detection in memory, and the same code for live events, backtests and the tests of rules. What it
holds follows from the matches and the times it was given; who keeps it (`groups`, by rule and key) writes what changed
(`dirty`) wherever it must outlive a process.

Groups are chosen by strangers: an attacker invents users. So a rule has at most `MOST_GROUPS` groups; matches of
further ones are counted in `overflow`, by rule, and shown.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from alerts.alert import LONGEST_LINE, Evidence, OpenAlert
from alerts.correlation.groups import Group, Opened, Place
from alerts.correlation.windows import LATENESS, SECOND, Occurrence
from alerts.engine.engines import Match
from alerts.engine.predicate import Getter
from alerts.rules.correlation import Correlation, Stage
from alerts.rules.load import RuleSet
from alerts.rules.model import Rule

MOST_GROUPS = 100_000
LONGEST_NAME = 256
"""Characters of a part of a group's key; what is longer is cut."""
_MINUTE = 60 * SECOND
_DEFAULT_GROUPS = ("source.ip", "user.name", "host.hostname")
"""What matches of a rule that names no group are gathered by: the first of these that the event has."""

Key = tuple[str, tuple[str, ...]]
"""A rule's id, and the values of what it groups by."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an alert: it was opened (`new`), has one match more, or is `closed`."""

    rule: Rule | Correlation
    key: tuple[str, ...]
    alert: OpenAlert
    new: bool = False
    closed: bool = False


class Judge:
    """All rules of a set, and their groups. `late` counts matches by rule that came too late, or from the future."""

    def __init__(self, rules: RuleSet, most_groups: int = MOST_GROUPS) -> None:
        self._rules, self._most = rules, most_groups
        self.groups: dict[Key, Group] = {}
        self.dirty: set[Key] = set()
        self.overflow, self.late = Counter[str](), Counter[str]()
        self._numbers = Counter[str]()
        self._users: dict[str, list[tuple[Correlation, int, Stage]]] = defaultdict(list)
        for correlation in rules.correlations.values():
            for number, stage in enumerate(correlation.stages):
                self._users[stage.rule].append((correlation, number, stage))
        self._calendar: dict[int, set[Key]] = defaultdict(set)
        self._looked = 0

    def see(self, match: Match, place: Place) -> list[Change]:
        """Take a match that was read at `place`; what it did to alerts."""
        rule, get = match.rule, match.get
        evidence = _evidence(get)
        if not place.now - LATENESS <= evidence.at <= place.now + LATENESS:
            self.late[rule.id] += 1
            return []
        found: list[Change] = []
        if not rule.silent:
            found += self._take(rule, _key(rule, get), Occurrence(0, evidence.at), place, evidence)
        for correlation, number, stage in self._users.get(rule.id, ()):
            key = tuple(_first(get, name) for name in stage.group)
            value = _first(get, stage.value) if stage.value else ""
            if all(key):
                seen = Occurrence(number, evidence.at, value, place.offset)
                found += self._take(correlation, key, seen, place, evidence)
        return found

    def _take(
        self, rule: Rule | Correlation, key: tuple[str, ...], seen: Occurrence, place: Place, evidence: Evidence
    ) -> Iterator[Change]:
        group = self._group(rule, key, place.now)
        if group is None:
            return
        opened = group.see(seen, place, evidence)
        self.dirty.add((rule.id, key))
        if opened is None:
            return
        if not rule.silent:
            yield Change(rule, key, opened.alert, opened.new)
        if opened.new and isinstance(rule, Correlation):
            yield from self._feed(rule, key, opened, place, evidence)

    def _feed(
        self, inner: Correlation, key: tuple[str, ...], opened: Opened, place: Place, evidence: Evidence
    ) -> Iterator[Change]:
        """An alert of a correlation is a match, at the end of its window, for those that are about it."""
        fields = dict(zip(inner.group_by, key, strict=True))
        for outer, number, stage in self._users.get(inner.id, ()):
            outer_key = tuple(fields[name] for name in stage.group)
            seen = Occurrence(number, opened.alert.window.end, fields.get(stage.value, ""), place.offset)
            yield from self._take(outer, outer_key, seen, place, evidence)

    def _group(self, rule: Rule | Correlation, key: tuple[str, ...], now: int) -> Group | None:
        group = self.groups.get((rule.id, key))
        if group is None:
            if self._numbers[rule.id] >= self._most:
                self.overflow[rule.id] += 1
                return None
            group = self.add(rule, key, now)
        return group

    def add(self, rule: Rule | Correlation, key: tuple[str, ...], now: int) -> Group:
        """A new group, or one that is about to be restored."""
        group = self.groups[rule.id, key] = Group(rule, key)
        self._numbers[rule.id] += 1
        self._calendar[now // _MINUTE + 1].add((rule.id, key))
        return group

    def expire(self, now: int) -> Iterator[Change]:
        """Close alerts that nothing came for, and forget groups that cannot count any more, at `now`, the log's time.

        Looks once a minute at groups that are due.
        """
        minute = now // _MINUTE
        if minute <= self._looked:
            return
        self._looked = minute
        for due in sorted(one for one in self._calendar if one <= minute):
            for name in sorted(self._calendar.pop(due)):
                yield from self._look(name, now)

    def _look(self, name: Key, now: int) -> Iterator[Change]:
        group = self.groups.get(name)
        if group is None:
            return
        rule = self._rules.rules.get(name[0]) or self._rules.correlations[name[0]]
        alert = group.close(now)
        if alert is not None:
            self.dirty.add(name)
            if not rule.silent:
                yield Change(rule, name[1], alert, closed=True)
        if group.over(now, LATENESS):
            del self.groups[name]
            self._numbers[name[0]] -= 1
            self.dirty.add(name)
        else:
            self._calendar[now // _MINUTE + 1].add(name)


def _key(rule: Rule, get: Getter) -> tuple[str, ...]:
    if rule.group_by:
        return tuple(_first(get, name) for name in rule.group_by)
    return (next((text for name in _DEFAULT_GROUPS if (text := _first(get, name))), ""),)


def _first(get: Getter, field: str) -> str:
    texts = get(field)
    return texts[0][:LONGEST_NAME] if texts else ""


def _evidence(get: Getter) -> Evidence:
    topic, partition, offset = (_first(get, f"ogrewatch.raw.{part}") for part in ("topic", "partition", "offset"))
    line = "".join(get("event.original")[:1])[:LONGEST_LINE]
    return Evidence(f"{topic}-{partition}-{offset}", int(_first(get, "@timestamp") or 0), line)
