"""How a server took requests in, how much to send at a time out: half when it is pressed, slowly more when it is not.

Additive increase and multiplicative decrease, as TCP finds the room of a network (RFC 5681): many workers that share a
server come to fair shares without knowing of each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_LEAST = 64 << 10  # bytes of a request
_STEPS = 16  # quick answers that it takes from nothing to the most
_QUICK, _SLOW = 2.0, 10.0  # seconds
_ONCE = 1.0  # seconds in which all complaints are one


class CongestionWindow:
    """How many bytes a request may have (`size`), and how many requests may be under way. `clock` gives seconds."""

    def __init__(self, most_bytes: int, most_requests: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._most_requests, self._clock = most_bytes, most_requests, clock
        self.size, self._requests = most_bytes, float(most_requests)
        self._under_way, self._eased = 0, float("-inf")
        self._changed = asyncio.Condition()

    @property
    def requests(self) -> int:
        """How many requests may be under way, one at least."""
        return int(self._requests)

    @asynccontextmanager
    async def slot(self, sent: int) -> AsyncIterator[None]:
        """Wait until one more request may be under way; what happens inside is one, of so many bytes. How long it takes
        is noted.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._under_way < self.requests)
            self._under_way += 1
        begin = self._clock()
        try:
            yield
            if self._clock() - begin < _QUICK:
                self._grow()
        finally:
            if self._clock() - begin > _SLOW:
                self.shrink(sent)
            self._under_way -= 1
            async with self._changed:
                self._changed.notify_all()

    def shrink(self, sent: int) -> None:
        """Send half as much from now on: a request of so many bytes was too much for the server, or took long."""
        if self._clock() - self._eased > _ONCE:
            self._eased = self._clock()
            self.size = min(self._most, max(_LEAST, min(self.size, sent) // 2))
            self._requests = max(1.0, self._requests / 2)

    def _grow(self) -> None:
        self.size = min(self._most, self.size + self._most // _STEPS)
        self._requests = min(self._most_requests, self._requests + self._most_requests / _STEPS)
