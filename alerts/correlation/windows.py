"""What one group has seen of a correlation, and whether its condition holds in some window.

A tally is a function of the occurrences that were added, and `dump` holds all of it. Occurrences may come out of order,
up to `LATENESS`: a tally does not depend on the order, only which of several windows is noticed first does. Times are
microseconds since 1970. Memory is bounded for each group, whatever senders do; each class says how.

`approximate` tallies know windows to a tenth of their span, and may count up to a tenth too much.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from alerts.rules.correlation import Correlation, Threshold

SECOND = 1_000_000
LATENESS = 600 * SECOND
"""How far behind the newest event of its group an event may come and still be counted where it belongs."""
PARTS = 10
"""Parts of a window in an approximate tally."""
_EXACT = 64
"""Greatest limit that is counted by single times."""
_TIMES = 16
"""Times kept of each stage of a temporal correlation."""
_SAMPLE = 256
"""Values kept of a part for a percentile."""


class Occurrence(NamedTuple):
    """A match of one stage: `value` is what is counted or added, `order` a number that only this event has."""

    stage: int
    at: int
    value: str = ""
    order: int = 0


class Window(NamedTuple):
    """A stretch of time in which the condition holds, ends included, and what was found in it."""

    begin: int
    end: int
    found: float


class Tally(Protocol):
    """What a group has seen."""

    approximate: bool

    def add(self, seen: Occurrence) -> None:
        """Count an occurrence."""

    def holds(self, seen: Occurrence) -> Window | None:
        """A window with this occurrence, which was added, in which the condition holds."""

    def fullest(self) -> Window | None:
        """The window that is nearest to the condition; None when nothing was seen. For people: it may take its time."""

    def dump(self) -> Any:
        """All of it, as JSON; `load` takes it again."""

    def load(self, dumped: Any) -> None:
        """Be what was dumped."""


def make_tally(rule: Correlation) -> Tally:
    """The tally of a new group."""
    span = int(rule.span * SECOND)
    least = _least(rule.threshold)
    if rule.kind in ("temporal", "temporal_ordered"):
        return Temporal(span, len(rule.stages), rule.kind == "temporal_ordered")
    if rule.kind == "event_count" and least is not None and least <= _EXACT:
        return Times(span, least)
    parts = {"event_count": CountPart, "value_count": ValuesPart}.get(rule.kind, NumbersPart)
    return Parts(span, rule, parts)


def _least(threshold: Threshold) -> int | None:
    """The smallest count that meets a threshold from below, None for one that is not of that kind."""
    if threshold.operator == "gte":
        return max(1, math.ceil(threshold.limit))
    return math.floor(threshold.limit) + 1 if threshold.operator == "gt" else None


def meets(found: float, threshold: Threshold) -> bool:
    """Whether a count or value meets a threshold."""
    limit = threshold.limit
    return {
        "gte": found >= limit, "gt": found > limit, "lte": found <= limit, "lt": found < limit,
        "eq": found == limit, "neq": found != limit,
    }[threshold.operator]  # fmt: skip


class Times:
    """Counts events exactly, by the times of the last ones: four times the limit at most, and 16 at least."""

    approximate = False

    def __init__(self, span: int, least: int) -> None:
        self._span, self._least, self._most = span, least, max(16, 4 * least)
        self._times: list[int] = []

    def add(self, seen: Occurrence) -> None:
        """As `Tally.add`."""
        insort(self._times, seen.at)
        if len(self._times) > self._most or self._times[0] < self._times[-1] - self._span - LATENESS:
            del self._times[: max(len(self._times) - self._most, bisect_left(self._times, self._horizon()))]

    def _horizon(self) -> int:
        return self._times[-1] - self._span - LATENESS

    def holds(self, seen: Occurrence) -> Window | None:
        """As `Tally.holds`; the earliest such window."""
        times, least = self._times, self._least
        last = bisect_right(times, seen.at) - 1
        for begin in range(max(0, last - least + 1), min(last, len(times) - least) + 1):
            end = times[begin + least - 1]
            if end - times[begin] <= self._span and end >= seen.at:
                return Window(times[begin], end, bisect_right(times, times[begin] + self._span) - begin)
        return None

    def fullest(self) -> Window | None:
        """As `Tally.fullest`."""
        times = self._times
        windows = [(bisect_right(times, at + self._span) - place, at) for place, at in enumerate(times)]
        found, begin = max(windows, default=(0, 0))
        return Window(begin, times[times.index(begin) + found - 1], found) if found else None

    def dump(self) -> Any:
        """As `Tally.dump`."""
        return self._times

    def load(self, dumped: Any) -> None:
        """As `Tally.load`."""
        self._times = list(dumped)


class Temporal:
    """Remembers the last 16 times of each stage, and looks for one of each in a span; in their order, if `ordered`."""

    approximate = False

    def __init__(self, span: int, stages: int, ordered: bool) -> None:
        self._span, self._ordered = span, ordered
        self._times: list[list[int]] = [[] for _ in range(stages)]

    def add(self, seen: Occurrence) -> None:
        """As `Tally.add`."""
        times = self._times[seen.stage]
        insort(times, seen.at)
        del times[:-_TIMES]

    def holds(self, seen: Occurrence) -> Window | None:
        """As `Tally.holds`; of several windows the shortest that ends first."""
        if not all(self._times):
            return None
        found = self._chains() if self._ordered else self._sets()
        mine = [window for window in found if window.begin <= seen.at <= window.end]
        return min(mine, key=lambda window: (window.end, -window.begin)) if mine else None

    def _chains(self) -> Iterator[Window]:
        """For each time of the last stage the latest time of the first that leads to it."""
        for end in self._times[-1]:
            at = end
            for times in reversed(self._times[:-1]):
                place = bisect_right(times, at)
                if not place:
                    break
                at = times[place - 1]
            else:
                if end - at <= self._span:
                    yield Window(at, end, len(self._times))

    def _sets(self) -> Iterator[Window]:
        """For each time of any stage the latest beginning of a window that ends there and has all stages."""
        for end in (time for times in self._times for time in times):
            places = [bisect_right(times, end) for times in self._times]
            if all(places):
                begin = min(times[place - 1] for times, place in zip(self._times, places, strict=True))
                if end - begin <= self._span:
                    yield Window(begin, end, len(self._times))

    def fullest(self) -> Window | None:
        """As `Tally.fullest`; `found` is the number of stages in a window that begins with one of them."""
        windows = [self._stages(at) for times in (self._times[:1] if self._ordered else self._times) for at in times]
        return max(windows, key=lambda window: (window.found, window.begin), default=None)

    def _stages(self, begin: int) -> Window:
        end, found = begin, 0
        for times in self._times:
            place = bisect_left(times, end if self._ordered else begin)
            if place < len(times) and times[place] - begin <= self._span:
                end, found = max(end, times[place]), found + 1
            elif self._ordered:
                break
        return Window(begin, end, found)

    def dump(self) -> Any:
        """As `Tally.dump`."""
        return self._times

    def load(self, dumped: Any) -> None:
        """As `Tally.load`."""
        self._times = [list(times) for times in dumped]


class Part(Protocol):
    """What was seen in one part of a window. Adding is commutative."""

    def add(self, seen: Occurrence, rule: Correlation) -> None:
        """Take an occurrence."""

    def dump(self) -> Any:
        """All of it, as JSON."""

    @classmethod
    def load(cls, dumped: Any) -> "Part":
        """What was dumped."""

    @staticmethod
    def total(parts: "Iterable[Any]", rule: Correlation) -> float | None:
        """What several parts come to together; None when there is nothing to say."""


class CountPart:
    """A number of events."""

    __slots__ = ("number",)

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def add(self, seen: Occurrence, rule: Correlation) -> None:
        """As `Part.add`."""
        self.number += 1

    def dump(self) -> Any:
        """As `Part.dump`."""
        return self.number

    @classmethod
    def load(cls, dumped: Any) -> "CountPart":
        """As `Part.load`."""
        return cls(dumped)

    @staticmethod
    def total(parts: "Iterable[CountPart]", rule: Correlation) -> float | None:
        """As `Part.total`."""
        return sum(part.number for part in parts)


class ValuesPart:
    """Distinct values, by hashes of eight bytes: one more than the limit at most, those with the smallest hashes."""

    __slots__ = ("hashes",)

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self.hashes = set(hashes)

    def add(self, seen: Occurrence, rule: Correlation) -> None:
        """As `Part.add`."""
        if not seen.value:
            return
        self.hashes.add(int.from_bytes(blake2b(seen.value.encode("utf-8", "replace"), digest_size=8).digest(), "big"))
        if len(self.hashes) > max(1, rule.threshold.limit) + 1:
            self.hashes.remove(max(self.hashes))

    def dump(self) -> Any:
        """As `Part.dump`."""
        return sorted(self.hashes)

    @classmethod
    def load(cls, dumped: Any) -> "ValuesPart":
        """As `Part.load`."""
        return cls(dumped)

    @staticmethod
    def total(parts: "Iterable[ValuesPart]", rule: Correlation) -> float | None:
        """As `Part.total`."""
        return len(set().union(*[part.hashes for part in parts]))


class NumbersPart:
    """Numbers: how many, their sum, and 256 of them for percentiles, chosen by their events' order alone."""

    __slots__ = ("number", "sample", "sum")

    def __init__(self, number: int = 0, sum_: float = 0.0, sample: Iterable[tuple[int, float]] = ()) -> None:
        self.number, self.sum, self.sample = number, sum_, list(sample)

    def add(self, seen: Occurrence, rule: Correlation) -> None:
        """As `Part.add`. What is no finite number is passed over."""
        try:
            value = float(seen.value)
        except ValueError:
            return
        if not math.isfinite(value):
            return
        self.number += 1
        self.sum += value
        if rule.kind == "value_percentile":
            rank = int.from_bytes(blake2b(b"%d" % seen.order, digest_size=6).digest(), "big")
            insort(self.sample, (rank, value))
            del self.sample[_SAMPLE:]

    def dump(self) -> Any:
        """As `Part.dump`."""
        return [self.number, self.sum, self.sample]

    @classmethod
    def load(cls, dumped: Any) -> "NumbersPart":
        """As `Part.load`."""
        number, sum_, sample = dumped
        return cls(number, sum_, [(rank, value) for rank, value in sample])

    @staticmethod
    def total(parts: "Iterable[NumbersPart]", rule: Correlation) -> float | None:
        """As `Part.total`."""
        found = [part for part in parts if part.number]
        if not found:
            return None
        if rule.kind == "value_sum":
            return math.fsum(part.sum for part in found)
        if rule.kind == "value_avg":
            return math.fsum(part.sum for part in found) / sum(part.number for part in found)
        values = sorted(value for _, value in sorted(one for part in found for one in part.sample)[:_SAMPLE])
        return values[max(0, math.ceil(rule.threshold.percentile / 100 * len(values)) - 1)]


