"""Recovers tables from changelogs: Faust's recovery, with four faults that lost entries removed.

Every table has a store with `apply_records(partition, records)`, which takes the records of a changelog as they are.
There are no standby tables.

- A fetch that is under way when partitions are revoked goes on, and takes records of partitions that are assigned next.
  It could take the beginning of a changelog that recovery had just sought, be dropped because the generation had
  changed, and recovery went on behind it. The consumer's offset tracker refuses what does not begin at its position.
- Changelog events pass through a queue that is emptied whenever the flow resumes, and through buffers applied later.
  Here the consumer hands over each piece directly (`apply`), so what was read and what was applied are the same.
- An event of a partition that is no longer assigned is applied to the table of the event before it, and its offset is
  noted; the next time that partition is assigned, recovery begins behind all entries before. Here it is refused.
- A generation that has ended still deletes the entries of partitions that it does not own, in tasks that nobody waits
  for. Here the generation is compared first, and its tasks are cancelled with it.

Besides, an exception in recovery ends the process: Faust logs it and goes on without the entries. And the end of a
piece counts, not the offset of its last record: Faust waits for ever for a record that compaction removed (#176).

Numbers are issues of https://github.com/faust-streaming/faust; docs/faust.md has all overrides, with their tests.
"""

import logging
from collections.abc import Collection
from functools import partial
from typing import Any, cast

from faust.tables.manager import TableManager as FaustTableManager
from faust.tables.recovery import Recovery as FaustRecovery
from faust.types import TP
from mode import Service

from agents.runtime.kafka_retry import retry_until_answered
from agents.transport.batch import Piece
from agents.transport.ordering import abort_process
from topics.kafka.topic_ids import partition_counts

log = logging.getLogger("ogrewatch.transport")


class Recovery(FaustRecovery):
    """Reads changelogs of newly assigned partitions up to their end, then lets the streams flow."""

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Prepare to recover; after a generation in which others may have written, from the very beginning."""
        if generation_id != self._generation_id + 1:
            self.active_offsets.clear()
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)

    @Service.task
    async def _slurp_changelogs(self) -> None:
        """Do nothing: no changelog comes through the queue that Faust's task of this name waits on."""

    async def _seek_offsets(self, consumer: Any, tps: set[TP], offsets: Any, title: str) -> None:
        """Seek behind the last offset seen. Faust seeks to it, which at the log's beginning is out of range."""
        self.signal_recovery_end.clear()
        await consumer.seek_wait({tp: offsets[tp] + 1 for tp in tps})

    async def _wait(self, coro: Any, *_: Any, **__: Any) -> None:
        """Wait without a time limit: Faust gives up after a time, and goes on as if it had the answer."""
        await super()._wait(coro)

    def apply(self, tp: TP, piece: Piece) -> bool:
        """Apply one piece of a changelog, which continues the piece before it; False if nobody recovers this now."""
        if tp not in self.active_tps:
            return False
        cast(Any, self.tp_to_table[tp]).data.apply_records(tp.partition, piece.records)
        self.active_offsets[tp] = piece.end - 1
        if self.in_recovery and not self.need_recovery():
            self.signal_recovery_end.set()
        return True

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Let the tables drop what they do not own, then start the streams."""
        if self._stale(generation_id):
            return
        await self.app.on_rebalance_complete.send()
        self._set_recovery_ended()
        # First the logs: of another log nothing can be said by comparing tables.
        await self._wait(cast(Any, self.app.consumer).confirm_logs())
        for table in list(self.tables.values()):
            await table.on_recovery_completed(set(self.actives_for_table[table]), set())
        await self._start_streams(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Start the streams of an app without tables; after the seek, not before it (#216)."""
        if self._stale(generation_id):
            return
        await self.app.on_rebalance_complete.send()
        await self._start_streams(generation_id)

    def _stale(self, generation_id: int) -> bool:
        return self.app.consumer_generation_id != generation_id

    async def _start_streams(self, generation_id: int) -> None:
        """Seek with the flow stopped, then start it: Faust resumes partitions first and loses the race (#596)."""
        app, consumer = cast(Any, self.app), self.app.consumer
        consumer.stop_flow()
        app.flow_control.suspend()
        assignment = consumer.assignment()
        if assignment:
            await self._wait(consumer.perform_seek())  # however long Kafka is away
        if self._stale(generation_id):
            return
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        app.serves(generation_id)


class TableManager(FaustTableManager):
    """Uses this recovery, starts without Faust's pause of a second, and knows partitions that no table has."""

    @property
    def recovery(self) -> Recovery:
        """Return the one recovery service, made on first use."""
        if self._recovery is None:
            self._recovery = Recovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return cast(Recovery, self._recovery)

    async def on_start(self) -> None:
        """Subscribe to the changelogs and wait for the first assignment."""
        await self._update_channels()
        await self.recovery.start()

    def strays(self, assigned: Collection[TP], topics: Collection[str]) -> set[TP]:
        """Return partitions of `topics` that were assigned without those of the tables: they are not read."""
        kept = {tp.partition for tp in assigned if tp.topic in self.changelog_topics}
        strays = {tp for tp in assigned if tp.topic in topics and tp.partition not in kept}
        return strays if self else set()

    async def refuse_strays(self, strays: Collection[TP], topics: Collection[str]) -> None:
        """End the process when `topics` have other partitions than the tables. Waits for Kafka.

        If they have not, the leader of the group did not know all topics yet (they are new, or the broker has just come
        back). It assigns the partitions again when it does, half a minute later at most.
        """
        names = ", ".join(sorted(f"{tp.topic}-{tp.partition}" for tp in strays))
        ask = partial(partition_counts, cast(Any, self.app).servers, {*topics, *self.changelog_topics})
        counts = await retry_until_answered(log, "look at the topics", ask)
        if len(set(counts.values())) > 1 and 0 not in counts.values():
            abort_process(f"the tables have no such partitions as {names}: were partitions added to topics?")
        log.warning("%s came without their tables: the group does not know all topics yet", names)
