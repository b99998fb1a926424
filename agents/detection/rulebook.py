"""Holds the rules that are in force, and their engines; replaces them when others are applied.

The rules are those of the compacted topic `rules`, which every worker reads from its beginning; until rules have been
applied there, those of the folder OGREWATCH_RULES; without one, the packaged ones. All workers judge by the same set,
for the topic has one partition, and a set is one record. Other rules are compiled in a thread and taken into use
between two batches, so a batch is judged by one version.
"""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from agents.settings import Settings
from alerts.engine.engines import StagedEngine, always_decoded, staged_engines
from alerts.rules.in_force import read_record, rules_of
from alerts.rules.load import PACK, RuleSet, load_folder, without_slow
from topics.catalogue import RULES
from topics.kafka.client import client_conf
from topics.records.rules import InvalidRules, RuleFiles, Silence

_POLL = 0.3  # seconds for one look at the topic
_log = logging.getLogger("ogrewatch.detect")


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of the rules, compiled: an engine for each type of events."""

    version: str
    found: RuleSet
    engines: dict[str, StagedEngine] = field(default_factory=dict)


def compiled(found: RuleSet, version: str) -> Rules:
    """Compile a set of rules. Those that would have every event decoded are refused. Blocks for up to a second."""
    engines, number = staged_engines(found.rules.values()), len(found.rules)
    without_slow(found, always_decoded(engines))
    for error in found.refused:
        _log.error("a rule is refused: %s", error)
    if len(found.rules) < number:
        engines = staged_engines(found.rules.values())
    return Rules(version, found, engines)


def from_folder(folder: Path | None) -> tuple[RuleSet, str]:
    """The rules of a folder, or the packaged ones, and a name for what they say."""
    path = folder or PACK
    digest = blake2b(digest_size=6)
    for file in sorted([*path.rglob("*.yml"), *path.rglob("*.yaml")]):
        digest.update(file.read_bytes())
    return load_folder(path), f"{'folder' if folder else 'pack'}-{digest.hexdigest()}"


class RuleBook:
    """The rules in force, `current`. `start` waits for them; `watch` replaces them."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._topic = settings, settings.prefix + RULES.name
        self.current = Rules("", RuleSet())
        self.silences: dict[str, Silence] = {}
        self._consumer: Consumer | None = None
        self._started = asyncio.Event()

    async def start(self) -> None:
        """Read the topic to its end and compile what is in force. Waits for Kafka."""
        files = await asyncio.to_thread(self._to_the_end)
        if files is None:
            found, version = await asyncio.to_thread(from_folder, self._settings.rules)
            self.current = await asyncio.to_thread(compiled, found, version)
        else:
            await self._apply(files)
        self._started.set()

    async def watch(self) -> None:
        """Look for other rules, for ever, once those in force are known."""
        await self._started.wait()
        while True:
            files = self._taken(await asyncio.to_thread(self._poll))
            if files is not None and files.version != self.current.version:
                await self._apply(files)
            await asyncio.sleep(0)

    def silenced(self, rule: str, group: dict[str, str], now: int) -> bool:
        """Whether alerts of a rule about a group are expected at `now`, milliseconds since 1970."""
        return any(one.covers(rule, group, now) for one in self.silences.values())

    async def _apply(self, files: RuleFiles) -> None:
        self.current = await asyncio.to_thread(lambda: compiled(rules_of(files), files.version))
        _log.warning("rules %s are in force: %d", files.version, len(self.current.found))

    def _to_the_end(self) -> RuleFiles | None:
        """The newest set of the topic; None if there is none. Blocks until Kafka answers."""
        consumer = self._consumer = Consumer(
            client_conf(self._settings.kafka)
            | {"group.id": f"{self._settings.prefix}ogrewatch-rules", "enable.auto.commit": False, "log_level": 2}
        )
        consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
        newest: RuleFiles | None = None
        while True:
            try:
                _, end = consumer.get_watermark_offsets(TopicPartition(self._topic, 0), timeout=10)
            except KafkaException as error:
                _log.warning("cannot read the rules yet: %s", error)
                continue
            newest = self._taken(consumer.consume(100, _POLL)) or newest
            (position,) = consumer.position([TopicPartition(self._topic, 0)])
            if end == 0 or position.offset >= end:
                return newest

    def _poll(self) -> list[Any]:
        assert self._consumer is not None, "it is started first"
        return self._consumer.consume(100, _POLL)

    def _taken(self, messages: Iterable[Any]) -> RuleFiles | None:
        """The newest set among messages; silences are noted."""
        newest = None
        for message in messages:
            error, key, value = message.error(), message.key() or b"", message.value()
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:
                    _log.warning("cannot read the rules: %s", error)
                continue
            try:
                newest = read_record(key, value, self.silences) or newest
            except InvalidRules as wrong:
                _log.error("offset %d of %s is passed over: %s", message.offset(), self._topic, wrong)
        return newest

    def close(self) -> None:
        """Close the connection to Kafka."""
        if self._consumer is not None:
            with suppress(KafkaException, RuntimeError):
                self._consumer.close()
