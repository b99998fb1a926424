"""Turns fetches into Faust messages: one message per partition and fetch for topics that are read in batches.

Faust's consumer tracks single offsets and guesses what is missing between them. This one keeps an `OffsetTracker` for
each partition. It says which offset comes next, and only a piece that begins exactly there is handed on. Everything
that can go wrong with positions (fetches that overlap a seek, a rebalance or a stop of the flow; calls that are
cancelled half-way; messages that are dropped before they reach the stream) thereby becomes one case: the next piece
begins elsewhere, and the consumer seeks back to the tracker's position. That replaces, of Faust 0.15.3:

- `_drain_messages`: drops messages below `_read_offset`, and takes anything above for a gap of the log (#596);
- `_add_gap`: marks the message *after* a gap as done, too (#312);
- `_new_offset`: does not check the first offset before the first commit and one that is off by one after it (#606);
- `perform_seek`: does not move partitions that have nothing committed (#318), nor changelogs whose fetch was dropped;
- `_commit_offsets`: takes a commit that failed for done (#611).

Numbers are issues of https://github.com/faust-streaming/faust; docs/faust.md has all overrides, with their tests.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from faust.types.transports import TPorTopicSet
from faust.types.tuples import ack_lock

from agents.runtime.kafka_retry import retry_until_answered
from agents.state.log_identity import LastRecord, Position, checksum
from agents.transport.batch import Batch, Piece
from agents.transport.fetching import RECORD_OVERHEAD, FetchThread, Truncated
from agents.transport.log_check import LogCheck
from agents.transport.offsets import OffsetTracker
from agents.transport.ordering import abort_process
from topics.health import Health
from topics.kafka.topic_ids import partition_counts

_FETCH_WAIT = 1.0  # seconds a fetch waits when nothing has arrived
_RECHECK = 0.1  # seconds it waits while a partition is over its budget, or none is active: that may change any moment
_SMALLEST_SHARE = 32  # a fetch needs more than this fraction (1/32) of the memory budget: small fetches cost most
_COMMIT_LIMIT = 5.0  # seconds a commit may take when partitions are revoked or the worker stops

log = logging.getLogger("ogrewatch.transport")


class Consumer(driver.Consumer):
    """Faust's consumer on aiokafka, with batches, offset trackers and bounded memory."""

    _thread: FetchThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batch_topics: frozenset[str] = cast(Any, self.app).batch_topics
        self._budget: int = cast(Any, self.app).batch_max_bytes
        self._trackers: dict[TP, OffsetTracker] = {}
        self._acknowledged = asyncio.Event()
        self._misplaced: set[TP] = set()  # partitions whose fetches do not begin at their tracker's position
        self._logs = LogCheck(self.app)

    def beat(self, health: Health) -> None:
        """Have the thread's loop note that it turns, if it runs."""
        self._thread.beat(health)

    def has_coordinator(self) -> bool:
        """Whether the group's coordinator was reached when last needed. For any thread."""
        return self._thread.has_coordinator()

    def _new_consumer_thread(self) -> FetchThread:
        return FetchThread(self, loop=self.loop, beacon=self.beacon)

    # Positions: whatever changes one drops the partition's tracker and makes a new one.

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Drop all trackers, once Faust has stopped the flow and `settle` has committed what it could."""
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            self._trackers.clear()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin a generation without trackers: recovery makes them as it seeks."""
        self._trackers.clear()
        self._misplaced.clear()
        self._logs.forget()
        cast(Any, self.app).assigned()
        if strays := self._strays(assigned):
            self.add_future(self._refuse_strays(strays))
        await super().on_partitions_assigned(assigned, generation_id)

    def _strays(self, assigned: set[TP]) -> set[TP]:
        """Return partitions that were assigned without those of the tables: they are not read."""
        kept = {tp.partition for tp in assigned if self._is_changelog_tp(tp)}
        strays = {tp for tp in assigned if tp.topic in self._batch_topics and tp.partition not in kept}
        return strays if self.app.tables else set()

    async def _refuse_strays(self, strays: set[TP]) -> None:
        """End the process when topics have other partitions than the tables.

        If they have not, the leader of the group did not know all topics yet (they are new, or the broker has just come
        back). It assigns the partitions again when it does, half a minute later at most.
        """
        app, names = cast(Any, self.app), ", ".join(sorted(f"{tp.topic}-{tp.partition}" for tp in strays))
        topics = {*self._batch_topics, *app.tables.changelog_topics}
        counts = await retry_until_answered(log, "look at the topics", partial(partition_counts, app.servers, topics))
        if len(set(counts.values())) > 1 and 0 not in counts.values():
            abort_process(f"the tables have no such partitions as {names}: were partitions added to topics?")
        log.warning("%s came without their tables: the group does not know all topics yet", names)
        await self._thread.refresh_metadata()

    async def perform_seek(self) -> None:
        """Seek to what the group last committed, and to the beginning of partitions without a commit.

        Ends the process when a log is not the one that was committed. Waits for Kafka.
        """
        streams = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        self._drop_trackers(streams)
        if not streams:
            return
        positions = await self._thread.rewind(streams)
        await self._logs.confirm(positions)
        self._misplaced.difference_update(positions)
        for tp, position in positions.items():
            self._trackers[tp] = OffsetTracker(position.offset, record=position.record)

    async def watch_topics(self) -> None:
        """End the process if a topic that it reads was created again since the assignment."""
        await self._logs.watch()

    async def confirm_logs(self) -> None:
        """End the process when a log is not the one that was committed. Waits for Kafka."""
        streams = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        if streams:
            await self._logs.confirm(await self._thread.committed(streams))

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek to these offsets; recovery calls this for its changelogs."""
        self._drop_trackers(partitions)
        await super().seek_wait(partitions)
        self._make_trackers(partitions)

    async def seek(self, partition: TP, offset: int) -> None:
        """Seek to this offset. Batches under way are forgotten; the next one does not follow on anything."""
        self._drop_trackers([partition])
        await super().seek(partition, offset)
        self._trackers[partition] = OffsetTracker(offset, handed=-1)

    async def _seek(self, partition: TP, offset: int) -> None:
        await self._thread.resume_at({partition: offset})  # Faust seeks from the wrong thread

    def _drop_trackers(self, partitions: Iterable[TP]) -> None:
        for tp in partitions:
            self._trackers.pop(tp, None)

    def _make_trackers(self, positions: Mapping[TP, int]) -> None:
        self._misplaced.difference_update(positions)
        self._trackers.update((tp, OffsetTracker(offset)) for tp, offset in positions.items())

    # Fetching

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._turn()
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _turn(self) -> None:
        """Fetch, and hand on the pieces that begin at their tracker's position."""
        if not self.flow_active:
            await self.wait(cast(Any, self.can_resume_flow))
            return
        if self._misplaced:
            await self._seek_back()
        active = set(self._get_active_partitions())
        budgets, pool = self._budgets(active)
        full = len(budgets) < len(active)
        pieces = await self._thread.fetch(budgets, pool, 0.0 if full else _FETCH_WAIT if budgets else _RECHECK)
        if unsure := await self._logs.look_back(pieces, self._trackers):
            self._misplaced |= unsure
            await self.sleep(_RECHECK)
        for tp, piece in pieces.items():
            await self._accept(tp, piece)
        if full and not pieces:
            await self._wait_for_acknowledgement()

    def _budgets(self, active: set[TP]) -> tuple[dict[TP, int], int]:
        """Return the bytes that each partition may fetch, and those of a pool that all may use.

        Half of the memory budget is shared evenly, half is the pool: most partitions are idle most of the time, and
        busy ones need more than an even share. A partition that has used up its share is fetched while the pool lasts.
        """
        share = self._budget // 2 // max(1, len(active))
        loads = {tp: tracker.load if (tracker := self._trackers.get(tp)) else 0 for tp in active}
        pool = self._budget // 2 - sum(load - share for load in loads.values() if load > share)
        pool = pool if pool > self._budget // _SMALLEST_SHARE else 0  # small fetches would make small batches
        return {tp: max(0, share - load) for tp, load in loads.items() if load < share or pool}, pool

    async def _wait_for_acknowledgement(self) -> None:
        self._acknowledged.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RECHECK):
                await self._acknowledged.wait()

    async def _accept(self, tp: TP, piece: Piece) -> None:
        tracker = self._trackers.get(tp)
        if tracker is None or tp in self._misplaced:
            return  # a seek is coming: it decides what is fetched next
        if tracker.at != piece.begin or not self.flow_active:
            self._misplaced.add(tp)
            return
        if self._is_changelog_tp(tp):
            await self._apply(tp, tracker, piece)
        elif tp.topic in self._batch_topics:
            await self._hand_out_batch(tp, tracker, piece)
        else:
            await self._hand_out_records(tp, tracker, piece)
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))

    async def _apply(self, tp: TP, tracker: OffsetTracker, piece: Piece) -> None:
        if await cast(Any, self.app.tables).recovery.apply(tp, piece):
            tracker.at = piece.end

    async def _hand_out_batch(self, tp: TP, tracker: OffsetTracker, piece: Piece) -> None:
        if not piece.records:
            tracker.skip_to(piece.end)
            return
        batch, first = Batch(piece.records, tracker.handed), piece.records[0]
        message = ConsumerMessage(
            tp.topic, tp.partition, first.offset, first.timestamp / 1000, 0, [], None, cast(Any, batch), None,
            0, piece.size, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        last = piece.records[-1]
        record = LastRecord(last.offset, last.timestamp, checksum(last.key, last.value), piece.epoch)
        tracker.hand_out(message, batch.last, piece.end, piece.size, record)
        if await self._pass_on(message, tracker):
            cast(Any, self.app).on_hop("taken", time.time() - message.timestamp)

    async def _hand_out_records(self, tp: TP, tracker: OffsetTracker, piece: Piece) -> None:
        for record in piece.records:
            message = self._to_message(tp, record)
            tracker.hand_out(message, record.offset, record.offset + 1, RECORD_OVERHEAD)
            if not await self._pass_on(message, tracker):
                return
        tracker.skip_to(piece.end)

    async def _pass_on(self, message: Message, tracker: OffsetTracker) -> bool:
        """Pass a message to the streams; take it back if the flow stops meanwhile, since it may not have arrived."""
        await self.wait_first(self.callback(message), cast(Any, self.suspend_flow))
        if self.flow_active:
            return True
        tracker.take_back(message)
        self._misplaced.add(message.tp)
        return False

    async def _seek_back(self) -> None:
        """Seek partitions back to their tracker's position; try again in the next turn if Kafka does not answer."""
        trackers = {tp: self._trackers[tp] for tp in self._misplaced if tp in self._trackers}
        try:
            starts = await self._thread.resume_at({tp: tracker.at for tp, tracker in trackers.items()})
        except Truncated:
            await self._logs.at(trackers)
            return
        except (IllegalStateError, KafkaError) as error:  # a rebalance, or an outage
            self.log.info("cannot seek back yet: %r", error)
            await self.sleep(_RECHECK)
            return
        for tp, start in starts.items():
            if start > trackers[tp].at:
                self.log.warning("%s-%s: %s..%s was deleted before it was read", *tp, trackers[tp].at, start - 1)
                trackers[tp].skip_to(start)
        self._misplaced.clear()

    # Acknowledging and committing

    def ack(self, message: Message) -> bool:
        """Acknowledge a message; False if its assignment is over, or if it was acknowledged before."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            tracker = self._trackers.get(message.tp)
            counts = tracker is not None and tracker.release(message)
        if counts:
            self._n_acked += 1
            if message.topic in self._batch_topics:
                message.value = None  # frees the records once the agent drops them
                cast(Any, self.app).on_hop("done", time.time() - message.timestamp)
        self._acknowledged.set()
        return counts

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        for tp in list(self._trackers):
            if (topics is None or tp in topics or tp.topic in topics) and not self._is_changelog_tp(tp):
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        self._acked.pop(tp, None)  # Faust's compiled stream fills these
        self._acked_index.pop(tp, None)
        tracker = self._trackers.get(tp)
        done = tracker.done() if tracker else None
        return done if tracker and done != tracker.committed else None

    def _should_commit(self, tp: TP, offset: int) -> bool:
        """Return True: Faust remembers the offset even of a commit that failed (#611), and holds back lower ones."""
        return True

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        trackers = {tp: self._trackers[tp] for tp in offsets if tp in self._trackers}
        positions = self._done(trackers)
        committed = await self._thread.commit_positions(positions)
        if committed:  # else the next round tries again
            for tp, tracker in trackers.items():
                tracker.committed = positions[tp].offset
            cast(Any, self.app).on_committed()
        return committed

    def committed_offset(self, tp: TP) -> int:
        """Return what was committed last, or where reading began; 0 for a partition that is not assigned."""
        tracker = self._trackers.get(tp)
        return tracker.committed if tracker is not None else 0

    async def commit_as_owner(self, generation: int, partitions: Collection[int]) -> bool:
        """Commit, under a generation, what of these partitions of the batch topics is acknowledged, new or not.

        True once the broker has accepted it: nobody else had been given them until then.
        """
        owned = [tp for tp in self._trackers if tp.topic in self._batch_topics and tp.partition in partitions]
        trackers = {tp: self._trackers[tp] for tp in owned}
        if {tp.partition for tp in trackers} != set(partitions):
            return False  # a seek or a revocation is under way
        positions = self._done(trackers)
        taken = await self._thread.commit_as_owner(generation, positions)
        for tp, tracker in trackers.items() if taken else ():
            tracker.committed = positions[tp].offset
        return taken

    def _done(self, trackers: Mapping[TP, OffsetTracker]) -> dict[TP, Position]:
        """Return the positions up to which everything is acknowledged now."""
        return {tp: self._logs.position(tp, tracker.done(), tracker.done_record) for tp, tracker in trackers.items()}

    def accounts(self) -> Iterator[tuple[TP, tuple[int, int, int, float]]]:
        """Yield what `BatchApp.accounts` says, for the partitions of the batch topics. For any thread."""
        for tp, tracker in list(self._trackers.items()):
            if tp.topic in self._batch_topics:
                end = self.app.monitor.tp_end_offsets.get(tp) or 0
                lag = max(0, end - tracker.at)
                since = tracker.waiting_since(lag)
                behind = max(0.0, time.time() - since) if since else 0.0
                yield tp, (tracker.outstanding(), tracker.load, lag, behind)

    async def settle(self, grace: float) -> None:
        """Wait up to `grace` seconds for agents to finish the batches they hold, then commit what is acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while any(tracker.in_hand() for tracker in self._trackers.values()):
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        await self.commit_and_end_transactions()

    async def commit_and_end_transactions(self) -> None:
        """Commit within a time limit: aiokafka retries until the coordinator answers, and a stop must end."""
        try:
            async with asyncio.timeout(_COMMIT_LIMIT):
                await (
                    self.commit()
                )  # this may only wait for a commit under way, which lacks the newest acknowledgements
                await self.commit()
        except TimeoutError:
            self.log.warning("no commit within %s seconds; the last batches will be read again", _COMMIT_LIMIT)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would report an agent that waits out an outage as stuck."""
