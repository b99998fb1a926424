"""Connects a changelog to Faust as a table that follows the assignment and recovers whole pieces at a time.

Nothing is read or written through Faust's mapping interface. Users keep to `store.parts`, write through
`ChangelogPartition` and `app.delivery`, and read only from parts that are `recovered`.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Generic, cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from faust.stores.memory import Store
from faust.tables import Table
from faust.types import TP

from agents.runtime.kafka_retry import retry_until_answered
from agents.state.changelog import ChangelogPartition, S
from agents.transport import BatchApp
from topics.kafka.admin import durability
from topics.kafka.client import client_conf

_TIMEOUT = 30.0  # seconds that Kafka has for one answer
_REFUSALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_REPLICATION_FACTOR,
}
"""Errors that waiting does not cure."""
_AGAIN = 0.1  # seconds before Kafka is asked again
_DAY = 86_400
_TOMBSTONES = 3_600_000  # milliseconds that an erasure stays readable: longer than any recovery

log = logging.getLogger("ogrewatch.transport")


class ChangelogStore(Store[Any, Any], Generic[S]):
    """Parts of the partitions that this worker owns. `moving` is true from a revocation until the next recovery."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.parts: dict[int, ChangelogPartition[S]] = {}
        self.moving = True
        self._generation = 0

    @property
    def generation(self) -> int:
        """The generation of the group in which this worker was given its parts, or kept them."""
        return self._generation

    def part_of(self, message: Any) -> ChangelogPartition[S] | None:
        """The part that a message belongs to; None if it is not complete, or the message's assignment is over."""
        part, current = self.parts.get(message.partition), cast(Any, self.app).consumer_generation_id
        return part if part is not None and part.recovered and message.generation_id == current else None

    def recovered(self) -> list[ChangelogPartition[S]]:
        """The parts that this worker owns as far as it knows, and that are complete."""
        return [part for part in self.parts.values() if part.recovered]

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget what is not ours any more; all of it, if somebody else may have owned it meanwhile."""
        topic, make_store = self.table._changelog_topic_name(), cast(ChangelogTable[S], self.table).make_store
        mine = {tp.partition for tp in assigned if tp.topic == topic}
        kept = self.parts if generation_id == self._generation + 1 else {}
        self.parts = {p: kept[p] if p in kept else ChangelogPartition(topic, p, make_store(p)) for p in sorted(mine)}
        for partition in mine - kept.keys():
            cast(Any, self.app.tables).recovery.revoke(TP(topic, partition))  # recovery begins at the beginning
        self._generation = generation_id

    def apply_records(self, partition: int, records: Sequence[Any]) -> None:
        """Take a piece of the changelog. A part that is recovered already knows better."""
        part = self.parts[partition]
        if not part.recovered:
            part.apply(records)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Open the parts that are complete now."""
        generation, moves = self._generation, self.app.rebalancing_count
        for part in list(self.parts.values()):
            if not part.recovered:
                await cast(ChangelogTable[S], self.table).open_partition(part)
                part.generation = generation
        if self.app.rebalancing_count == moves:
            self.moving = False


