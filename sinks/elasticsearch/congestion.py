"""Decides how much to send to a server at a time: half as much when it is overloaded, gradually more when it is not.

This is additive increase and multiplicative decrease, as TCP does it (RFC 5681). Workers that share a server come to
equal shares without knowing of each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_LEAST = 64 << 10  # bytes that a request may always have
_STEPS = 16  # quick answers after which the window has grown from nothing to the most
_QUICK, _SLOW = 2.0, 10.0  # seconds: quicker answers let the window grow, slower ones shrink it
_INTERVAL = 1.0  # seconds in which the window shrinks only by one step


class CongestionWindow:
    """How many bytes a request may have (`size`), and how many requests may run at a time. `clock` returns seconds."""

    def __init__(self, most_bytes: int, most_requests: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._most_requests, self._clock = most_bytes, most_requests, clock
        self.size, self._requests = most_bytes, float(most_requests)
        self._active, self._eased = 0, float("-inf")
        self._changed = asyncio.Condition()

    @property
    def requests(self) -> int:
        """How many requests may run at a time, at least one."""
        return int(self._requests)

    @asynccontextmanager
    async def slot(self, sent: int) -> AsyncIterator[None]:
        """Wait until one more request may run. The body of the context is the request, of `sent` bytes; its duration is
        measured.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._active < self.requests)
            self._active += 1
        begin = self._clock()
        try:
            yield
            if self._clock() - begin < _QUICK:
                self._grow()
        finally:
            if self._clock() - begin > _SLOW:
                self.shrink(sent)
            self._active -= 1
            async with self._changed:
                self._changed.notify_all()

    def shrink(self, sent: int) -> None:
        """Halve the window, because a request of `sent` bytes was too much for the server or took long."""
        if self._clock() - self._eased > _INTERVAL:
            self._eased = self._clock()
            self.size = min(self._most, max(_LEAST, min(self.size, sent) // 2))
            self._requests = max(1.0, self._requests / 2)

    def _grow(self) -> None:
        self.size = min(self._most, self.size + self._most // _STEPS)
        self._requests = min(self._most_requests, self._requests + self._most_requests / _STEPS)
