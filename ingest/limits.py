"""Limits what senders may use: records per second for each client, and memory for all requests together."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

_CLIENTS = 10_000  # clients that are remembered: about 2 MB


class RateLimiter:
    """A token bucket per client: `rate` records a second on average, `burst` at a time; a rate of 0 means no limit."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self.rate, self.burst, self._clock = rate, burst or 10 * rate, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, number: int) -> float:
        """Take tokens for `number` records; return 0, or the seconds until there are enough, and then none are taken.

        A full bucket allows any number and goes below zero, because a batch may be larger than the burst.
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
    """Counts the bytes that all requests hold in memory, up to `size`."""

    def __init__(self, size: int) -> None:
        self.size, self.held = size, 0

    def reserve(self, number: int) -> bool:
        """Reserve so many bytes and return True, or return False when they would exceed the limit."""
        if self.held + number > self.size:
            return False
        self.held += number
        return True

    def release(self, number: int) -> None:
        """Return so many reserved bytes."""
        self.held -= number
