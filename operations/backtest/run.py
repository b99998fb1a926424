"""Says which alerts a rule would have raised for the events that Kafka still holds.

The code that judges is that of the detect role (`alerts.engine`, `alerts.correlation.judge`): the alerts of rules whose
groups do not cross partitions have the ids of the live ones. Nothing is written, and no consumer group is used.
Matches that normalize wrote again after a crash are counted once, as they are live.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from agents.counting.stream_time import StreamTime
from agents.detection.reading import Clock, matches_of
from alerts.alert import OpenAlert
from alerts.correlation.groups import Place
from alerts.correlation.judge import AnyRule, Change, Judge
from alerts.engine.engines import StagedEngine, staged_engines
from alerts.engine.view import Match
from alerts.rules.load import RuleSet
from operations.backtest.merge import LogName, Merge, Record
from operations.rules.explain import singles
from topics.catalogue import typed
from topics.documents.ecs import iso
from topics.fields import TYPES
from topics.kafka.reader import Reader
from topics.records.replay import counting_position

MOST_ALERTS = 100_000
"""Alerts that are kept in memory; of more only the number is known."""
_HOUR = 3_600_000_000  # microseconds

Progress = Callable[[int, int], None]
"""Is told how many events were judged, and how many there are."""


@dataclass(slots=True)
class Raised:
    """An alert that the rule would have raised. Times are ISO 8601."""

    id: str
    group: dict[str, str]
    first: str
    last: str
    count: int
    evidence: list[dict[str, str]]


@dataclass(slots=True)
class Backtest:
    """What a rule would have done. `matches` are of the rules over single events that it rests on; `late` ones
    raised nothing. `undecodable` are events that cannot be read.
    """

    rule: str
    revision: str
    local: bool
    since: str
    until: str
    events: int = 0
    matches: int = 0
    late: int = 0
    undecodable: int = 0
    alert_count: int = 0
    alerts: list[Raised] = field(default_factory=list)
    alerts_per_hour: dict[str, int] = field(default_factory=dict)
    top_groups: list[tuple[str, int]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    events_per_cpu_second: int = 0


def only(rules: RuleSet, rule: AnyRule) -> RuleSet:
    """The rule, and those that it is about, directly or not."""
    wanted = {one.id for one in singles(rules, rule)} | _correlations(rules, rule.id)
    return RuleSet(
        {name: one for name, one in rules.rules.items() if name in wanted},
        {name: one for name, one in rules.correlations.items() if name in wanted},
    )


def _correlations(rules: RuleSet, identity: str) -> set[str]:
    found = rules.correlations.get(identity)
    if found is None:
        return set()
    return {identity}.union(*[_correlations(rules, stage.rule) for stage in found.stages])


class Replay:
    """Judges records in the order in which they came. Not told of any partition: groups live here."""

    def __init__(self, rules: RuleSet, rule: AnyRule) -> None:
        self._rule, self._judge = rule, Judge(rules)
        self._engines = staged_engines(rules.rules.values(), kinds(rules))
        self._times: dict[LogName, StreamTime] = {}
        self._marks: dict[tuple[LogName, tuple[str, int]], tuple[int, int]] = {}
        self.alerts: dict[str, Change] = {}
        self.raised = self.events = self.matches = self.undecodable = 0

    @property
    def late(self) -> int:
        """Matches that came too late, or from the future."""
        return self._judge.late.total()

    def stride(self, found: dict[LogName, list[Record]], kind_of: Callable[[str], str]) -> None:
        """Judge records of several logs that came at about the same time."""
        merged: list[tuple[int, LogName, int, int, Match]] = []
        for name, records in found.items():
            self.events += len(records)
            merged += self._matches(name, records, self._engines[kind_of(name[0])])
        merged.sort(key=lambda one: one[:3])
        for _, _, offset, now, match in merged:
            self._note(self._judge.see(match, Place(0, offset, now)))
        self._note(self._judge.expire(min(time.now for time in self._times.values()) * 1000))

    def _matches(self, name: LogName, records: list[Record], engine: StagedEngine) -> Iterable[Any]:
        """The matches of a log with the times at which they came, and the time that the log had then."""
        now = self._times.setdefault(name, StreamTime())
        clock = Clock(now, records)
        matches, undecodable = matches_of(engine, [record.value for record in records])
        self.undecodable += undecodable
        for match in matches:
            record = records[match.place]
            clock.advance(match.place)
            if self._is_new(name, match, record):
                yield record.came, name, record.offset, now.now * 1000, match
        clock.advance(len(records) - 1)

    def _is_new(self, name: LogName, match: Match, record: Record) -> bool:
        """Whether normalize has not written the event before; several rules may match one record."""
        event = match.view.reference
        source, offset = (event.topic, event.partition), event.offset
        if record.headers:
            told = counting_position(
                SimpleNamespace(topic=name[0], partition=name[1], offset=record.offset, headers=record.headers)
            )
            source, offset = told or (source, offset)
        mark, key = (offset, record.offset), (name, source)
        known = self._marks.get(key)
        if known is not None and mark != known and offset <= known[0]:
            return False
        self._marks[key] = mark
        self.matches += 1
        return True

    def _note(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.rule is self._rule or change.rule.id == self._rule.id:
                if change.alert.id not in self.alerts:
                    self.raised += 1
                    if len(self.alerts) >= MOST_ALERTS:
                        continue
                self.alerts[change.alert.id] = change


def kinds(rules: RuleSet) -> list[str]:
    """The types of events that rules look at."""
    return [kind for kind in TYPES if any(kind in rule.source.types for rule in rules.rules.values())]


def backtest(reader: Reader, prefix: str, rules: RuleSet, rule: AnyRule, since: int, progress: Progress) -> Backtest:
    """Judge the events that came at `since`, milliseconds since 1970, or later. Blocks. Raises `KafkaException`."""
    begin, chosen = time.process_time(), only(rules, rule)
    topics = {prefix + typed(kind): kind for kind in kinds(chosen)}
    merge, replay = Merge(reader, list(topics), since), Replay(chosen, rule)
    for found in merge.strides():
        replay.stride(found, topics.__getitem__)
        progress(replay.events, merge.total)
    used = time.process_time() - begin
    local = getattr(rule, "local", True)
    result = Backtest(rule.name, rule.revision, local, iso(since * 1000), iso(time.time_ns() // 1000))
    result.events, result.matches, result.late = replay.events, replay.matches, replay.late
    result.undecodable, result.alert_count = replay.undecodable, replay.raised
    result.cpu_seconds, result.events_per_cpu_second = round(used, 2), round(replay.events / max(used, 1e-6))
    _summarize(result, rule, replay.alerts.values())
    return result


def _summarize(result: Backtest, rule: AnyRule, changes: Iterable[Change]) -> None:
    ordered = sorted(changes, key=lambda change: (change.alert.first, change.alert.id))
    result.alerts = [_raised(rule, change.key, change.alert) for change in ordered]
    hours = Counter(change.alert.first // _HOUR * _HOUR for change in ordered)
    result.alerts_per_hour = {iso(hour): number for hour, number in sorted(hours.items())}
    result.top_groups = Counter(", ".join(change.key) for change in ordered).most_common(10)


def _raised(rule: AnyRule, key: tuple[str, ...], alert: OpenAlert) -> Raised:
    names = rule.group_by if len(rule.group_by) == len(key) else ("group",)
    evidence = [{"id": one.id, "at": iso(one.at), "line": one.line} for one in alert.evidence]
    return Raised(
        alert.id, dict(zip(names, key, strict=True)), iso(alert.first), iso(alert.last), alert.count, evidence
    )
