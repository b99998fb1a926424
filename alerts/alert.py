"""An alert: what one rule says about one group, from the first match to its end, in numbered revisions.

An alert's id follows from rule, revision of the rule, group and the beginning of the window in which it opened. So
whoever judges the same events again comes to the same id, and an alert cannot be raised twice. While an alert is open,
further matches are counted in it; a revision is published when it opens, at each tenfold of its count, after `suppress`
seconds with news, and when it closes because nothing came for a while. What happens after that is a new alert.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from alerts.correlation.windows import SECOND, Window
from alerts.engine.view import Reference

MOST_EVIDENCE = 10
"""Events that an alert names."""
MOST_SAMPLES = 10
"""Values that an alert names, of those that its rule counts."""
LONGEST_LINE = 512
"""Characters of a line in an alert."""

_NUMBERS = ("first", "last", "seen", "count", "number", "published", "published_count")


class Sighting(NamedTuple):
    """An event that a rule matched, as it was read at `now`, the time of the log. `line` gives its line, "" if unknown;
    it is only asked for what an alert shows, because it may cost a decoding.
    """

    event: Reference
    now: int
    line: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that an alert rests on: its id, when it happened (microseconds since 1970), and its line if known."""

    id: str
    at: int
    line: str


def alert_id(rule: str, revision: str, group: tuple[str, ...], begin: int) -> str:
    """The id of an alert, 32 hexadecimal digits."""
    digest = blake2b(digest_size=16)
    for part in (rule, revision, str(begin), *group):
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return digest.hexdigest()


@dataclass(slots=True)
class OpenAlert:
    """An alert that further matches belong to. Times are microseconds since 1970, of events; `seen` is when the last
    match was read, by the time of the log, and `published` when a revision was. `over`: nothing came for a while.
    """

    id: str
    window: Window
    first: int
    last: int
    seen: int
    count: int = 0
    number: int = 0
    published: int = 0
    published_count: int = 0
    over: bool = False
    previous: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)

    def add(self, sighting: Sighting, value: str = "") -> None:
        """Count a match. `value` is what the rule counts the values of."""
        at, self.over = sighting.event.at, False
        self.count += 1
        if at < self.first:
            self.first = at
        if at > self.last:
            self.last = at
        if sighting.now > self.seen:
            self.seen = sighting.now
        if len(self.evidence) < MOST_EVIDENCE:
            self.evidence.append(Evidence(sighting.event.id, at, sighting.line()[:LONGEST_LINE]))
        if value and len(self.samples) < MOST_SAMPLES and value not in self.samples:
            self.samples.append(value)

    def due(self, now: int, suppress: float) -> bool:
        """Whether a revision is to be published now: at first, at each tenfold, and after a while with news."""
        if self.count == self.published_count:
            return False
        tenfold = self.published_count and self.count >= 10 ** len(str(self.published_count))
        return not self.number or bool(tenfold) or now - self.published >= suppress * SECOND

    def publish(self, now: int) -> None:
        """Note that a revision goes out."""
        self.number += 1
        self.published, self.published_count = now, self.count

    def dump(self) -> list[Any]:
        """All of it, as JSON; `load` makes it again."""
        evidence = [[one.id, one.at, one.line] for one in self.evidence]
        return [self.id, list(self.window), self.first, self.last, self.seen, self.count, self.number, self.published,
                self.published_count, self.over, self.previous, evidence, self.samples]  # fmt: skip

    @classmethod
    def load(cls, dumped: list[Any]) -> "OpenAlert":
        """What was dumped."""
        identity, window, *numbers, over, previous, evidence, samples = dumped
        named = dict(zip(_NUMBERS, numbers, strict=True))
        return cls(
            identity, Window(*window), over=over, previous=previous, evidence=[Evidence(*one) for one in evidence],
            samples=samples, **named,
        )  # fmt: skip
