"""Decides which windows of a partition's minutes are published, and when.

A minute of a service is published when it closes, and again when attempts were added later: each window is the
difference to what was published before, so that the windows of a minute add up to its count. Decisions are written to
the partition's outbox before anything is sent, and what was sent is noted per minute and service (`Sent`). A successor
sends the windows of the outbox again, word for word; readers of the topic recognise a window by its id.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.counting.buckets import MINUTE, Minute, Sent
from agents.counting.partition_counts import PartitionCounts
from agents.transport import Outgoing
from topics.catalogue import STATS
from topics.records.stats import AuthWindow, encode

GRACE = 5_000
"""Milliseconds for which a minute stays open after its end, and for which later attempts are gathered."""
_MOST = 5_000  # windows of one checkpoint, so that its outbox stays below Kafka's limit of a MiB


@dataclass(frozen=True, slots=True)
class Window:
    """One window, and with `all_` the counts of its minute so far. In the outbox: a JSON object of these fields."""

    minute: int
    service: str
    revision: int
    success: int
    failure: int
    unknown: int
    all_success: int
    all_failure: int
    all_unknown: int

    def outgoing(self, counts: PartitionCounts, prefix: str) -> Outgoing:
        """Return its record; `prefix` is put before the topic's name."""
        window = AuthWindow(
            counts.kind,
            counts.partition,
            self.service,
            self.minute,
            self.revision,
            self.success,
            self.failure,
            self.unknown,
        )
        return Outgoing(prefix + STATS.name, self.service.encode(), encode(window))


def due(counts: PartitionCounts, now: int) -> bool:
    """Tell whether something can be published or erased at `now`, milliseconds."""
    return counts.verified and bool(counts.expiring or any(True for _ in _closed(counts, now)))


def close(counts: PartitionCounts, now: int) -> list[Window]:
    """Return the windows to publish at `now`, milliseconds, and take their minutes off `unsent`."""
    found: list[Window] = []
    for minute in list(_closed(counts, now)) if counts.verified else ():
        if len(found) >= _MOST and minute not in counts.expiring:
            break
        del counts.unsent[minute]
        entries = _entries(counts, minute)
        if entries is not None:
            found += _differences(minute, entries)
    return found


def note_sent(counts: PartitionCounts, windows: Iterable[Window]) -> Iterator[tuple[int, str, int, Sent]]:
    """Note windows as sent. Yields minute, service, revision and entry of each note to write to the changelog."""
    for window in windows:
        entries = _entries(counts, window.minute)
        if entries is None:
            continue
        known = entries.sent.get(window.service)
        if known is None:
            known = entries.sent[window.service] = Sent(0, 0, 0)
        if window.revision >= known.position:
            known.success, known.failure, known.unknown = window.all_success, window.all_failure, window.all_unknown
            known.position = window.revision
            yield window.minute, window.service, window.revision, known


def _closed(counts: PartitionCounts, now: int) -> Iterator[int]:
    for minute, since in counts.unsent.items():
        if now >= max((minute + MINUTE) * 1000, since) + GRACE or minute in counts.expiring:
            yield minute


def _entries(counts: PartitionCounts, minute: int) -> Minute | None:
    return counts.minutes.get(minute) or counts.expiring.get(minute)


def _differences(minute: int, entries: Minute) -> Iterator[Window]:
    for service, counts in entries.services.items():
        sent = entries.sent.get(service) or Sent(0, 0, 0)
        now = counts.success, counts.failure, counts.unknown
        new = now[0] - sent.success, now[1] - sent.failure, now[2] - sent.unknown
        if any(new):
            yield Window(minute, service, sent.position + 1, *new, *now)
