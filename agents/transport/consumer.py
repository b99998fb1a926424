"""Turns fetches into Faust messages, one message per partition and fetch.

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
import time
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from faust.types.transports import TPorTopicSet
from faust.types.tuples import ack_lock

from agents.state.log_identity import Position
from agents.transport.batch import Batch, Piece
from agents.transport.fetching import FetchThread, Truncated
from agents.transport.log_check import LogCheck
from agents.transport.offsets import OffsetTracker, Trackers
from topics.health import Health

_FETCH_WAIT = 1.0  # seconds a fetch waits when nothing has arrived
_RECHECK = 0.1  # seconds it waits while a partition is over its budget, or none is active: that may change any moment
_COMMIT_LIMIT = 5.0  # seconds a commit may take when partitions are revoked or the worker stops


class Consumer(driver.Consumer):
    """Faust's consumer on aiokafka, with batches, offset trackers and bounded memory."""

    _thread: FetchThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batch_topics: frozenset[str] = cast(Any, self.app).batch_topics
        self._trackers = Trackers(cast(Any, self.app).batch_max_bytes)
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
        if strays := cast(Any, self.app.tables).strays(assigned, self._batch_topics):
            self.add_future(self._refuse_strays(strays))
        await super().on_partitions_assigned(assigned, generation_id)

    async def _refuse_strays(self, strays: set[TP]) -> None:
        await cast(Any, self.app.tables).refuse_strays(strays, self._batch_topics)
        await self._thread.refresh_metadata()

    async def perform_seek(self) -> None:
        """Seek to what the group last committed, and to the beginning of partitions without a commit.

        Ends the process when a log is not the one that was committed. Waits for Kafka.
        """
        streams = {tp for tp in self.assignment() if not self._is_changelog_tp(tp)}
        self._trackers.drop(streams)
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
        self._trackers.drop(partitions)
        await super().seek_wait(partitions)
        self._misplaced.difference_update(partitions)
        self._trackers.begin(partitions)

    async def seek(self, partition: TP, offset: int) -> None:
        """Seek to this offset. Batches under way are forgotten; the next one does not follow on anything."""
        self._trackers.drop([partition])
        await super().seek(partition, offset)
        self._trackers[partition] = OffsetTracker(offset, handed=-1)

    async def _seek(self, partition: TP, offset: int) -> None:
        await self._thread.resume_at({partition: offset})  # Faust seeks from the wrong thread

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
        budgets, pool = self._trackers.budgets(active)
        full = len(budgets) < len(active)
        pieces = await self._thread.fetch(budgets, pool, 0.0 if full else _FETCH_WAIT if budgets else _RECHECK)
        if unsure := await self._logs.look_back(pieces, self._trackers):
            self._misplaced |= unsure
            await self.sleep(_RECHECK)
        for tp, piece in pieces.items():
            await self._accept(tp, piece)
        if full and not pieces:
            await self._wait_for_acknowledgement()

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
            if cast(Any, self.app.tables).recovery.apply(tp, piece):
                tracker.at = piece.end
        else:
            await self._hand_out(tp, tracker, piece)
        self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))

    async def _hand_out(self, tp: TP, tracker: OffsetTracker, piece: Piece) -> None:
        if not piece.records:
            tracker.skip_to(piece.end)
            return
        batch, first = Batch(piece.records, tracker.handed), piece.records[0]
        message = ConsumerMessage(
            tp.topic, tp.partition, first.offset, first.timestamp / 1000, 0, [], None, cast(Any, batch), None,
            0, piece.size, tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip
        tracker.hand_out(message, batch.last, piece.end, piece.size, piece.last_record())
        if await self._pass_on(message, tracker):
            cast(Any, self.app).on_hop("taken", time.time() - message.timestamp)

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
        trackers = self._trackers.of(self._misplaced)
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
        trackers = self._trackers.of(offsets)
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
        trackers = self._trackers.of(owned)
        if {tp.partition for tp in trackers} != set(partitions):
            return False  # a seek or a revocation is under way
        positions = self._done(trackers)
        taken = await self._thread.commit_as_owner(generation, positions)
        if taken:
            cast(Any, self.app).on_committed()
        for tp, tracker in trackers.items() if taken else ():
            tracker.committed = positions[tp].offset
        return taken

    def _done(self, trackers: Mapping[TP, OffsetTracker]) -> dict[TP, Position]:
        """Return the positions up to which everything is acknowledged now."""
        return {tp: self._logs.position(tp, tracker.done(), tracker.done_record) for tp, tracker in trackers.items()}

    def accounts(self) -> Iterator[tuple[TP, tuple[int, int, int, float]]]:
        """Yield what `BatchApp.accounts` says, for the partitions of the batch topics. For any thread."""
        return self._trackers.accounts(self._batch_topics, self.app.monitor.tp_end_offsets)

    async def settle(self, grace: float) -> None:
        """Wait up to `grace` seconds for agents to finish the batches they hold, then commit what is acknowledged."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                while self._trackers.in_hand():
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
        await self.commit_and_end_transactions()

    async def commit_and_end_transactions(self) -> None:
        """Commit within a time limit: aiokafka retries until the coordinator answers, and a stop must end."""
        try:
            async with asyncio.timeout(_COMMIT_LIMIT):
                await self.commit()  # may only wait for one under way, which lacks the newest acknowledgements
                await self.commit()
        except TimeoutError:
            self.log.warning("no commit within %s seconds; the last batches will be read again", _COMMIT_LIMIT)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would report an agent that waits out an outage as stuck."""
