"""Defines batches: records of one partition, as one fetch brought them, that are the value of one Faust event."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import faust

from agents.state.log_identity import NO_EPOCH, LastRecord, checksum


class Record(Protocol):
    """A consumed record, undecoded (aiokafka's `ConsumerRecord`). `timestamp` is milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Batch(list[Record]):
    """Records of one partition, offsets ascending: the value of one Faust event.

    `last` is the offset of the last record. `after` is the offset that was handed out just before: whoever has not
    handled everything up to it has missed a batch (see `ordering.ContinuityCheck`).
    """

    __slots__ = ("after", "last")

    def __init__(self, records: Iterable[Record], after: int) -> None:
        super().__init__(records)
        self.after = after
        self.last = self[-1].offset


@dataclass(frozen=True, slots=True)
class Piece:
    """What one fetch took from one partition: the positions before and after it, and the records between.

    `end` may lie beyond the last record, because logs have transaction markers and gaps of compaction besides; a
    piece may consist of these alone. `size` is the memory charged for the records in bytes, `epoch` the leader epoch
    of the last record.
    """

    begin: int
    end: int
    records: list[Record]
    size: int
    epoch: int = NO_EPOCH

    def last_record(self) -> LastRecord:
        """What tells the last record from another one at its offset. There must be one."""
        last = self.records[-1]
        return LastRecord(last.offset, last.timestamp, checksum(last.key, last.value), self.epoch)


class BatchSchema(faust.Schema[None, Batch]):
    """Leaves batches undecoded: agents decode record by record, so that a bad one does not stop the others."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        """Return None: each record of a batch has its own key."""

    def loads_value(self, app: Any, message: Any, **_: Any) -> Batch:
        """Return the batch as it is."""
        return cast(Batch, message.value)
