"""Judges matches by all rules: gathers those of one rule in alerts, and feeds correlations.

This is the whole of detection in memory, and the same code for live events, backtests and the tests of rules. What it
holds follows from the matches and the times it was given; who keeps it (`groups`, by rule and key) writes what changed
(`dirty`) wherever it must outlive a process, and erases what was forgotten (`gone`).

A group lives in one partition, its home, whatever partitions its matches are read from. A judge that is told of homes
takes matches whose home is here, and leaves those of other homes in `forwards`, which others `deliver`.

Groups are chosen by strangers: an attacker invents users. So there is a limit (`alerts.correlation.limits`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import NamedTuple

from alerts.alert import OpenAlert, Sighting
from alerts.correlation.groups import Group, Opened, Place
from alerts.correlation.limits import MOST_GROUPS, Key, Recency
from alerts.correlation.windows import LATENESS, SECOND, Occurrence
from alerts.engine.predicate import Getter
from alerts.engine.view import Match
from alerts.rules.correlation import Correlation
from alerts.rules.load import RuleSet
from alerts.rules.model import Rule

LONGEST_NAME = 256
"""Characters of a part of a group's key; what is longer is cut."""
_MINUTE = 60 * SECOND
_DEFAULT_GROUPS = ("source.ip", "user.name", "host.hostname")
"""What matches of a rule that names no group are gathered by: the first of these that the event has."""
_FED = 16
"""Alerts of other correlations that a group remembers to have taken."""

AnyRule = Rule | Correlation
Home = Callable[[str], int]
"""Gives the partition of a key, as the typed topics have it."""


class Change(NamedTuple):
    """What became of an alert: it was opened (`new`), has one match more, or is `closed`."""

    rule: AnyRule
    key: tuple[str, ...]
    alert: OpenAlert
    new: bool = False
    closed: bool = False


class Forward(NamedTuple):
    """A match for a group whose home is another partition. `fed` is the alert that is the match, "" for an event."""

    home: int
    rule: str
    revision: str
    key: tuple[str, ...]
    seen: Occurrence
    sighting: Sighting
    fed: str = ""


class _Target(NamedTuple):
    """Where matches of a rule go: a rule, the number of a stage, and the fields of the group and of the value."""

    rule: AnyRule
    stage: int
    group: tuple[str, ...]
    value: str


