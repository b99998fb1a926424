"""Holds batches of partitions whose records this version cannot process, so that none of them is acknowledged.

Other partitions go on. Held batches are tried again every `AGAIN` seconds, and after each restart of the worker.
"""

import logging
import time
from typing import Any

from agents.metrics import Metrics

AGAIN = 30.0
"""Seconds before what is held is tried again."""
_REMINDER = 600.0  # seconds before the log says again that a partition is paused

_log = logging.getLogger("ogrewatch.paused")


class PausedPartitions:
    """Batches by partition, in the order they came. The transport bounds them: what is held is not acknowledged."""

    def __init__(self, role: str, metrics: Metrics) -> None:
        self._role, self._metrics = role, metrics
        self._held: dict[Any, list[Any]] = {}
        self._since: dict[Any, float] = {}

    def waits(self, event: Any) -> bool:
        """Tell whether a batch's partition is paused; if so, hold the batch, too."""
        held = self._held.get(event.message.tp)
        if held is None:
            return False
        held.append(event)
        return True

    def hold(self, event: Any, why: object) -> None:
        """Pause a batch's partition, and say so: in the log, and by a metric until `settle` finds it going on."""
        tp, now = event.message.tp, time.monotonic()
        self._held.setdefault(tp, []).append(event)
        self._metrics.paused(tp.topic, tp.partition, True)
        if now - self._since.get(tp, -_REMINDER) >= _REMINDER:
            self._since[tp] = now
            _log.error("%s: %s-%d is paused: %s", self._role, tp.topic, tp.partition, why)

    def release(self) -> list[Any]:
        """Return the held batches, to be tried again; call `settle` afterwards."""
        held, self._held = self._held, {}
        return [event for events in held.values() for event in events]

    def settle(self) -> None:
        """Report partitions of which nothing is held any more: they go on, or belong to another worker."""
        for tp in self._since.keys() - self._held.keys():
            del self._since[tp]
            self._metrics.paused(tp.topic, tp.partition, False)
            _log.warning("%s: %s-%d is not paused any more", self._role, tp.topic, tp.partition)
