"""Ends the process when Kafka has lost the end of a log that was processed, before the new log is processed."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from faust.types import TP

from agents.runtime.kafka_retry import retry_until_answered
from agents.state.log_identity import LastRecord, Position, differences, recreated_since
from agents.transport.batch import Piece
from agents.transport.offsets import OffsetTracker
from agents.transport.ordering import abort_process
from topics.kafka.topic_ids import identities

log = logging.getLogger("ogrewatch.transport")


class LogCheck:
    """Compares logs with what one consumer processed of them; `docs/truncated-logs.md` explains why and when."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._topic_ids: dict[str, str] = {}
        self._confirmed: dict[TP, Position] = {}

    def forget(self) -> None:
        """Forget what was compared: another assignment begins."""
        self._confirmed.clear()

    def position(self, tp: TP, offset: int, record: LastRecord | None) -> Position:
        """Return what is committed with an offset; `record` is the last one below it."""
        return Position(offset, self._topic_ids.get(tp.topic), record)

    async def confirm(self, positions: Mapping[TP, Position]) -> None:
        """Compare logs with what was committed, unless that was done for this assignment. Waits for Kafka."""
        unknown = {tp: position for tp, position in positions.items() if self._confirmed.get(tp) != position}
        if unknown:
            await retry_until_answered(
                log, "look at the topics", partial(self._compare, unknown, {tp.topic for tp in unknown})
            )
            self._confirmed.update(unknown)

    async def at(self, trackers: Mapping[TP, OffsetTracker]) -> None:
        """Compare logs with what was handed out of them. Waits for Kafka."""
        positions = {tp: self.position(tp, tracker.at, tracker.record) for tp, tracker in trackers.items()}
        await retry_until_answered(log, "look at the topics", partial(self._compare, positions))

    async def look_back(self, pieces: Mapping[TP, Piece], trackers: Mapping[TP, OffsetTracker]) -> set[TP]:
        """Check that the new leader of a partition has the records that were handed out before.

        Returns the partitions for which Kafka did not answer: their pieces must not be handed out.
        """
        positions = {
            tp: self.position(tp, tracker.at, tracker.record)
            for tp, piece in pieces.items()
            if piece.records
            and (tracker := trackers.get(tp)) is not None
            and tracker.record is not None
            and tracker.record.epoch != piece.epoch
        }
        if not positions:
            return set()
        try:
            await asyncio.to_thread(self._compare, positions)
        except KafkaException as error:
            log.info("cannot look back yet: %s", error)
            return set(positions)
        return set()

    async def watch(self) -> None:
        """End the process if a topic was created again since the assignment; nothing if Kafka does not answer."""
        if found := await recreated_since(self._app.servers, dict(self._topic_ids)):
            abort_process(
                f"{found}, and what is committed is of the old one. docs/truncated-logs.md says how to go on."
            )

    def _compare(self, positions: Mapping[TP, Position], topics: Collection[str] = ()) -> None:
        """Learn the ids of `topics`, then compare; blocks. Raises `KafkaException`."""
        if topics:
            self._topic_ids |= identities(self._app.servers, topics)
        places = {(tp.topic, tp.partition): position for tp, position in positions.items()}
        if found := differences(self._app.servers, places, self._topic_ids):
            abort_process(f"{'; '.join(found[at] for at in sorted(found))}. {self._app.truncation_help}")
