"""Ends the process when topics were replaced or repartitioned, because events would be lost or counted twice.

An event is identified by its partition and offset in its raw topic. In a topic that was created again offsets begin
anew: its events would be taken for those that are stored, and dropped as repeated. And an event that is written again
must go to the partition it went to before: another one would count it twice. So the correlation state remembers the
ids of the raw topics, how keys are chosen, and how many partitions the typed topics have.
"""

import logging
from collections.abc import Iterable

from agents.runtime.kafka_retry import retry_until_answered
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.correlation_store import TOPICS, CorrelationStore, Entry
from agents.state.log_identity import recreated_since
from agents.transport import Outgoing, abort_process
from topics.catalogue import RAW, TYPED
from topics.kafka.topic_ids import Identities, identities, partition_counts, recreated, replaced

KEYS = "2"
"""Version of how `key_of` chooses keys: to be raised with every change of it."""
_KEYS, _PARTITIONS = "keys", "partitions of "
_FOR_EVER = 1 << 40  # seconds since 1970, when the entry would be due

_log = logging.getLogger("ogrewatch.normalize")


class TopicGuard:
    """Compares topics with those that a part remembers. `changelog` is the topic of the correlation state."""

    def __init__(self, settings: Settings, changelog: str) -> None:
        self._servers, self._changelog = settings.kafka, changelog
        self._names = [settings.prefix + topic.name for topic in RAW]
        self._typed = [settings.prefix + topic.name for topic in TYPED]

    async def open(self, part: ChangelogPartition[CorrelationStore]) -> None:
        """Compare the topics, and remember those that the part does not know. Waits for Kafka."""
        now = await retry_until_answered(_log, "look at the topics", lambda: self._ask() | self._routing())
        before = _known(part)
        self._compare(before, now)
        if now.keys() - before.keys():
            part.store.keep(TOPICS, Entry({**now, **before}, _FOR_EVER))

    def records(self, part: ChangelogPartition[CorrelationStore]) -> list[Outgoing]:
        """Return the record that saves which topics a part knows; one for each owner."""
        entry = part.store.find(TOPICS)
        if entry is None or entry.generation == part.generation:
            return []
        return [part.write(TOPICS, entry, 0)]

    async def watch(self, parts: Iterable[ChangelogPartition[CorrelationStore]]) -> None:
        """Compare the topics again; does nothing if Kafka does not answer."""
        known = {name: identity for part in parts for name, identity in _known(part).items()}
        before = {name: identity for name, identity in known.items() if name in self._names}
        self._refuse(await recreated_since(self._servers, before))

    def _ask(self) -> Identities:
        return identities(self._servers, self._names, self._names)

    def _routing(self) -> Identities:
        """Return what decides the partition of an event; blocks."""
        found = partition_counts(self._servers, self._typed)
        return {_KEYS: KEYS} | {_PARTITIONS + name: str(number) for name, number in found.items() if number}

    def _compare(self, before: Identities, now: Identities) -> None:
        routing = {name: value for name, value in before.items() if name not in self._names}
        for name in replaced(routing, now):
            abort_process(
                f"normalize: {name} were {before[name]} and are {now[name]}: events go to other partitions than "
                "before, where those that are sent again would be counted twice. To go on, stop all workers and "
                f"delete topic {self._changelog}; if a normalize worker was killed last, count anew, too."
            )
        self._refuse(recreated({name: value for name, value in before.items() if name in self._names}, now))

    def _refuse(self, recreated: str) -> None:
        if recreated:
            abort_process(
                f"normalize: {recreated}, and its events would pass for those that Elasticsearch has. To go on, stop "
                "all workers, delete the data streams or choose another OGREWATCH_NAMESPACE, and delete topic "
                f"{self._changelog}."
            )


def _known(part: ChangelogPartition[CorrelationStore]) -> Identities:
    entry = part.store.find(TOPICS)
    return dict(entry.value) if entry is not None else {}
