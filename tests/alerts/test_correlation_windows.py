"""Tallies find what a search of all occurrences finds, in any order, and stay small."""

import random
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.correlation.windows import LATENESS, PARTS, SECOND, Occurrence, Times, make_tally
from alerts.rules.correlation import Correlation, Kind, Stage, Threshold
from alerts.rules.model import About

START = 1_790_000_000 * SECOND


def correlation(kind: Kind, limit: float = 3, operator: str = "gte", stages: int = 1, **more: Any) -> Correlation:
    threshold = Threshold(operator, limit, more.get("percentile", 50))
    return Correlation("c", "c", About("c"), kind, tuple(Stage(f"r{n}", ("source.ip",)) for n in range(stages)),
                       ("source.ip",), 100.0, threshold)  # fmt: skip


def times() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, 300).map(lambda second: START + second * SECOND), min_size=1, max_size=14)


@settings(max_examples=200, deadline=None)
@given(times(), st.integers(1, 5))
def test_events_are_counted_exactly(found: list[int], limit: int) -> None:
    """A window is found with an event exactly when one exists among those that came so far."""
    tally = make_tally(correlation("event_count", limit))
    assert isinstance(tally, Times)
    so_far: list[int] = []
    for at in found:
        so_far.append(at)
        tally.add(Occurrence(0, at))
        expected = any(
            begin <= at <= begin + 100 * SECOND and sum(begin <= one <= begin + 100 * SECOND for one in so_far) >= limit
            for begin in so_far
        )
        window = tally.holds(Occurrence(0, at))
        assert (window is not None) == expected
        if window is not None:
            assert window.begin <= at <= window.end <= window.begin + 100 * SECOND
            assert window.found >= limit


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 300)), min_size=1, max_size=14), st.booleans())
def test_stages_are_found_together_and_in_order(found: list[tuple[int, int]], ordered: bool) -> None:
    """The first set of all stages is found with the event that makes it whole, and no window is found without a set."""
    tally = make_tally(correlation("temporal_ordered" if ordered else "temporal", stages=3))
    so_far: list[list[int]] = [[], [], []]

    def sets() -> list[tuple[int, ...]]:
        whole = [one for one in product(*so_far) if max(one) - min(one) <= 100 * SECOND]
        return [one for one in whole if not ordered or list(one) == sorted(one)]

    for stage, second in found:
        at, before = START + second * SECOND, sets()
        so_far[stage].append(at)
        tally.add(Occurrence(stage, at))
        window = tally.holds(Occurrence(stage, at))
        if window is not None:
            assert (window.begin, window.end) in {(min(one), max(one)) for one in sets()}
        else:
            assert before or not sets()


@pytest.mark.parametrize("kind", ["event_count", "value_count", "value_sum", "value_avg", "value_percentile"])
def test_parts_count_alike_in_any_order(kind: Kind) -> None:
    rng = random.Random(7)
    seen = [Occurrence(0, START + rng.randrange(90) * SECOND, str(rng.randrange(9)), n) for n in range(60)]
    rule = correlation(kind, 1_000_000)
    dumps = set()
    for _ in range(5):
        rng.shuffle(seen)
        tally = make_tally(rule)
        for one in seen:
            tally.add(one)
        newest, parts = tally.dump()
        dumps.add(orjson.dumps([newest, sorted(parts)]))
    assert len(dumps) == 1


@pytest.mark.parametrize(
    ("kind", "limit", "values", "holds"),
    [
        ("value_count", 3, ["a", "b", "a", "c"], True),
        ("value_count", 3, ["a", "b", "a", "b"], False),
        ("value_sum", 10, ["4", "5", "x", "1e0"], True),
        ("value_sum", 10, ["4", "5", "nan", "inf"], False),
        ("value_avg", 5, ["4", "6"], True),
        ("value_avg", 5, ["4", "5"], False),
        ("value_percentile", 9, ["1"] * 4 + ["9"] * 6, True),
        ("value_percentile", 9, ["1"] * 6 + ["9"] * 4, False),
        ("event_count", 100, ["a"] * 100, True),
        ("event_count", 100, ["a"] * 99, False),
    ],
)
def test_values_are_counted_and_added(kind: Kind, limit: float, values: list[str], holds: bool) -> None:
    tally = make_tally(correlation(kind, limit))
    for number, value in enumerate(values):
        seen = Occurrence(0, START + number * SECOND // 10, value, number)
        tally.add(seen)
    assert (tally.holds(seen) is not None) == holds
    assert tally.approximate


@pytest.mark.parametrize("kind", ["event_count", "value_count", "temporal_ordered", "value_percentile"])
@pytest.mark.parametrize("limit", [3, 100])
def test_a_tally_goes_on_where_its_dump_ends(kind: Kind, limit: int) -> None:
    rule, rng = correlation(kind, limit, stages=2 if kind.startswith("temporal") else 1), random.Random(1)
    whole, part = make_tally(rule), make_tally(rule)
    for number in range(200):
        seen = Occurrence(number % len(rule.stages), START + rng.randrange(400) * SECOND, str(number % 150), number)
        whole.add(seen)
        part.add(seen)
        assert part.holds(seen) == whole.holds(seen)
        restored = make_tally(rule)
        restored.load(orjson.loads(orjson.dumps(part.dump())))
        part = restored


@pytest.mark.parametrize("kind", ["event_count", "value_count", "temporal", "value_percentile", "value_sum"])
@pytest.mark.parametrize("limit", [3, 100])
def test_whoever_sends_much_or_wrong_times_fills_no_memory(kind: Kind, limit: int) -> None:
    rule, rng = correlation(kind, limit), random.Random(1)
    tally = make_tally(rule)
    for number in range(20_000):
        at = START + rng.choice((0, 1, -1)) * rng.randrange(10**9) * SECOND if number % 2 else START + number * SECOND
        tally.add(Occurrence(0, at, f"v{number}", number))
    assert len(orjson.dumps(tally.dump())) < (PARTS + LATENESS // (10 * SECOND) + 2) * 256 * 40
