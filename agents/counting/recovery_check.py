"""A recovered partition in, nothing out, unless it cannot be trusted: then a sentence that says why.

The table continues a past that Kafka must still agree with: the same topics, no offset committed that the table does
not cover, none covered that does not exist.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.counting.partition_counts import InconsistentState, PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.runtime.kafka_retry import retry_until_answered
from agents.settings import Settings
from topics.catalogue import RAW, REPLAY
from topics.kafka.client import client_conf
from topics.kafka.topic_ids import identities, replaced

_TIMEOUT = 10.0  # seconds

logger = logging.getLogger("ogrewatch.count")


@dataclass(frozen=True, slots=True)
class Facts:
    """What Kafka says about a typed partition. `committed` is -1 when the group has committed nothing."""

    committed: int
    begin: int
    end: int


class RecoveryCheck:
    """Looks at partitions of a group's table before they are counted on."""

    def __init__(self, settings: Settings, group: str, changelog: str) -> None:
        self._servers, self._group, self._changelog = settings.kafka, group, changelog
        self._raw = [settings.prefix + topic.name for topic in (*RAW, REPLAY)]

    async def check(self, store: PartitionStore) -> None:
        """Resume each log of a shelf. Waits for Kafka; raises `InconsistentState`."""
        logs = list(store.logs.values())
        ids, facts = await retry_until_answered(logger, "look at the topics", partial(self._ask, logs))
        for log in logs:
            self.resume(log, ids, facts[log.topic])

    def resume(self, log: PartitionCounts, ids: dict[str, str], facts: Facts) -> None:
        """Let a log go on from what was recovered. Raises `InconsistentState`."""
        where = f"{log.topic}-{log.partition}"
        log.resume()
        self.same_topics(log.ids, ids)
        log.ids = {**log.ids, **{name: ids[name] for name in (log.topic, *self._raw) if name in ids}}
        if facts.begin > log.position + 1:
            if log.position >= 0:
                logger.warning(
                    "%s: %s..%s were deleted before they were counted", where, log.position + 1, facts.begin - 1
                )
            log.position = facts.begin - 1
        if facts.committed > log.position + 1:
            raise InconsistentState(
                f"{where}: the table covers offsets up to {log.position}, but all "
                f"before {facts.committed} "
                f"were acknowledged; {self._changelog} has lost records"
            )
        if log.position >= facts.end:
            raise InconsistentState(
                f"{where}: the table covers offsets up to {log.position}, but the topic ends at {facts.end}"
            )

    def same_topics(self, before: dict[str, str], now: dict[str, str]) -> None:
        """Raises `InconsistentState` when a topic is another one than before."""
        for name in replaced(before, now):
            raise InconsistentState(
                f"topic {name} was deleted and created again: its offsets begin anew, "
                f"and events can no "
                "longer be told from repeated ones"
            )

    async def watch(self, logs: list[PartitionCounts], partitions: int) -> None:
        """Look whether the topics of logs are still the same, and they and the changelog still have so many
        partitions, if Kafka says so now. Raises `InconsistentState`.
        """
        before = {name: identity for log in logs for name, identity in log.ids.items()}
        if before:
            with contextlib.suppress(KafkaException):
                self.same_topics(before, await asyncio.to_thread(identities, self._servers, list(before), self._raw))
                await asyncio.to_thread(self._same_partitions, {log.topic for log in logs}, partitions)

    def _same_partitions(self, topics: Iterable[str], wanted: int) -> None:
        found = AdminClient(client_conf(self._servers) | {"log_level": 2}).list_topics(timeout=_TIMEOUT).topics
        for name in sorted({*topics, self._changelog} & found.keys()):
            number = len(found[name].partitions)
            if number not in (0, wanted):  # none: it is just being created, or has no leader
                raise InconsistentState(
                    f"topic {name} has {number} partitions, and had {wanted}: events of an "
                    f"address no longer "
                    "come where it was counted, and all of these topics need the same number"
                )

    def _ask(self, logs: list[PartitionCounts]) -> tuple[dict[str, str], dict[str, Facts]]:
        ids = identities(self._servers, [*self._raw, *(log.topic for log in logs)], self._raw)
        client = Consumer(client_conf(self._servers) | {"group.id": self._group, "log_level": 2})
        try:
            committed = client.committed([TopicPartition(log.topic, log.partition) for log in logs], timeout=_TIMEOUT)
            return ids, {tp.topic: Facts(max(-1, tp.offset), *_ends(client, tp)) for tp in committed}
        finally:
            client.close()


def _ends(client: Consumer, tp: TopicPartition) -> tuple[int, int]:
    begin, end = client.get_watermark_offsets(TopicPartition(tp.topic, tp.partition), timeout=_TIMEOUT)
    return int(begin), int(end)
