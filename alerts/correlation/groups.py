"""The state of one group of one rule: what it has seen, and its newest alert.

A state is a function of the matches that were added, in their order. Whoever keeps it sees to it that each is added
once (`agents.detection.state`). Which alert a match belongs to follows from the times of events alone: an alert that is
over goes on if a late match of its time comes.
"""

from sys import intern
from typing import Any, NamedTuple

from alerts.alert import MOST_EVIDENCE, MOST_SAMPLES, Evidence, OpenAlert, Sighting, alert_id
from alerts.correlation.windows import LATENESS, SECOND, Occurrence, Tally, Window, make_tally
from alerts.engine.view import Reference
from alerts.rules.correlation import Correlation
from alerts.rules.model import Rule


class Place(NamedTuple):
    """Where a match was read: the number of its log, its offset, and the log's time in microseconds since 1970."""

    log: int
    offset: int
    now: int


class Opened(NamedTuple):
    """What a match did to an alert: opened it, or is one more in it. A new one may end the one before (`ended`)."""

    alert: OpenAlert
    new: bool
    ended: OpenAlert | None = None


class Group:
    """One group of a rule over single events, or of a correlation (then it has a tally).

    `recent` are the last matches before an alert, `samples` some of their values, and `run` the first, the last and the
    number of those that came one after another. `newest` is the latest time of a match, and `due` the minute of the
    log's time in which somebody looks whether the group is over. `position` and `generation` are those of the group's
    record in a changelog (`agents.state.changelog`).
    """

    __slots__ = (
        "_quiet", "_rule", "_span", "alert", "due", "fed", "fresh", "generation", "key", "newest", "position",
        "previous", "recent", "run", "samples", "tally", "touched",
    )  # fmt: skip

    def __init__(self, rule: Rule | Correlation, key: tuple[str, ...]) -> None:
        self._rule, self.key = rule, key
        self.tally: Tally | None = None
        span = 0.0
        if isinstance(rule, Correlation):
            self.tally, span = make_tally(rule), rule.span
        self._span = int(span * SECOND)
        self._quiet = int(max(rule.suppress, span) * SECOND)  # microseconds without a match after which an alert ends
        self.alert: OpenAlert | None = None
        self.recent: tuple[Reference, ...] = ()
        self.samples: tuple[str, ...] = ()
        self.fed: tuple[str, ...] = ()
        self.run = (0, 0, 0)
        self.previous, self.touched, self.fresh = "", 0, True
        self.newest = self.due = 0
        self.position, self.generation = -1, 0

    def see(self, seen: Occurrence, sighting: Sighting) -> Opened | None:
        """Take a match; what it did to an alert, None when it did nothing."""
        at, alert = seen.at, self.alert
        if sighting.now > self.touched:
            self.touched = sighting.now
        if at > self.newest:
            self.newest = at
        if self.tally is not None:
            self.tally.add(seen)
        if alert is not None and at <= alert.last + self._quiet:
            alert.add(sighting, seen.value)
            return Opened(alert, False)
        window = Window(seen.at, seen.at, 1) if self.tally is None else self.tally.holds(seen)
        if window is not None:
            return self._open(window, seen, sighting)
        self._extend(seen.at)
        self.recent = (*self.recent[1 - MOST_EVIDENCE :], sighting.event)
        if seen.value and len(self.samples) < MOST_SAMPLES and seen.value not in self.samples:
            self.samples = (*self.samples, seen.value)
        return None

    def is_late(self, at: int) -> bool:
        """Whether a match at this time comes too late to count where it belongs."""
        return at < self.newest - LATENESS - self._span

    def _extend(self, at: int) -> None:
        """Count a match among those that came one after another, as an alert would: it will count them, too."""
        begin, end, number = self.run
        quiet = self._quiet
        if not number or at > end + quiet:
            self.run = (at, at, 1)
        elif at >= begin - quiet:
            self.run = (min(begin, at), max(end, at), number + 1)

    def _open(self, window: Window, seen: Occurrence, sighting: Sighting) -> Opened:
        before = self.alert
        previous = self.previous if before is None else before.id
        identity = alert_id(self._rule.id, self._rule.revision, self.key, window.begin)
        begin, end, number = self.run
        if not number or not begin - self._quiet <= seen.at <= end + self._quiet:
            begin, end, number = seen.at, seen.at, 0
        self.alert = OpenAlert(identity, window, begin, end, sighting.now, count=number, previous=previous)
        self.alert.evidence = [Evidence(one.id, one.at, "") for one in self.recent if begin <= one.at <= end]
        self.alert.samples = list(self.samples)
        self.recent = self.samples = ()
        self.run = (0, 0, 0)
        self.alert.add(sighting, seen.value)
        if before is None or before.over:
            return Opened(self.alert, new=True)
        before.over = True
        return Opened(self.alert, new=True, ended=before)

    def close(self, now: int) -> OpenAlert | None:
        """The alert, if nothing came for it so long that it is over at `now`, the time of the log."""
        alert = self.alert
        if alert is None or alert.over or now - alert.seen < self._quiet:
            return None
        alert.over = True
        return alert

    def over(self, now: int) -> bool:
        """Whether the group can be forgotten at `now`: it has no open alert, and nothing that could still count."""
        return (self.alert is None or self.alert.over) and now >= self.ends()

    def ends(self) -> int:
        """When its alert will be over, or else the group itself, if nothing comes until then; by the log's time."""
        if self.alert is not None and not self.alert.over:
            return self.alert.seen + self._quiet
        return self.touched + self._span + self._quiet + LATENESS

    def dump(self) -> list[Any]:
        """All of it but its rule and key, as JSON; `load` takes it again."""
        tally = None if self.tally is None else self.tally.dump()
        alert = None if self.alert is None else self.alert.dump()
        return [self.touched, self.newest, self.fresh, self.previous, tally, alert, [[*one] for one in self.recent],
                self.samples, self.fed, self.run]  # fmt: skip

    def load(self, dumped: list[Any]) -> None:
        """Be what was dumped."""
        self.touched, self.newest, self.fresh, self.previous, tally, alert, recent, samples, fed, run = dumped
        if self.tally is not None:
            self.tally.load(tally)
        self.alert = None if alert is None else OpenAlert.load(alert)
        self.recent = tuple(Reference(intern(topic), *rest) for topic, *rest in recent)
        self.samples, self.fed, self.run = tuple(samples), tuple(fed), tuple(run)
