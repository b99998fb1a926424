"""A log's minutes in, what is to be published of them out.

A minute of a service is published when it closes, and again for what came late: each window is the difference to what
was published before, so that the windows of a minute add up to its count. What is decided is written to the log's
outbox before anything is sent, and what has been sent is noted per minute and service (`Sent`). A successor sends what
it finds in the outbox again, word for word; whoever reads the topic knows a window by its id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.counting.entries import Sent
from agents.counting.minute import MINUTE, Minute
from agents.counting.partition_counts import PartitionCounts
from agents.transport import Outgoing
from topics.catalogue import STATS
from topics.records.stats import AuthWindow, encode

GRACE = 5_000
"""Milliseconds that a minute stays open after its end, and that late attempts gather."""
_MOST = 5_000  # windows at a time


@dataclass(frozen=True, slots=True)
class Window:
    """One window, and the minute's counts with it. In the outbox a JSON object of these fields."""

    minute: int
    service: str
    revision: int
    success: int
    failure: int
    unknown: int
    all_success: int
    all_failure: int
    all_unknown: int

    def outgoing(self, log: PartitionCounts, prefix: str) -> Outgoing:
        """Its record."""
        window = AuthWindow(
            log.kind, log.partition, self.service, self.minute, self.revision, self.success, self.failure, self.unknown
        )
        return prefix + STATS.name, self.service.encode(), encode(window), None, 0, None


def due(log: PartitionCounts, now: int) -> bool:
    """Whether something can be published or erased at `now`, milliseconds."""
    return log.verified and bool(log.expiring or any(True for _ in _closed(log, now)))


def close(log: PartitionCounts, now: int) -> list[Window]:
    """What is to be published at `now`, milliseconds. Takes it off the list of what is not."""
    found: list[Window] = []
    for minute in list(_closed(log, now)) if log.verified else ():
        if len(found) >= _MOST and minute not in log.expiring:
            break
        del log.unsent[minute]
        entries = _entries(log, minute)
        if entries is not None:
            found += _differences(minute, entries)
    return found


def note_sent(log: PartitionCounts, windows: Iterable[Window]) -> Iterator[tuple[int, str, int, Sent]]:
    """Note in the minutes what was decided: minute, service, revision and entry of what the changelog must say."""
    for window in windows:
        entries = _entries(log, window.minute)
        if entries is None:
            continue
        known = entries.sent.get(window.service)
        if known is None:
            known = entries.sent[window.service] = Sent(0, 0, 0)
        if window.revision >= known.position:
            known.success, known.failure, known.unknown = window.all_success, window.all_failure, window.all_unknown
            known.position = window.revision
            yield window.minute, window.service, window.revision, known


def _closed(log: PartitionCounts, now: int) -> Iterator[int]:
    for minute, since in log.unsent.items():
        if now >= max((minute + MINUTE) * 1000, since) + GRACE or minute in log.expiring:
            yield minute


def _entries(log: PartitionCounts, minute: int) -> Minute | None:
    return log.minutes.get(minute) or log.expiring.get(minute)


def _differences(minute: int, entries: Minute) -> Iterator[Window]:
    for service, counts in entries.services.items():
        sent = entries.sent.get(service) or Sent(0, 0, 0)
        now = counts.success, counts.failure, counts.unknown
        new = now[0] - sent.success, now[1] - sent.failure, now[2] - sent.unknown
        if any(new):
            yield Window(minute, service, sent.position + 1, *new, *now)
