"""A server that is away in, pauses out: longer each time, never the same for two writers, and rarely logged."""

import asyncio
import logging
import random
import time
from collections.abc import Callable

_log = logging.getLogger("ogrewatch.elasticsearch")
logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)  # it warns of each try; we do, more rarely

_FIRST, _LONGEST = 0.1, 10.0  # seconds
_QUIET = 10.0  # seconds between two warnings of the process


class Patience:
    """The pauses of one request that is sent again and again. `told` hears of each, with the status that caused it."""

    _warned = float("-inf")

    def __init__(self, told: Callable[[int | None], object]) -> None:
        self._pause, self._told = _FIRST, told

    async def wait(self, why: str, status: int | None) -> None:
        """Sleep for half to all of the current pause, and double it. Warns unless some other has just warned."""
        self._told(status)
        self.warn(f"Elasticsearch does not take documents, waiting: {why}")
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
        self._pause = min(self._pause * 2, _LONGEST)

    @staticmethod
    def warn(text: str) -> None:
        """Log a warning, unless there was one just before."""
        now = time.monotonic()
        if now - Patience._warned >= _QUIET:
            Patience._warned = now
            _log.warning(text)
