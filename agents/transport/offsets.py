"""Tracks which batches of a partition were handed out and acknowledged, and which offset may be committed.

It keeps the two invariants that exactness depends on, for one partition under one assignment:

I1  What is handed out is gapless and in order. `at` is the only authority on what comes next: a piece that begins
    elsewhere is refused by the consumer, whatever made it so, and fetched again from `at`.
I2  An offset is committed only when everything below it was acknowledged, by messages that this tracker handed out.

A new assignment makes new trackers; they ignore acknowledgements of messages that others handed out. `Trackers` holds
those of one consumer, and shares its memory budget among the partitions.
"""

import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from faust.types import TP

from agents.state.log_identity import LastRecord

_SMALLEST_SHARE = 32  # a fetch needs more than this fraction (1/32) of the memory budget: small fetches cost most


@dataclass(slots=True)
class _Entry:
    message: Any  # a Faust ConsumerMessage; None for offsets without records
    begin: int
    end: int
    handed: int  # what `OffsetTracker.handed` was before
    record: LastRecord | None  # the last one that was handed out by then
    before: LastRecord | None  # what `OffsetTracker.record` was before

    @property
    def settled(self) -> bool:
        return self.message is None or bool(self.message.acked)


class OffsetTracker:
    """Tracks one partition. `load` is the bytes handed out and not yet acknowledged.

    `record` describes the last record that was handed out, `done_record` the last one below `done`; None if unknown.
    """

    __slots__ = ("_done", "_open", "_sizes", "at", "committed", "done_record", "handed", "load", "record")

    def __init__(self, at: int, handed: int | None = None, record: LastRecord | None = None) -> None:
        self.at = at
        self.record = self.done_record = record
        self.handed = at - 1 if handed is None else handed
        self.committed = at
        self.load = 0
        self._done = at
        self._open: deque[_Entry] = deque()
        self._sizes: dict[Any, int] = {}

    def hand_out(self, message: Any, last: int, end: int, size: int, record: LastRecord | None = None) -> None:
        """Note a message that covers the log from `at` to `end`, its last record at offset `last`."""
        self._open.append(_Entry(message, self.at, end, self.handed, record, self.record))
        self._sizes[message] = size
        self.load += size
        self.at, self.handed, self.record = end, last, record

    def take_back(self, message: Any) -> None:
        """Undo the last `hand_out`, unless the message was acknowledged already."""
        if not message.acked and self._open and self._open[-1].message is message:
            self.release(message)
            entry = self._open.pop()
            self.at, self.handed, self.record = entry.begin, entry.handed, entry.before

    def skip_to(self, end: int) -> None:
        """Skip offsets without records, so that commits skip them, too."""
        if end > self.at:
            self._open.append(_Entry(None, self.at, end, self.handed, self.record, self.record))
            self.at = end

    def release(self, message: Any) -> bool:
        """Note an acknowledgement; False if this tracker did not hand the message out, or was told before."""
        size = self._sizes.pop(message, None)
        if size is None:
            return False
        self.load -= size
        return True

    def done(self) -> int:
        """Return the offset below which everything is acknowledged."""
        while self._open and self._open[0].settled:
            entry = self._open.popleft()
            self._done, self.done_record = entry.end, entry.record
            self.release(entry.message)  # Faust's stream acknowledges plain events without telling the consumer
        return self._done

    def outstanding(self) -> int:
        """Count the messages handed out and not acknowledged."""
        return len(self._sizes)

    def waiting_since(self, lag: int) -> float:
        """When the oldest record came that is not acknowledged, seconds since 1970; 0 if none is known. For any thread.

        Of the `lag` records that were not handed out only is known that they came after the last one that was.
        """
        for entry in list(self._open):
            if not entry.settled:
                return float(entry.message.timestamp)
        return self.record.timestamp / 1000 if lag and self.record is not None else 0.0

    def in_hand(self) -> int:
        """Count the messages that an agent has taken and not acknowledged."""
        return sum(message.tracked and not message.acked for message in self._sizes)


class Trackers(dict[TP, OffsetTracker]):
    """The trackers of the partitions of one consumer. `budget` bounds the bytes of all that is not acknowledged."""

    def __init__(self, budget: int) -> None:
        super().__init__()
        self._budget = budget

    def drop(self, partitions: Iterable[TP]) -> None:
        """Forget these partitions, because their positions change. Messages under way count for nothing then."""
        for tp in partitions:
            self.pop(tp, None)

    def begin(self, positions: Mapping[TP, int]) -> None:
        """Make new trackers that begin at these offsets."""
        self.update((tp, OffsetTracker(offset)) for tp, offset in positions.items())

    def of(self, partitions: Iterable[TP]) -> dict[TP, OffsetTracker]:
        """Return those of these partitions that have a tracker, with it."""
        return {tp: self[tp] for tp in partitions if tp in self}

    def in_hand(self) -> bool:
        """Whether an agent has taken a message and not acknowledged it."""
        return any(tracker.in_hand() for tracker in self.values())

    def accounts(
        self, topics: Collection[str], ends: Mapping[TP, int]
    ) -> Iterator[tuple[TP, tuple[int, int, int, float]]]:
        """Yield what `BatchApp.accounts` says, for the partitions of these topics. `ends` says where the logs end.

        May be called from another thread.
        """
        for tp, tracker in list(self.items()):
            if tp.topic in topics:
                lag = max(0, (ends.get(tp) or 0) - tracker.at)
                since = tracker.waiting_since(lag)
                behind = max(0.0, time.time() - since) if since else 0.0
                yield tp, (tracker.outstanding(), tracker.load, lag, behind)

    def budgets(self, active: Collection[TP]) -> tuple[dict[TP, int], int]:
        """Return the bytes that each partition may fetch, and those of a pool that all may use.

        Half of the memory budget is shared evenly, half is the pool: most partitions are idle most of the time, and
        busy ones need more than an even share. A partition that has used up its share is fetched while the pool lasts.
        """
        share = self._budget // 2 // max(1, len(active))
        loads = {tp: tracker.load if (tracker := self.get(tp)) else 0 for tp in active}
        pool = self._budget // 2 - sum(load - share for load in loads.values() if load > share)
        pool = pool if pool > self._budget // _SMALLEST_SHARE else 0  # small fetches would make small batches
        return {tp: max(0, share - load) for tp, load in loads.items() if load < share or pool}, pool
