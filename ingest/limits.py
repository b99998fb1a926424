"""What a sender may use: records a second, and memory."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

_CLIENTS = 10_000


class Buckets:
    """One token bucket a client: `rate` records a second in the long run, `burst` at once. Remembers 10,000 clients."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst or 10 * rate, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, number: int) -> float:
        """Take so many records' worth; 0 when they were there, else the seconds until they are, and none are taken.

        A full bucket allows any number, and owes what it did not have: a batch may be larger than the burst.
        """
        if not self.rate:
            return 0.0
        now = self._clock()
        level, then = self._levels.pop(client, (self.burst, now))
        level = min(self.burst, level + (now - then) * self.rate)
        missing = min(number, self.burst) - level
        self._levels[client] = (level if missing > 0 else level - number, now)
        if len(self._levels) > _CLIENTS:
            self._levels.popitem(last=False)
        return max(0.0, missing / self.rate)


class MemoryBudget:
    """Memory that all requests share, in bytes."""

    def __init__(self, size: int) -> None:
        self.size, self.held = size, 0

    def take(self, number: int) -> bool:
        """Whether there was room for so many bytes; they are held then."""
        if self.held + number > self.size:
            return False
        self.held += number
        return True

    def give(self, number: int) -> None:
        """Give so many back."""
        self.held -= number
