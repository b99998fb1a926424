"""Limits the rate of sending to what the workers keep up with, so that lines of others do not wait.

What counts is the age of the oldest line that is not stored yet: how long a line waits that is sent now. It is known
from the number of records whose offsets are not committed. These are committed once a second, by `normalize` and by
`index`, so the least age of the last looks is taken. The rate grows slowly while that is small; else it falls below
what was stored lately, and nothing is sent while it is large.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

_LOOK = 0.5  # seconds between looks at the backlog
_REMEMBERED = 3.0  # seconds of looks that are kept; a change of rate shows after so long
_FIRST, _LEAST = 100.0, 50.0  # lines a second: the rate at the start, and the lowest one
_MORE, _LESS = 1.1, 0.7
_OLD, _TOO_OLD = 1.8, 2.5  # seconds of age at which the rate falls, and at which nothing is sent
_NAP = 0.05  # seconds of sleep while nothing may be sent


class _Seen(NamedTuple):
    """One look at the backlog: its time, the lines sent and stored by then, and the age of the oldest unstored one."""

    time: float
    sent: int
    stored: int
    age: float


class LagLimiter:
    """Blocks before each line. `backlog` says how many records wait to be processed or stored, None when that is not
    known; `most` bounds the rate. `clock` and `sleep` are those of `time`.
    """

    def __init__(
        self,
        most: float | None,
        backlog: Callable[[], int | None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most, self._backlog, self._clock, self._sleep = most or float("inf"), backlog, clock, sleep
        self.rate = min(_FIRST, self._most)
        self._sent, self._stopped = 0, False
        self._due = self._looked = self._changed = clock()
        self._seen: deque[_Seen] = deque()
        self._sendings: deque[tuple[int, float]] = deque(maxlen=1000)

    def wait(self) -> None:
        """Block until the next line may be sent."""
        while True:
            if self._clock() - self._looked >= _LOOK:
                self._look()
            ahead = self._due - self._clock()
            if not self._stopped and ahead <= 0:
                break
            self._sleep(_NAP if self._stopped else min(ahead, _NAP))
        self._due = max(self._due, self._clock() - _NAP) + 1 / self.rate
        self._sent += 1

    def _look(self) -> None:
        waiting = self._backlog()
        self._looked = now = self._clock()
        if waiting is None:
            return
        self._sendings.append((self._sent, now))
        self._seen.append(_Seen(now, self._sent, self._sent - waiting, self._age(self._sent - waiting)))
        while self._seen[0].time < now - _REMEMBERED:
            self._seen.popleft()
        self._adapt(now, min(seen.age for seen in list(self._seen)[-3:]))

    def _age(self, stored: int) -> float:
        """Seconds since one line more had been sent than were stored."""
        while len(self._sendings) > 1 and self._sendings[1][0] <= stored:
            self._sendings.popleft()
        sent, when = self._sendings[0]
        return self._clock() - when if self._sent > max(stored, 0) or sent > stored else 0.0

    def _adapt(self, now: float, age: float) -> None:
        first, last = self._seen[0], self._seen[-1]
        self._stopped = age > _TOO_OLD
        if age <= _OLD:
            self.rate = min(self._most, self.rate * _MORE)
        elif now - self._changed > _REMEMBERED and last.stored > first.stored:
            self._changed = now
            stored = (last.stored - first.stored) / (last.time - first.time)
            self.rate = max(_LEAST, min(self.rate, _LESS * stored))
