"""Keeps the time of a stream: the latest arrival, unless one record alone says that it is hours later than thought.

Arrivals are milliseconds since 1970, as brokers stamped them. Time moves on with each later arrival, but by an hour at
most: an arrival further ahead is a claim. A claim is believed once `WITNESSES` records in a row have made one, the last
of them a minute after the earliest, and none in between arrived near the time thought so. Then time moves to the least
of these claims. So a single record from a wrong clock, however often it is written again, moves nothing, and a stream
that rested for days goes on a minute after it wakes.

The first arrival of all is not believed either before another one within an hour of it: nothing expires until then,
and time may still go back. All of this follows from the arrivals and their order alone.
"""

from typing import Any

STEP = 3_600_000
"""Milliseconds by which one arrival moves time at most. Brokers refuse raw records that are further ahead."""
SPAN = 60_000
"""Milliseconds between the least and the greatest of the claims that are believed."""
WITNESSES = 3
"""Claims in a row that are believed."""


class StreamTime:
    """`now` is the time, 0 before the first arrival; `latest` the same, or the greatest claim that is neither believed
    nor refuted. While `unsure`, each arrival must be noted, else those after `now` only.
    """

    __slots__ = ("claims", "latest", "least", "now", "settled", "unsure")

    def __init__(self) -> None:
        self.now = self.latest = self.least = self.claims = 0
        self.settled, self.unsure = False, True

    def note(self, arrival: int) -> bool:
        """Take an arrival; whether time may have moved on, for good."""
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
        """What `load` needs besides `now`, for JSON."""
        return [self.settled, self.latest, self.least, self.claims]

    @classmethod
    def load(cls, now: int, rest: list[Any] | None) -> "StreamTime":
        """The time that was dumped. Earlier versions knew `now` only."""
        made = cls()
        made.now = made.latest = now
        made.settled = now > 0
        if rest is not None:
            made.settled, made.latest, made.least, made.claims = rest
        made.unsure = not made.settled or made.claims > 0
        return made