class Parts:
    """Counts by tenths of a window, which are aligned to the epoch."""

    approximate = True

    def __init__(self, span: int, rule: Correlation, kind: type[Any]) -> None:
        self._width, self._rule, self._kind = max(1, span // PARTS), rule, kind
        self._parts: dict[int, Any] = {}
        self._newest = 0

    def add(self, seen: Occurrence) -> None:
        """As `Tally.add`."""
        number = seen.at // self._width
        part = self._parts.get(number)
        if part is None:
            part = self._parts[number] = self._kind()
            self._newest = max(self._newest, number)
            horizon = self._newest - PARTS - LATENESS // self._width
            for old in [old for old in self._parts if old < horizon]:
                del self._parts[old]
        part.add(seen, self._rule)

    def holds(self, seen: Occurrence) -> Window | None:
        """As `Tally.holds`; of several windows the earliest. Only the last is looked at for an event in order."""
        number = seen.at // self._width
        for last in range(number, min(number + PARTS, self._newest + 1)):
            window = self._window(last) if self._may_meet(last) else None
            if window is not None and meets(window.found, self._rule.threshold):
                return window
        return None

    def window_before(self, end: int) -> Window | None:
        """What there is in the whole window that ends with the part before `end`; for thresholds from above."""
        return self._window(end // self._width - 1)

    def _may_meet(self, last: int) -> bool:
        """False if values are too few even when all parts have different ones, which is soon known."""
        if self._kind is not ValuesPart:
            return True
        get = self._parts.get
        parts = [part for n in range(last - PARTS + 1, last + 1) if (part := get(n)) is not None]
        return sum([len(part.hashes) for part in parts]) >= self._rule.threshold.limit

    def _window(self, last: int) -> Window | None:
        parts = [part for n in range(last - PARTS + 1, last + 1) if (part := self._parts.get(n)) is not None]
        total = self._kind.total(parts, self._rule)
        if total is None:
            return None
        return Window((last - PARTS + 1) * self._width, (last + 1) * self._width, total)

    def fullest(self) -> Window | None:
        """As `Tally.fullest`."""
        windows = [window for number in self._parts if (window := self._window(number)) is not None]
        least = self._rule.threshold.operator in ("lt", "lte")
        return max(windows, key=lambda window: (-window.found if least else window.found, window.begin), default=None)

    def dump(self) -> Any:
        """As `Tally.dump`."""
        return [self._newest, [[number, part.dump()] for number, part in self._parts.items()]]

    def load(self, dumped: Any) -> None:
        """As `Tally.load`."""
        self._newest, parts = dumped
        self._parts = {number: self._kind.load(part) for number, part in parts}