class ChangelogTable(Table[Any, Any], Generic[S]):
    """A table whose store is a `ChangelogStore`. It creates its changelog as it starts; then `partitions_there` says
    how many partitions that has.

    `beside` names the topics that must have as many partitions; `keep` is for how many seconds entries are kept.
    `make_store(partition, partitions)` makes the store of a partition out of so many. `open_partition` is awaited for
    each part once it is complete, before anything is processed by it.
    """

    def __init__(
        self,
        app: BatchApp,
        name: str,
        *,
        servers: str,
        beside: Sequence[str],
        replication: int,
        keep: float,
        make_store: Callable[[int, int], S],
        open_partition: Callable[[ChangelogPartition[S]], Awaitable[None]],
    ) -> None:
        super().__init__(app, name=name, key_type=bytes, value_type=bytes)
        self._servers, self._beside, self._replication, self._keep = servers, beside, replication, keep
        self._make_store, self.open_partition = make_store, open_partition
        self.partitions_there = 0

    def make_store(self, partition: int) -> S:
        """Make the store of a partition."""
        return self._make_store(partition, self.partitions_there)

    def _changelog_topic_name(self) -> str:
        return changelog_name(cast(BatchApp, self.app), self.name)

    def _new_store(self) -> ChangelogStore[S]:
        raw: dict[str, Any] = {
            "key_type": bytes,
            "value_type": bytes,
            "key_serializer": "raw",
            "value_serializer": "raw",
        }
        return ChangelogStore("memory://", self.app, self, table_name=self.name, loop=self.loop, **raw)

    async def on_start(self) -> None:
        """Create the changelog, with as many partitions as the topics `beside` it have."""
        self.app.on_partitions_revoked.connect(self._on_partitions_revoked, weak=False)
        await self.add_runtime_dependency(self.data)
        arguments = self._servers, self._changelog_topic_name(), self._beside, self._replication, self._keep
        self.partitions_there = await retry_until_answered(
            log, "look at the changelog", partial(create_changelog, *arguments)
        )

    async def _on_partitions_revoked(self, *_: Any, **__: Any) -> None:
        self.store.moving = True

    @property
    def store(self) -> ChangelogStore[S]:
        """The store; made when the event loop runs."""
        return cast(ChangelogStore[S], self.data)


def changelog_name(app: BatchApp, table: str) -> str:
    """Return the changelog topic of an app's table, as Faust names it."""
    return f"{app.conf.id}-{table}-changelog"


def create_changelog(servers: str, topic: str, beside: Sequence[str], replication: int, keep: float) -> int:
    """Create a changelog with as many partitions as the topics `beside` it, unless it is there, and return how many.

    Blocks. Raises `ValueError` when one of them is missing, or partitions differ: entries would no longer be where
    their events are.
    """
    client = AdminClient(client_conf(servers) | {"log_level": 3})
    found = client.list_topics(timeout=_TIMEOUT).topics
    counts = {name: len(found[name].partitions) if name in found else 0 for name in beside}
    if missing := [name for name, number in counts.items() if not number]:
        raise ValueError(f"there is no topic {', '.join(missing)}; `ogrewatch topics create` creates what is missing")
    if len(set(counts.values())) != 1:
        raise ValueError(f"all of these need the same number of partitions: {counts}")
    partitions = next(iter(counts.values()))
    if topic not in found:
        _create(client, NewTopic(topic, partitions, replication, config=_config(keep) | durability(replication)))
    elif len(found[topic].partitions) != partitions:
        raise ValueError(f"{topic} has {len(found[topic].partitions)} partitions, {beside[0]} has {partitions}")
    return partitions


def _create(client: AdminClient, topic: NewTopic) -> None:
    try:
        client.create_topics([topic], operation_timeout=_TIMEOUT)[topic.topic].result(2 * _TIMEOUT)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None
    except KafkaException as error:
        if error.args[0].code() in _REFUSALS:
            raise ValueError(f"{topic.topic} cannot be created: {error.args[0].str()}") from None
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    _await_leaders(client, topic.topic)


def _await_leaders(client: AdminClient, name: str) -> None:
    """Wait until a new topic has all its leaders: the group shares out only the partitions that it knows of."""
    until = time.monotonic() + _TIMEOUT
    while time.monotonic() < until:
        found = client.list_topics(name, timeout=_TIMEOUT).topics[name]
        if found.error is None and found.partitions and all(one.leader >= 0 for one in found.partitions.values()):
            return
        time.sleep(_AGAIN)


def _config(keep: float) -> dict[str, str]:
    """Compaction leaves the active segment alone: a segment must not outlive what its entries are kept for."""
    segment = str(int(max(60.0, min(keep, _DAY) / 4) * 1000))
    return {
        "cleanup.policy": "compact",
        "segment.ms": segment,
        "segment.bytes": str(64 << 20),
        "max.compaction.lag.ms": segment,
        "min.cleanable.dirty.ratio": "0.2",
        "delete.retention.ms": str(_TOMBSTONES),
    }
