"""Keeps the time of a stream: the latest arrival, unless a single record claims that it is hours later than before.

Arrivals are milliseconds since 1970, as brokers stamped them. Time advances with each later arrival, but by an hour at
most: an arrival further ahead is a claim. Claims are believed once `WITNESSES` records in a row have made one, the
latest of them `SPAN` after the earliest, and no record between them arrived near the present time of the stream. Then
time advances to the earliest of these claims. So a single record from a wrong clock changes nothing, however often it
is written again, and a stream that was idle for days goes on a minute after its first new record.

The very first arrival is not believed before another one within an hour of it: until then nothing expires, and time may
still go back. All of this follows from the arrivals and their order alone.
"""

from typing import Any

STEP = 3_600_000
"""Milliseconds by which one arrival advances time at most. Brokers refuse raw records that are further ahead."""
SPAN = 60_000
"""Milliseconds that must lie between the earliest and the latest of the claims that are believed."""
WITNESSES = 3
"""Number of claims in a row that are needed."""


class StreamTime:
    """The time of one stream. `now` is 0 before the first arrival; `latest` is `now`, or the latest claim that is
    neither believed nor refuted. While `unsure`, each arrival must be noted; otherwise only those after `now`.
    """

    __slots__ = ("claims", "latest", "least", "now", "settled", "unsure")

    def __init__(self) -> None:
        self.now = self.latest = self.least = self.claims = 0
        self.settled, self.unsure = False, True

    def note(self, arrival: int) -> bool:
        """Note an arrival. Returns whether time is settled, so that what it has passed may expire."""
        if not self.settled:
            self._begin(arrival)
        elif arrival > self.now + STEP:
            self._claim(arrival)
        elif arrival >= self.now - STEP:
            self._move(max(self.now, arrival))
        return self.settled

    def _begin(self, arrival: int) -> None:
        if self.now and 0 < abs(arrival - self.now) <= STEP:
            self.settled = True
            self._move(max(self.now, arrival))
        elif not self.now or arrival < self.now:
            self.now, self.latest = arrival, max(self.latest, arrival)
        elif arrival > self.now:
            self._claim(arrival)

    def _claim(self, arrival: int) -> None:
        self.least = min(self.least, arrival) if self.claims else arrival
        self.latest = max(self.latest, arrival)
        self.claims, self.unsure = self.claims + 1, True
        if self.claims >= WITNESSES and self.latest - self.least >= SPAN:
            self.settled = True
            self._move(self.least)
            self.note(arrival)  # which may be as far ahead of that again

    def _move(self, now: int) -> None:
        self.now = self.latest = now
        self.least = self.claims = 0
        self.unsure = False

    def dump(self) -> list[Any]:
        """Return what `load` needs besides `now`, for JSON."""
        return [self.settled, self.latest, self.least, self.claims]

    @classmethod
    def load(cls, now: int, rest: list[Any] | None) -> "StreamTime":
        """Restore a time that was dumped. Earlier releases wrote `now` only."""
        made = cls()
        made.now = made.latest = now
        made.settled = now > 0
        if rest is not None:
            made.settled, made.latest, made.least, made.claims = rest
        made.unsure = not made.settled or made.claims > 0
        return made
