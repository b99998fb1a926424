"""Pauses before a request is sent again, longer each time and random, and warns of each cause rarely."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from sinks.elasticsearch.verdicts import Cause

_log = logging.getLogger("ogrewatch.elasticsearch")
logging.getLogger("elastic_transport.node_pool").setLevel(
    logging.ERROR
)  # it warns of each try; this module does so less often

_FIRST, _LONGEST = 0.1, 10.0  # seconds of the first and of the longest pause
_UNSEEN = 90.0  # seconds without a cause, after which it is new: a request times out after 60
_REMIND = 600.0  # seconds after which a cause that persists is logged again
_LONG = 10.0  # seconds: the end of a longer wait is logged, too
_MOST = 100  # causes that are remembered; then all are forgotten
_WORDS = 500  # characters of an error that are logged


@dataclass(slots=True)
class _Said:
    began: float
    said: float
    seen: float


class Backoff:
    """The pauses of one request. At each, `told` is called with the status that caused it, and `waits` with the type of
    the error and the number of documents.
    """

    _causes: ClassVar[dict[Cause, _Said]] = {}

    def __init__(self, told: Callable[[int | None], object], waits: Callable[[str, int], object]) -> None:
        self._pause, self._told, self._waits = _FIRST, told, waits
        self._own = set[Cause]()

    async def wait(self, cause: Cause, why: str, documents: int) -> None:
        """Sleep for half to all of the current pause, and double it. Warns of a cause every ten minutes at most."""
        self._told(cause.status)
        self._waits(cause.type, documents)
        self._own.add(cause)
        what = f"documents for {cause.target}" if cause.target else "documents"
        known = " ".join(str(part) for part in (cause.status, cause.type) if part)
        self.warn(f"Elasticsearch does not take {what}, which wait until it does: {why[:_WORDS]} ({known})", cause)
        await asyncio.sleep(self._pause * random.uniform(0.5, 1.0))
        self._pause = min(self._pause * 2, _LONGEST)

    def over(self) -> None:
        """Note that all documents are decided, and log the end of causes that lasted long."""
        now = time.monotonic()
        for cause in self._own & self._causes.keys():
            waited = now - self._causes[cause].began
            if waited > _LONG:
                del self._causes[cause]
                _log.warning("Elasticsearch takes %s again, after %.0f s", cause.target or "documents", waited)
        self._own.clear()

    @classmethod
    def warn(cls, text: str, cause: Cause) -> None:
        """Log a warning, unless one with the same cause was logged less than ten minutes ago."""
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
