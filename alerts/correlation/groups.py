"""The state of one group of one rule: what it has seen, and its open alert.

A state is a function of the matches that were added, in the order of their logs. Each match names its log (a typed
topic and partition) and offset; one at or below the offset that the group has seen of its log changes nothing, so that
whoever reads again from an earlier offset comes to the same state.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from alerts.alert import Evidence, OpenAlert, alert_id
from alerts.correlation.windows import SECOND, Occurrence, Tally, Window, make_tally
from alerts.rules.correlation import Correlation
from alerts.rules.model import Rule


class Place(NamedTuple):
    """Where a match was read: the number of its log, its offset, and the log's time in microseconds since 1970."""

    log: int
    offset: int
    now: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What a match did to an alert: opened it, or is one more in it."""

    alert: OpenAlert
    new: bool


class Group:
    """One group of a rule over single events, or of a correlation (then it has a tally)."""

    __slots__ = ("_rule", "alert", "key", "positions", "previous", "tally", "touched")

    def __init__(self, rule: Rule | Correlation, key: tuple[str, ...]) -> None:
        self._rule, self.key = rule, key
        self.tally: Tally | None = make_tally(rule) if isinstance(rule, Correlation) else None
        self.positions: dict[int, int] = {}
        self.alert: OpenAlert | None = None
        self.previous, self.touched = "", 0

    def see(self, seen: Occurrence, place: Place, evidence: Evidence) -> Opened | None:
        """Take a match; what it did to an alert, None when it did nothing or was taken before."""
        if place.offset <= self.positions.get(place.log, -1):
            return None
        self.positions[place.log] = place.offset
        self.touched = max(self.touched, place.now)
        if self.tally is not None:
            self.tally.add(seen)
        if self.alert is not None and seen.at <= self.alert.last + int(self._quiet() * SECOND):
            self.alert.add(seen.at, place.now, evidence)
            return Opened(self.alert, new=False)
        window = Window(seen.at, seen.at, 1) if self.tally is None else self.tally.holds(seen)
        return None if window is None else self._open(window, seen, place, evidence)

    def _open(self, window: Window, seen: Occurrence, place: Place, evidence: Evidence) -> Opened:
        identity = alert_id(self._rule.id, self._rule.revision, self.key, window.begin)
        self.alert = OpenAlert(identity, window, min(window.begin, seen.at), seen.at, place.now, previous=self.previous)
        self.alert.count = max(0, int(window.found) - 1)
        self.alert.add(seen.at, place.now, evidence)
        return Opened(self.alert, new=True)

    def close(self, now: int) -> OpenAlert | None:
        """The alert, if nothing came for it so long that it ends at `now`, the time of the log."""
        alert = self.alert
        if alert is None or now - alert.seen < self._quiet() * SECOND:
            return None
        self.alert, self.previous = None, alert.id
        return alert

    def over(self, now: int, lateness: int) -> bool:
        """Whether the group can be forgotten at `now`: it has no open alert, and nothing that could still count."""
        span = self._rule.span if isinstance(self._rule, Correlation) else 0.0
        return self.alert is None and now - self.touched > (span + self._quiet()) * SECOND + lateness

    def _quiet(self) -> float:
        """Seconds without a match after which an alert ends."""
        return max(self._rule.suppress, self._rule.span if isinstance(self._rule, Correlation) else 0.0)

    def dump(self) -> list[Any]:
        """All of it but its rule and key, as JSON; `load` takes it again."""
        tally = None if self.tally is None else self.tally.dump()
        positions = list(self.positions.items())
        return [positions, self.touched, self.previous, tally, None if self.alert is None else self.alert.dump()]

    def load(self, dumped: list[Any]) -> None:
        """Be what was dumped."""
        positions, self.touched, self.previous, tally, alert = dumped
        self.positions = dict(positions)
        if self.tally is not None:
            self.tally.load(tally)
        self.alert = None if alert is None else OpenAlert.load(alert)
