"""Fetches pieces of partitions in the consumer's thread, in which aiokafka runs.

Faust's `_fetch_records` returns records without saying where they began, reads *every* partition when the
set of active ones happens to be empty, and goes on doing so after the flow was stopped. A fetch that is
dropped then leaves a gap that nobody can see. Here each piece names its beginning, so that the consumer can refuse
it, and nothing is taken from aiokafka while the flow is stopped or the group is rebalancing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError, KafkaTimeoutError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from agents.state.log_identity import NO_EPOCH, Position, position_of
from agents.transport import record_batches
from agents.transport.batch import Piece
from agents.transport.leader_epochs import LeaderEpochs
from agents.transport.ordering import abort_process
from agents.transport.ownership import commit_as_owner
from topics.health import Health

_RECORD_OVERHEAD = 500  # bytes charged for a record besides its key and value: a dataclass of eleven fields
FETCH_BYTES = 8 << 20  # of one response; a larger first record is still returned whole (KIP-74)
_STOP_LIMIT = 8.0  # seconds that closing the consumer may take
_LOOP = "fetch thread"
FETCH_WAIT_MS = 250  # one request is under way at a time, so what waits at the broker delays all other partitions


class Truncated(Exception):
    """The consumer stands beyond the end of a partition: the topic was recreated, or the log lost its end."""


class FetchThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, with fetches that say where they begin and stop at a number of bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._epochs = LeaderEpochs()

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        record_batches.install()
        consumer = super()._create_consumer(loop)
        self._epochs.listen(consumer._client)
        consumer._fetch_max_bytes = FETCH_BYTES  # Faust has no setting for these three
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"  # syslog-ng writes in transactions, and again those it aborts
        return consumer

    def beat(self, health: Health) -> None:
        """Have the thread's loop note that it turns; forget it when it has ended."""
        if self.thread_loop.is_running():
            self.thread_loop.call_soon_threadsafe(health.turned, _LOOP)
        else:
            health.forget(_LOOP)

    def has_coordinator(self) -> bool:
        """Whether the group's coordinator was reached when last needed. For any thread."""
        coordinator = getattr(self._consumer, "_coordinator", None)
        return getattr(coordinator, "coordinator_id", None) is not None

    async def on_start(self) -> None:
        """Start the consumer, and watch over its membership of the group.

        aiokafka's coordination may end for good, as when a broker that comes back answers without any brokers. The
        consumer goes on then as if it were a member: it keeps its partitions for itself and gets no others.
        """
        await super().on_start()
        self._ensure_consumer()._coordinator._coordination_task.add_done_callback(_coordination_ended)

    async def on_thread_stop(self) -> None:
        """Close the consumer, but not for ever: its coordinator waits for answers of a broker that may be away.

        aiokafka also awaits fetches that it has just cancelled, and would fall over them: they are ended before.
        """
        await super(AIOKafkaConsumerThread, self).on_thread_stop()
        consumer = self._consumer
        if consumer is None:
            return
        try:
            async with asyncio.timeout(_STOP_LIMIT):
                await _end_fetches(consumer._fetcher)
                await consumer.stop()
        except (TimeoutError, KafkaError) as error:
            self.log.info("the consumer did not close: %r", error)

    async def refresh_metadata(self) -> None:
        """Let aiokafka ask for topics now; who leads the group shares partitions out again when there are others."""
        await self.call_thread(self._refresh_metadata)

    async def _refresh_metadata(self) -> None:
        await self._ensure_consumer()._client.force_metadata_update()

    async def fetch(self, budgets: Mapping[TP, int], pool: int, wait_limit: float) -> dict[TP, Piece]:
        """Take what has arrived for the partitions in `budgets`, each up to its bytes (always at least one record).

        Each may use half of the rest of `pool` besides, bytes for all of them. Waits up to `wait_limit` seconds when
        nothing has arrived. Positions move: what is returned and not handed on must be sought again.
        """
        return await self.call_thread(self._fetch, budgets, pool, wait_limit)  # type: ignore[no-any-return]

    async def _fetch(self, budgets: Mapping[TP, int], pool: int, wait_limit: float) -> dict[TP, Piece]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        consumer._coordinator.check_errors()  # such as a missing authorization
        with fetcher._subscriptions.fetch_context():  # the proof of life that max.poll.interval asks for
            found = self._take_all(fetcher, budgets, pool)
            if not found:
                await self._wait_for_data(fetcher, wait_limit)
                found = self._take_all(fetcher, budgets, pool)
        return found

    async def _wait_for_data(self, fetcher: Any, wait_limit: float) -> None:
        waiter = fetcher._create_fetch_waiter()
        await asyncio.wait([waiter], timeout=wait_limit)
        if waiter.done():
            waiter.result()  # raises what the coordinator found, such as a missing authorization
        else:
            waiter.cancel()

    def _take_all(self, fetcher: Any, budgets: Mapping[TP, int], pool: int) -> dict[TP, Piece]:
        """Take from each partition, without an await, so that positions cannot change meanwhile."""
        if not self.consumer.flow_active or fetcher._subscriptions.reassignment_in_progress:
            return {}
        found: dict[TP, Piece] = {}
        left = self.app.conf.broker_max_poll_records
        for tp in [tp for tp in fetcher._records if tp in budgets]:
            if left <= 0 or (found and isinstance(fetcher._records[tp], FetchError)):
                break
            piece = self._take(fetcher, tp, budgets[tp] + pool // 2, left)
            if piece is not None:
                found[TP(*tp)] = piece
                pool -= max(0, piece.size - budgets[tp])
                left -= len(piece.records)
        return found

    def _take(self, fetcher: Any, tp: Any, limit: int, most: int) -> Piece | None:
        result = fetcher._records[tp]
        if isinstance(result, FetchError):
            self._forget_result(fetcher, tp)
            result.check_raise()
        piece = None
        if result.check_assignment(tp) and result.has_more():
            piece = self._cut(result, limit, most)
        if not result.has_more():
            self._forget_result(fetcher, tp)
        return piece

    def _forget_result(self, fetcher: Any, tp: Any) -> None:
        del fetcher._records[tp]
        fetcher._notify(fetcher._wait_consume_future)  # go and fetch this partition again

    def _cut(self, result: Any, limit: int, most: int) -> Piece:
        """Read records until the limit; decompression is lazy, so the rest stays as small as it came."""
        state = result._assignment.state_value(result._topic_partition)
        source, begin, records, size = result._partition_records, state.position, [], 0
        for record in source:
            records.append(record)
            size += record.serialized_value_size + record.serialized_key_size + _RECORD_OVERHEAD
            if size >= limit or len(records) >= most:
                break
        else:
            result._partition_records = None
        state.consumed_to(source.next_fetch_offset)
        epoch = self._epochs.at(result._topic_partition, records[-1].offset) if records else NO_EPOCH
        return Piece(begin, state.position, records, size, epoch)

    async def rewind(self, partitions: Iterable[TP]) -> dict[TP, Position]:
        """Seek each partition to its committed offset, or to its beginning if it has none; return where they stand.

        aiokafka leaves partitions without a committed offset wherever they happen to be.
        """
        return await self.call_thread(self._rewind, list(partitions))  # type: ignore[no-any-return]

    async def _rewind(self, partitions: list[TP]) -> dict[TP, Position]:
        consumer, known = self._ensure_consumer(), await self._committed(partitions)
        for tp, position in known.items():
            consumer.seek(TopicPartition(*tp), position.offset)
        if fresh := [TopicPartition(*tp) for tp in partitions if tp not in known]:
            await consumer.seek_to_beginning(*fresh)
        return {tp: known.get(tp) or Position(await consumer.position(TopicPartition(*tp))) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return where logs begin. Waits for Kafka."""
        return await _answer(partial(super().earliest_offsets, *partitions))

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return where logs end. Waits for Kafka."""
        return await _answer(partial(super().highwaters, *partitions))

    async def committed(self, partitions: Iterable[TP]) -> dict[TP, Position]:
        """Return what the group has committed; partitions without a commit are left out. Waits for Kafka."""
        return await self.call_thread(self._committed, list(partitions))  # type: ignore[no-any-return]

    async def _committed(self, partitions: list[TP]) -> dict[TP, Position]:
        coordinator = self._ensure_consumer()._coordinator
        found = await coordinator.fetch_committed_offsets([TopicPartition(*tp) for tp in partitions])
        return {TP(*tp): position_of(one.offset, one.metadata) for tp, one in found.items() if one.offset > 0}

    async def commit_positions(self, positions: Mapping[TP, Position]) -> bool:
        """Commit; False if the group has given the partitions to somebody else. Waits while Kafka is away.

        Raises errors that do not pass. (Faust's `commit` takes no metadata, and ends the process when partitions are
        revoked meanwhile.)
        """
        return await self.call_thread(self._commit_positions, dict(positions))  # type: ignore[no-any-return]

    async def _commit_positions(self, positions: dict[TP, Position]) -> bool:
        owned = self.assignment()
        try:
            await self._ensure_consumer().commit({
                TopicPartition(*tp): OffsetAndMetadata(position.offset, position.metadata())
                for tp, position in positions.items()
                if tp in owned
            })  # fmt: skip
        except (CommitFailedError, IllegalStateError) as error:
            self.log.info("not committed: %s", error)
            return False
        except KafkaError as error:
            await self.crash(error)
            return False
        return True

    async def commit_as_owner(self, generation: int, positions: Mapping[TP, Position]) -> bool:
        """Commit positions under a generation; True once the broker has accepted them (see `ownership`)."""
        return await self.call_thread(self._commit_as_owner, generation, positions)  # type: ignore[no-any-return]

    async def _commit_as_owner(self, generation: int, positions: Mapping[TP, Position]) -> bool:
        return await commit_as_owner(self._ensure_consumer()._coordinator, generation, positions)

    async def resume_at(self, wanted: Mapping[TP, int]) -> dict[TP, int]:
        """Seek to the wanted offsets, or to the log's beginning where retention has overtaken them; return the result.

        Raises `Truncated` for an offset beyond the end of its log.
        """
        return await self.call_thread(self._resume_at, dict(wanted))  # type: ignore[no-any-return]

    async def _resume_at(self, wanted: dict[TP, int]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        owned = {tp: offset for tp, offset in wanted.items() if tp in self.assignment()}
        first, end = await consumer.beginning_offsets(owned), await consumer.end_offsets(owned)
        for tp, offset in owned.items():
            if offset > end[tp]:
                raise Truncated(f"{tp.topic}-{tp.partition}: stands at {offset}, but the log ends at {end[tp]}")
            owned[tp] = max(offset, first[tp])
            consumer.seek(tp, owned[tp])
        return owned


async def _answer(question: Callable[[], Awaitable[Mapping[TP, int]]]) -> Mapping[TP, int]:
    """Ask until Kafka answers: aiokafka gives up after the request timeout, and so would Faust."""
    while True:
        with contextlib.suppress(KafkaTimeoutError):
            return await question()


async def _end_fetches(fetcher: Any) -> None:
    tasks = {fetcher._fetch_task, *fetcher._pending_tasks}
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    fetcher._pending_tasks.clear()


def _coordination_ended(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        abort_process(f"the group goes on without this worker: {error}")
