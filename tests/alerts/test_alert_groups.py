"""Groups: the same alerts from the same matches, whoever was killed in between, and revisions that people can bear."""

import random
from typing import Any

import orjson
import pytest

from alerts.alert import MOST_EVIDENCE, OpenAlert, Sighting, alert_id
from alerts.correlation.groups import Group
from alerts.correlation.windows import SECOND, Occurrence, Window
from alerts.engine.view import Reference
from alerts.rules.condition import FieldTest
from alerts.rules.correlation import Correlation, Stage, Threshold
from alerts.rules.model import About, Rule
from alerts.rules.sources import LogSource

START = 1_790_000_000 * SECOND


def correlation(kind: Any = "event_count", limit: float = 4, suppress: float = 30.0) -> Correlation:
    return Correlation("c", "c", About("c"), kind, (Stage("r", ("source.ip",)),), ("source.ip",), 60.0,
                       Threshold("gte", limit), suppress=suppress)  # fmt: skip


def single() -> Rule:
    return Rule("r", "r", About("r"), LogSource("any"), FieldTest("user.name", "exists"))


def sighting(at: int, offset: int = 0) -> Sighting:
    return Sighting(Reference("raw.syslog", 0, offset, at), at, lambda: "x")


def feed(group: Group, seconds: list[float], offset: int = 0) -> list[str]:
    """The ids of the alerts that open."""
    opened = []
    for number, second in enumerate(seconds):
        at = START + int(second * SECOND)
        found = group.see(Occurrence(0, at, str(number)), sighting(at, offset + number))
        if found is not None and found.new:
            opened.append(found.alert.id)
        group.close(at)
    return opened


def test_a_burst_is_one_alert_and_a_later_one_names_it() -> None:
    group = Group(correlation(), ("192.0.2.7",))
    first = feed(group, [0, 1, 2, 3, 4, 5])
    assert first == [alert_id("c", correlation().revision, ("192.0.2.7",), START)]
    assert group.alert is not None
    assert (group.alert.count, group.alert.first, group.alert.last) == (6, START, START + 5 * SECOND)
    assert group.close(START + 300 * SECOND) is not None
    feed(group, [1000, 1001, 1002, 1003], offset=100)
    assert group.alert is not None
    assert group.alert.previous == first[0]


def test_ids_differ_by_every_part() -> None:
    base = ("r", "1", ("a", "b"), 7)
    others = [
        ("s", "1", ("a", "b"), 7), ("r", "2", ("a", "b"), 7), ("r", "1", ("ab", ""), 7), ("r", "1", ("a", "b"), 8),
        ("r1", "", ("a", "b"), 7),
    ]  # fmt: skip
    assert len({alert_id(*one) for one in (base, *others)}) == len(others) + 1


def test_matches_of_one_rule_are_one_alert_with_a_counter() -> None:
    group = Group(single(), ("192.0.2.7",))
    assert len(feed(group, [number / 100 for number in range(500)])) == 1
    assert group.alert is not None
    assert group.alert.count == 500
    assert len(group.alert.evidence) == MOST_EVIDENCE


def test_few_revisions_tell_of_many_matches() -> None:
    alert = OpenAlert("a", Window(START, START, 1), START, START, START)
    published = []
    for number in range(10_000):
        now = START + number * SECOND // 100
        alert.add(sighting(now))
        if alert.due(now, 300.0):
            alert.publish(now)
            published.append(alert.count)
    assert published == [1, 10, 100, 1000, 10_000]
    assert not alert.due(now + 400 * SECOND, 300.0)
    alert.add(sighting(now))
    assert alert.due(now + 400 * SECOND, 300.0)


@pytest.mark.parametrize("kind", ["event_count", "value_count"])
@pytest.mark.parametrize("seed", range(10))
def test_what_was_dumped_goes_on_as_before(kind: Any, seed: int) -> None:
    """A group is restored after any match; when it is closed changes no alert, either."""
    rng = random.Random(seed)
    seconds = [second + rng.randrange(-5, 6) for second in sorted(rng.randrange(600) for _ in range(150))]
    expected = feed(Group(correlation(kind), ("192.0.2.7",)), [float(second) for second in seconds])
    assert expected
    group, found = Group(correlation(kind), ("192.0.2.7",)), []
    for number, second in enumerate(seconds):
        at = START + second * SECOND
        seen = group.see(Occurrence(0, at, str(number)), sighting(at, number))
        if seen is not None and seen.new:
            found.append(seen.alert.id)
        if rng.random() < 0.3:
            group.close(at + 100 * SECOND)
        if rng.random() < 0.3:
            restored = Group(correlation(kind), ("192.0.2.7",))
            restored.load(orjson.loads(orjson.dumps(group.dump())))
            group = restored
    assert found == expected


def test_an_alert_names_what_came_before_it_opened() -> None:
    group = Group(correlation(), ("192.0.2.7",))
    feed(group, [0, 1, 2, 3, 4])
    assert group.alert is not None
    assert [(one.id, one.line) for one in group.alert.evidence] == [
        ("raw.syslog-0-0", ""), ("raw.syslog-0-1", ""), ("raw.syslog-0-2", ""), ("raw.syslog-0-3", "x"),
        ("raw.syslog-0-4", "x"),
    ]  # fmt: skip
    assert group.alert.samples == ["0", "1", "2", "3", "4"]


def test_a_late_match_of_its_time_belongs_to_an_alert_that_is_over() -> None:
    group = Group(correlation(), ("192.0.2.7",))
    feed(group, [0, 1, 2, 3])
    assert group.close(START + 100 * SECOND) is not None
    assert group.close(START + 100 * SECOND) is None
    late = group.see(Occurrence(0, START + 50 * SECOND), sighting(START + 50 * SECOND))
    assert late is not None
    assert (late.new, late.alert.over, late.alert.count) == (False, False, 5)


def test_a_group_that_is_over_can_be_forgotten() -> None:
    group = Group(correlation(), ("192.0.2.7",))
    feed(group, [0, 1])
    assert not group.over(START + 60 * SECOND)
    assert group.over(START + 2000 * SECOND)
