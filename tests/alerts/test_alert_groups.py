"""Groups: the same alerts from the same matches, whoever was killed in between, and revisions that people can bear."""

import random
from typing import Any

import orjson
import pytest

from alerts.alert import MOST_EVIDENCE, Evidence, OpenAlert, alert_id
from alerts.correlation.groups import Group, Place
from alerts.correlation.windows import SECOND, Occurrence, Window
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


def feed(group: Group, seconds: list[float], offset: int = 0) -> list[str]:
    """The ids of the alerts that open."""
    opened = []
    for number, second in enumerate(seconds):
        at = START + int(second * SECOND)
        found = group.see(
            Occurrence(0, at, str(number)), Place(1, offset + number, at), Evidence(f"e{number}", at, "x")
        )
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
        alert.add(now, now, Evidence("e", now, ""))
        if alert.due(now, 300.0):
            alert.publish(now)
            published.append(alert.count)
    assert published == [1, 10, 100, 1000, 10_000]
    assert not alert.due(now + 400 * SECOND, 300.0)
    alert.add(now, now, Evidence("e", now, ""))
    assert alert.due(now + 400 * SECOND, 300.0)


@pytest.mark.parametrize("kind", ["event_count", "value_count"])
@pytest.mark.parametrize("seed", range(10))
def test_kills_change_no_alert(kind: Any, seed: int) -> None:
    """A group is restored from what was written after some match, and reads again from any earlier one."""
    rng = random.Random(seed)
    seconds = sorted(rng.randrange(600) + rng.choice((0, 0, -20)) for _ in range(150))
    seconds = [second + rng.randrange(-5, 6) for second in seconds]
    expected_group = Group(correlation(kind), ("192.0.2.7",))
    expected = feed(expected_group, [float(second) for second in seconds])
    assert expected
    group, found, at = Group(correlation(kind), ("192.0.2.7",)), set(), 0
    while at < len(seconds):
        size = rng.randrange(1, 20)
        begin = max(0, at - rng.randrange(10))  # offsets that were not committed are read again
        for number in range(begin, min(at + size, len(seconds))):
            when = START + seconds[number] * SECOND
            seen = group.see(Occurrence(0, when, str(number)), Place(1, number, when), Evidence("e", when, ""))
            if seen is not None and seen.new:
                found.add(seen.alert.id)
            if seen is not None or number >= at:
                group.close(when)
        at += size
        restored = Group(correlation(kind), ("192.0.2.7",))
        restored.load(orjson.loads(orjson.dumps(group.dump())))
        group = restored
    assert found == set(expected)


def test_a_group_that_is_over_can_be_forgotten() -> None:
    group = Group(correlation(), ("192.0.2.7",))
    feed(group, [0, 1])
    assert not group.over(START + 60 * SECOND, 600 * SECOND)
    assert group.over(START + 2000 * SECOND, 600 * SECOND)