class Judge:
    """All rules of a set, and their groups. `late` counts matches by rule that came too late for their group, or
    from the future, `evicted` groups by rule that were forgotten for want of room.

    `most_groups` is for each rule; all together may have four times as many. `home` and `here` say where groups live;
    without them all do here.
    """

    def __init__(self, rules: RuleSet, most_groups: int = MOST_GROUPS, home: Home | None = None, here: int = 0) -> None:
        self._home, self._here = home, here
        self.groups: dict[Key, Group] = {}
        self.dirty: set[Key] = set()
        self.gone: dict[Key, Group] = {}
        self.forwards: list[Forward] = []
        self.evicted, self.late = Counter[str](), Counter[str]()
        self._recency = Recency(most_groups)
        self._calendar: dict[int, set[Key]] = defaultdict(set)
        self.looked = 0
        # Several rules match one event, and ask for the same fields.
        self._sighting: Sighting | None = None
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._use(rules)

    def _use(self, rules: RuleSet) -> None:
        self._all: dict[str, AnyRule] = {**rules.rules, **rules.correlations}
        self._targets: dict[str, list[_Target]] = defaultdict(list)
        for rule in rules.rules.values():
            if not rule.silent:
                self._targets[rule.id].append(_Target(rule, 0, rule.group_by, ""))
        for correlation in rules.correlations.values():
            for number, stage in enumerate(correlation.stages):
                self._targets[stage.rule].append(_Target(correlation, number, stage.group, stage.value))
        self._anchors = {identity: _anchor(rule) for identity, rule in self._all.items()}

    def adopt(self, rules: RuleSet) -> list[Change]:
        """Judge by other rules from now on. Groups of rules that are gone, or whose logic has changed, are forgotten,
        and their alerts closed.
        """
        before = self._all
        self._use(rules)
        gone = [key for key in self.groups if key[0] not in self._all or self._all[key[0]].revision != key[1]]
        found = [self._end(before[key[0]], key) for key in gone]
        return [change for change in found if change is not None]

    def rule(self, identity: str) -> AnyRule:
        """The rule or correlation of an id; raises `KeyError` for another one."""
        return self._all[identity]

    def _end(self, rule: AnyRule, key: Key) -> Change | None:
        group = self._forget(key)
        alert = group.alert
        if alert is None or alert.over or rule.silent:
            return None
        alert.over = True
        return Change(rule, key[2:], alert, closed=True)

    def see(self, match: Match, place: Place) -> list[Change]:
        """Take a match that was read at `place`; what it did to alerts."""
        rule, get, event = match.rule, match.get, match.view.reference
        now, at = place.now, event.at
        if at > now + LATENESS:
            self.late[rule.id] += 1
            return []
        found: list[Change] = []
        sighting = self._sighting
        if sighting is None or sighting.event is not event:
            sighting = self._sighting = Sighting(event, now, match.view.line)
            self._keys.clear()
        for about, stage, group, field in self._targets.get(rule.id, ()):
            if about is rule:
                key = _key(group, get)
            else:
                key = self._keys.get(group) or self._read_key(group, get)
                if "" in key:
                    continue
            value = _first(get, field) if field else ""
            found += self._send(about, key, Occurrence(stage, at, value, event.offset), sighting)
        return found

    def _read_key(self, group: tuple[str, ...], get: Getter) -> tuple[str, ...]:
        key = self._keys[group] = tuple([_first(get, name) for name in group])
        return key

    def deliver(self, forward: Forward) -> list[Change]:
        """Take a match that another judge has forwarded here; nothing, if its rule is another one by now."""
        rule = self._all.get(forward.rule)
        if rule is None or rule.revision != forward.revision:
            return []
        return self._take(rule, forward.key, forward.seen, forward.sighting, forward.fed)

    def _send(
        self, rule: AnyRule, key: tuple[str, ...], seen: Occurrence, sighting: Sighting, fed: str = ""
    ) -> list[Change]:
        if self._home is not None:
            anchor = self._anchors[rule.id]
            home = self._home(key[anchor] if anchor >= 0 else "\0".join(key))
            if home != self._here:
                self.forwards.append(Forward(home, rule.id, rule.revision, key, seen, sighting, fed))
                return []
        return self._take(rule, key, seen, sighting, fed)

    def _take(
        self, rule: AnyRule, key: tuple[str, ...], seen: Occurrence, sighting: Sighting, fed: str
    ) -> list[Change]:
        name = (rule.id, rule.revision, *key)
        group = self.groups.get(name)
        if group is None:
            group = self.add(rule, name, sighting.now)
        elif group.is_late(seen.at):
            self.late[rule.id] += 1
            return []
        elif group.fresh:
            group.fresh = False
            self._recency.again(name)
        if fed:
            if fed in group.fed:
                return []
            group.fed = (*group.fed[1 - _FED :], fed)
        opened = group.see(seen, sighting)
        self.dirty.add(name)
        if opened is None:
            return []
        if opened.new:
            self._plan(name, group)
        found = [] if rule.silent else [Change(rule, key, opened.alert, opened.new)]
        if opened.ended is not None and not rule.silent:
            found.append(Change(rule, key, opened.ended, closed=True))
        if rule.id in self._targets and isinstance(rule, Correlation):
            found += self._feed(rule, group, opened, seen, sighting)
        return found

    def _feed(
        self, inner: Correlation, group: Group, opened: Opened, seen: Occurrence, sighting: Sighting
    ) -> list[Change]:
        """An alert of a correlation is a match, at the end of its window, for those that are about it.

        For temporal ones so is each further match in it while the condition holds: who guesses for an hour and then
        gets in was guessing a moment before.
        """
        fields = dict(zip(inner.group_by, group.key, strict=True))
        window = opened.alert.window if opened.new or group.tally is None else group.tally.holds(seen)
        if window is None:
            return []
        found: list[Change] = []
        for target in self._targets[inner.id]:
            if opened.new or (isinstance(target.rule, Correlation) and target.rule.kind.startswith("temporal")):
                outer = tuple(fields[name] for name in target.group)
                match = Occurrence(target.stage, window.end, fields.get(target.value, ""), sighting.event.offset)
                found += self._send(target.rule, outer, match, sighting, opened.alert.id if opened.new else "")
        return found

    def add(self, rule: AnyRule, name: Key, now: int) -> Group:
        """A new group; another one may have to go for it."""
        for gone in self._recency.add(name, self._has_alert):
            self.evicted[gone[0]] += 1
            self._drop(gone)
        return self._enter(name, Group(rule, name[2:]), now)

    def restore(self, name: Key, dumped: list[object]) -> Group | None:
        """A group as it was dumped; None if its rule is gone, or its logic is another one."""
        rule = self._all.get(name[0])
        if rule is None or rule.revision != name[1]:
            return None
        group = Group(rule, name[2:])
        group.load(dumped)
        self._recency.put(name, group.fresh)
        return self._enter(name, group, group.touched)

    def _enter(self, name: Key, group: Group, now: int) -> Group:
        if (before := self.gone.pop(name, None)) is not None:
            group.position, group.generation = before.position, before.generation
        self.groups[name] = group
        group.touched = max(group.touched, now)
        self._plan(name, group)
        return group

    def _plan(self, name: Key, group: Group) -> None:
        """Note when to look at a group. When more comes meanwhile, it is noted again as it is looked at."""
        if group.due and (planned := self._calendar.get(group.due)) is not None:
            planned.discard(name)
        group.due = max(-(-group.ends() // _MINUTE), self.looked + 1)
        self._calendar[group.due].add(name)

    def _has_alert(self, name: Key) -> bool:
        alert = self.groups[name].alert
        return alert is not None and not alert.over

    def _forget(self, name: Key) -> Group:
        self._recency.remove(name)
        return self._drop(name)

    def _drop(self, name: Key) -> Group:
        self.dirty.add(name)
        group = self.gone[name] = self.groups.pop(name)
        if (planned := self._calendar.get(group.due)) is not None:
            planned.discard(name)
        return group

    def expire(self, now: int) -> Iterator[Change]:
        """Close alerts that nothing came for, and forget groups that cannot count any more, at `now`, the log's time.

        Looks once a minute at groups that are due.
        """
        minute = now // _MINUTE
        if minute <= self.looked:
            return
        self.looked = minute
        for due in sorted(one for one in self._calendar if one <= minute):
            for name in sorted(self._calendar.pop(due)):
                yield from self._look(name, minute * _MINUTE)

    def _look(self, name: Key, now: int) -> Iterator[Change]:
        group = self.groups.get(name)
        if group is None:
            return
        rule = self._all[name[0]]
        alert = group.close(now)
        if alert is not None:
            self.dirty.add(name)
            if not rule.silent:
                yield Change(rule, name[2:], alert, closed=True)
        if group.over(now):
            self._forget(name)
        else:
            self._plan(name, group)


def _anchor(rule: AnyRule) -> int:
    """Which part of a group's key decides on its home, -1 for all: the address, else the host, as for typed topics.

    So a match is mostly read where its group lives. That it need not be is what forwarding is for.
    """
    if isinstance(rule, Rule):
        stages = [rule.group_by or _DEFAULT_GROUPS[:1]]
    else:
        stages = [stage.group for stage in rule.stages]
    for name in ("source.ip", "host.hostname"):
        for place in range(len(stages[0])):
            if all(group[place] == name for group in stages):
                return place
    return -1


def _key(group_by: tuple[str, ...], get: Getter) -> tuple[str, ...]:
    if group_by:
        return tuple(_first(get, name) for name in group_by)
    return (next((text for name in _DEFAULT_GROUPS if (text := _first(get, name))), ""),)


def _first(get: Getter, field: str) -> str:
    texts = get(field)
    return texts[0][:LONGEST_NAME] if texts else ""
