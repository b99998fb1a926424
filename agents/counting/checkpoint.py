"""Makes the records that keep a log's state at one position, in the order in which they must become durable.

1. `entries`: the entries that changed.
2. `row`: the outbox with the windows that were decided, and the row, which claims all entries up to its position.
   Then the batches up to the position may be acknowledged.
3. `last`: the windows, the notes that they were sent, what was overtaken, and what has expired. Not before the broker
   has confirmed, after the second step, that the writer is still the owner.

So an owner that has not been confirmed leaves nothing behind but entries, one outbox and one row. Entries are functions
of the position, whoever wrote them. Outboxes are not; and a row must not claim entries that a later owner has begun
without, since that one may have erased them. So both have numbers, one more than those that their owner went by. An
owner goes by what was durable before any later owner began, so what it leaves behind never has a greater number than
the first of a later owner; of two with one number the later generation's is true.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.counting.entries import State
from agents.counting.minute import ADDRESS, OUTBOX, ROW, SENT, SERVICE, USER
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.windows import Window, close, note_sent
from agents.state.changelog import ChangelogPartition
from agents.transport import Outgoing


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What to write of one log at one position. `last` is asked for when the rest is durable."""

    log: PartitionCounts
    part: ChangelogPartition[PartitionStore]
    entries: list[Outgoing]
    row: list[Outgoing]
    windows: list[Window]
    erasures: list[Outgoing]

    def last(self, prefix: str) -> list[Outgoing]:
        """The third step; topics' names begin with `prefix`."""
        sent = [window.outgoing(self.log, prefix) for window in self.windows]
        for minute, service, revision, entry in note_sent(self.log, self.windows):
            sent.append(self.part.write(self.log.name(SENT, minute, service), entry, revision))
        return sent + self.erasures


def resume(log: PartitionCounts) -> list[Window]:
    """The windows that a predecessor decided and may not have sent, noted as sent: they must be in the next outbox."""
    owed = [Window(**item) for item in log.outbox.value["windows"]]
    for _ in note_sent(log, owed):
        pass
    return owed


def take(
    log: PartitionCounts, part: ChangelogPartition[PartitionStore], now: int, owed: Iterable[Window] = ()
) -> Checkpoint:
    """Take a checkpoint at `now`, milliseconds of the log's time. Raises `Damaged` if the entries do not add up."""
    log.verify()
    windows = [*owed, *close(log, now)]
    entries = _changed(log, part)
    row = [*_outbox(log, part, windows), part.write(log.name(ROW), log.checkpoint(), _number(log.row, part))]
    return Checkpoint(log, part, entries, row, windows, [*part.stale_records(), *_expired(log, part)])


def _outbox(log: PartitionCounts, part: ChangelogPartition[PartitionStore], windows: list[Window]) -> list[Outgoing]:
    """What was decided, if anything was. Minutes before `gone` have nothing more to publish.

    What is decided does not follow from the position alone, so it is numbered (see above).
    """
    gone = log.floor if log.verified else log.outbox.value["gone"]
    if not windows and gone == log.outbox.value["gone"]:
        return []
    log.outbox.value = {"gone": gone, "windows": windows}
    return [part.write(log.name(OUTBOX), log.outbox, _number(log.outbox, part))]


def _number(before: State, part: ChangelogPartition[PartitionStore]) -> int:
    """The place in the changelog's order of what follows an outbox or a row: its number, and the generation."""
    return (before.position >> 32) + 1 << 32 | part.generation


def _changed(log: PartitionCounts, part: ChangelogPartition[PartitionStore]) -> list[Outgoing]:
    changed, log.dirty = log.dirty, []
    records = []
    for dimension, minute, key, entry in changed:
        entry.dirty = False
        records.append(part.write(log.name(dimension, minute, key), entry, log.position))
    return records


def _expired(log: PartitionCounts, part: ChangelogPartition[PartitionStore]) -> list[Outgoing]:
    """What erases expired minutes, once they are published: not before the log is verified.

    The notes of what was sent go last: without them it would be sent again.
    """
    if not log.verified:
        return []
    expired, log.expiring = log.expiring, {}
    return [
        record
        for dimension in (ADDRESS, USER, SERVICE, SENT)
        for minute, entries in expired.items()
        for key, entry in entries.tables[dimension].items()
        for record in part.erasures(log.name(dimension, minute, key), entry)
    ]
