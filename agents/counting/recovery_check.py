"""Checks that a recovered partition of the counts agrees with Kafka before it is counted on.

The topics must be the same ones as before. No offset may be committed that the counts do not cover, and none may be
covered that does not exist.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from agents.counting.partition_counts import InconsistentState
from agents.runtime.kafka_retry import retry_until_answered
from agents.settings import Settings
from agents.state.log_identity import recreated_since
from topics.catalogue import RAW, REPLAY
from topics.kafka.client import client_conf
from topics.kafka.topic_ids import identities, partition_counts, recreated

_TIMEOUT = 10.0  # seconds that Kafka has for one answer

logger = logging.getLogger("ogrewatch.count")


@dataclass(frozen=True, slots=True)
class Facts:
    """What Kafka says about a typed partition. `committed` is -1 when the group has committed nothing."""

    committed: int
    begin: int
    end: int


class CheckedLog(Protocol):
    """One partition of a topic, read up to `position`. `ids` are those of the topics that it depends on."""

    topic: str
    partition: int
    position: int
    ids: dict[str, str]

    def resume(self) -> None:
        """Go on from what was recovered."""


class CheckedStore(Protocol):
    """The logs of one partition number."""

    @property
    def by_topic(self) -> Mapping[str, CheckedLog]:
        """The logs."""


class RecoveryCheck:
    """Compares the counts of a group with its topics and commits. `changelog` is named in errors."""

    def __init__(self, settings: Settings, group: str, changelog: str) -> None:
        self._servers, self._group, self._changelog = settings.kafka, group, changelog
        self._raw = [settings.prefix + topic.name for topic in (*RAW, REPLAY)]

    async def check(self, store: CheckedStore) -> None:
        """Resume the counts of a store. Waits for Kafka; raises `InconsistentState`."""
        partitions = list(store.by_topic.values())
        ids, facts = await retry_until_answered(logger, "look at the topics", partial(self._ask, partitions))
        for counts in partitions:
            self.resume(counts, ids, facts[counts.topic])

    def resume(self, counts: CheckedLog, ids: dict[str, str], facts: Facts) -> None:
        """Resume the counts of one partition from what was recovered. Raises `InconsistentState`."""
        where = f"{counts.topic}-{counts.partition}"
        counts.resume()
        _refuse(recreated(counts.ids, ids))
        counts.ids = {**counts.ids, **{name: ids[name] for name in (counts.topic, *self._raw) if name in ids}}
        if facts.begin > counts.position + 1:
            if counts.position >= 0:
                logger.warning(
                    "%s: %s..%s were deleted before they were counted", where, counts.position + 1, facts.begin - 1
                )
            counts.position = facts.begin - 1
        if facts.committed > counts.position + 1:
            raise InconsistentState(
                f"{where}: the table covers offsets up to {counts.position}, but all before {facts.committed} were "
                f"acknowledged; {self._changelog} has lost records"
            )
        if counts.position >= facts.end:
            raise InconsistentState(
                f"{where}: the table covers offsets up to {counts.position}, but the topic ends at {facts.end}"
            )

    async def watch(self, known: Sequence[CheckedLog], partitions: int) -> None:
        """Check that the topics are still the same, and that they and the changelog still have so many partitions.

        Does nothing if Kafka does not answer. Raises `InconsistentState`.
        """
        before = {name: identity for counts in known for name, identity in counts.ids.items()}
        _refuse(await recreated_since(self._servers, before))
        if before:
            with contextlib.suppress(KafkaException):
                await asyncio.to_thread(self._same_partitions, {counts.topic for counts in known}, partitions)

    def _same_partitions(self, topics: Iterable[str], wanted: int) -> None:
        for name, number in sorted(partition_counts(self._servers, {*topics, self._changelog}).items()):
            if number not in (0, wanted):  # 0: the topic is just being created, or has no leader
                raise InconsistentState(
                    f"topic {name} has {number} partitions, and had {wanted}: events of an address no longer come "
                    "where it was counted, and all of these topics need the same number"
                )

    def _ask(self, partitions: Sequence[CheckedLog]) -> tuple[dict[str, str], dict[str, Facts]]:
        ids = identities(self._servers, [*self._raw, *(counts.topic for counts in partitions)], self._raw)
        client = Consumer(client_conf(self._servers) | {"group.id": self._group, "log_level": 2})
        try:
            committed = client.committed(
                [TopicPartition(counts.topic, counts.partition) for counts in partitions], timeout=_TIMEOUT
            )
            return ids, {tp.topic: Facts(max(-1, tp.offset), *_ends(client, tp)) for tp in committed}
        finally:
            client.close()


def _refuse(recreated: str) -> None:
    if recreated:
        raise InconsistentState(f"{recreated}, and events can no longer be told from repeated ones")


def _ends(client: Consumer, tp: TopicPartition) -> tuple[int, int]:
    begin, end = client.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), timeout=_TIMEOUT)
    return int(begin), int(end)
