"""Makes the records that save a partition's counts at one position, in the order in which they must become durable.

1. `entries`: the entries that changed.
2. `row`: the outbox with the windows that were decided, and the row, which vouches for all entries up to its position.
   Then the batches up to the position may be acknowledged.
3. `last`: the windows, the notes that they were sent, and erasures of outdated and of expired entries. It is sent only
   after the broker has confirmed, after the second step, that the writer is still the owner.

So an owner that is not confirmed leaves nothing behind but entries, one outbox and one row. Entries are functions of
the position, whoever wrote them. Outboxes are not; and a row must not vouch for entries that a later owner did not
recover, since that owner may have erased them. So outboxes and rows are numbered: each has a number greater by one than
the one that its owner recovered or wrote before. An owner recovers what was durable before any later owner began, so
what it leaves behind never has a greater number than the first of a later owner. Of two with the same number the one of
the later generation is valid.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.counting.buckets import ADDRESS, OUTBOX, ROW, SENT, SERVICE, USER, State
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.windows import Window, close, note_sent
from agents.state.changelog import ChangelogPartition
from agents.transport import Outgoing


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What to write of one partition at one position. Call `last` when the rest is durable."""

    counts: PartitionCounts
    part: ChangelogPartition[PartitionStore]
    entries: list[Outgoing]
    row: list[Outgoing]
    windows: list[Window]
    erasures: list[Outgoing]

    def last(self, prefix: str) -> list[Outgoing]:
        """Return the records of the third step; `prefix` is put before topic names."""
        sent = [window.outgoing(self.counts, prefix) for window in self.windows]
        for minute, service, revision, entry in note_sent(self.counts, self.windows):
            sent.append(self.part.write(self.counts.name(SENT, minute, service), entry, revision))
        return sent + self.erasures


def resume(counts: PartitionCounts) -> list[Window]:
    """Return the windows that a predecessor decided and may not have sent, and note them as sent.

    They must be in the next outbox.
    """
    inherited = [Window(**item) for item in counts.outbox.value["windows"]]
    for _ in note_sent(counts, inherited):
        pass
    return inherited


def take(
    counts: PartitionCounts, part: ChangelogPartition[PartitionStore], now: int, inherited: Iterable[Window] = ()
) -> Checkpoint:
    """Take a checkpoint at `now`, the time of the stream in milliseconds. `inherited` are windows to publish first.

    Raises `InconsistentState` if the entries do not add up.
    """
    counts.verify()
    windows = [*inherited, *close(counts, now)]
    entries = _changed(counts, part)
    outbox, number = _outbox(counts, part, windows), _number(counts.row, part)
    row = [*outbox, part.write(counts.name(ROW), counts.checkpoint(), number)]
    return Checkpoint(counts, part, entries, row, windows, [*part.stale_records(), *_expired(counts, part)])


def _outbox(counts: PartitionCounts, part: ChangelogPartition[PartitionStore], windows: list[Window]) -> list[Outgoing]:
    """Return the outbox, if it changed. Minutes before `gone` have nothing more to publish.

    Its content does not follow from the position alone, so it is numbered (see above).
    """
    gone = counts.floor if counts.verified else counts.outbox.value["gone"]
    if not windows and gone == counts.outbox.value["gone"]:
        return []
    counts.outbox.value = {"gone": gone, "windows": windows}
    return [part.write(counts.name(OUTBOX), counts.outbox, _number(counts.outbox, part))]


def _number(before: State, part: ChangelogPartition[PartitionStore]) -> int:
    """Return the position of the successor of an outbox or a row: the next number, then the generation."""
    return (before.position >> 32) + 1 << 32 | part.generation


def _changed(counts: PartitionCounts, part: ChangelogPartition[PartitionStore]) -> list[Outgoing]:
    changed, counts.dirty = counts.dirty, []
    records = []
    for dimension, minute, key, entry in changed:
        entry.dirty = False
        records.append(part.write(counts.name(dimension, minute, key), entry, counts.position))
    return records


def _expired(counts: PartitionCounts, part: ChangelogPartition[PartitionStore]) -> list[Outgoing]:
    """Return the records that erase expired minutes once they are published; none before the counts are verified.

    The notes of what was sent are erased last: without them windows would be sent again.
    """
    if not counts.verified:
        return []
    expired, counts.expiring = counts.expiring, {}
    return [
        record
        for dimension in (ADDRESS, USER, SERVICE, SENT)
        for minute, entries in expired.items()
        for key, entry in entries.tables[dimension].items()
        for record in part.erasures(counts.name(dimension, minute, key), entry)
    ]
