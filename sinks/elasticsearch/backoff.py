"""A server that is away in, pauses out: longer each time, never the same for two writers, and one sentence a cause."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sinks.elasticsearch.verdicts import Cause

_log = logging.getLogger("ogrewatch.elasticsearch")
logging.getLogger("elastic_transport.node_pool").setLevel(logging.ERROR)  # it warns of each try; we do, more rarely

_FIRST, _LONGEST = 0.1, 10.0  # seconds
_UNSEEN = 90.0  # seconds after which a cause is a new one: a request that is not answered takes 60
_REMIND = 600.0  # seconds after which a cause that goes on is said again
_LONG = 10.0  # seconds that a wait took whose end is said, too
_MOST = 100  # causes that are remembered
_WORDS = 500  # characters of an error that are said


@dataclass(slots=True)
class _Said:
    began: float
    said: float
    seen: float


class Backoff:
    """The pauses of one request that is sent again and again. `told` hears of each, with the status that caused it,
    `waits` with the type of the error and the number of documents.
    """

    _causes: ClassVar[dict[Cause, _Said]] = {}

    def __init__(self, told: Callable[[int | None], object], waits: Callable[[str, int], object]) -> None:
        self._pause, self._told, self._waits = _FIRST, told, waits
        self._own = set[Cause]()

    async def wait(self, cause: Cause, why: str, documents: int) -> None:
        """Sleep for half to all of the current pause, and double it. Warns of a cause once, and every ten minutes."""
        self._told(cause.status)
        self._waits(cause.type, documents)
        self._own.add(cause)
        what = f"documents for {cause.target}" if cause.target else "documents"
        known = " ".join(str(part) for part in (cause.status, cause.type) if part)
        self.warn(f"Elasticsearch does not take {what}, which wait until it does: {why[:_WORDS]} ({known})", cause)
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
        self._pause = min(self._pause * 2, _LONGEST)

    def over(self) -> None:
        """All is decided. Says so of causes that took long."""
        now = time.monotonic()
        for cause in self._own & self._causes.keys():
            waited = now - self._causes[cause].began
            if waited > _LONG:
                del self._causes[cause]
                _log.warning("Elasticsearch takes %s again, after %.0f s", cause.target or "documents", waited)
        self._own.clear()

    @classmethod
    def warn(cls, text: str, cause: Cause) -> None:
        """Log a warning, unless it was logged of the same cause before, and that has gone on since."""
        now = time.monotonic()
        found = cls._causes.get(cause)
        if found is None or now - found.seen > _UNSEEN:
            if len(cls._causes) >= _MOST:
                cls._causes.clear()
            found = cls._causes[cause] = _Said(now, float("-inf"), now)
        found.seen = now
        if now - found.said >= _REMIND:
            found.said = now
            _log.warning("%s", text)
