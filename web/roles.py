"""Looks how far each role has read its topics, and how fast, at most once every two seconds however many ask."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from agents.settings import Settings
from topics.catalogue import RAW, READ_BY, group_of, read_by
from topics.errors import AccessRefused
from topics.kafka.client import client_conf
from web.windows import iso

Place = tuple[str, int]
_KEEP = 2.0  # seconds for which one look serves all
_TIMEOUT = 2.0  # seconds that Kafka has to answer
_OLD = 10.0  # seconds after which `stalled` has Kafka asked again
STALLED = 60.0
"""Seconds without a commit after which a partition with records left counts as stalled: it is paused, because this
version cannot process its records, or what it is written to does not answer, or nobody reads it."""


@dataclass(frozen=True, slots=True)
class Look:
    """Ends of partitions, committed offsets (-1 for none) and members by role, at a time in epoch seconds."""

    at: float
    ends: dict[Place, int] = field(default_factory=dict)
    committed: dict[str, dict[Place, int]] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)


class Progress:
    """Since when the commits of partitions with records left have not moved."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, Place], tuple[int, float]] = {}

    def note(self, look: Look) -> None:
        """Note a look, a later one than all before."""
        self._since = {
            (role, place): self._still(role, place, offset, look.at)
            for role, offsets in look.committed.items()
            for place, offset in offsets.items()
            if max(0, offset) < look.ends.get(place, 0)
        }

    def stalled(self, now: float) -> dict[str, list[str]]:
        """The stalled partitions by role, at a time in epoch seconds."""
        found: dict[str, list[str]] = {}
        for (role, (topic, number)), (_, since) in sorted(self._since.items()):
            if now - since >= STALLED:
                found.setdefault(role, []).append(f"{topic}-{number}")
        return found

    def _still(self, role: str, place: Place, offset: int, now: float) -> tuple[int, float]:
        known = self._since.get((role, place))
        return known if known is not None and known[0] == offset else (offset, now)


class Roles:
    """The roles of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, asyncio.Lock()
        self._client = AdminClient(client_conf(settings.kafka) | {"log_level": 0})
        self._last, self._before = Look(0.0), Look(0.0)
        self._error, self._progress = "", Progress()
        self._asking: asyncio.Task[Any] | None = None

    def stalled(self) -> dict[str, list[str]]:
        """The partitions by role that were stalled at the last look. Does not wait; renews an old look meanwhile."""
        if time.time() - self._last.at > _OLD and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self.state())
        return self._progress.stalled(self._last.at)

    async def state(self) -> dict[str, Any]:
        """Lag, rate and members of each role, and what is received a second; or `error` alone. Never raises."""
        async with self._lock:
            if time.time() - self._last.at > _KEEP:
                try:
                    now = await asyncio.to_thread(self._look)
                except (KafkaException, AccessRefused) as error:
                    self._error = f"Kafka does not say how far the roles are ({_words(error)})."
                    return {"error": self._error, "roles": {}}
                self._before, self._last = self._last, now
                self._progress.note(now)
        return _shown(self._settings, self._before, self._last)

    def _look(self) -> Look:
        prefix = self._settings.prefix
        topics = {topic for role in READ_BY for topic in read_by(role, prefix)}
        found = self._client.list_topics(timeout=_TIMEOUT).topics
        places = [(topic, number) for topic in sorted(topics) if topic in found for number in found[topic].partitions]
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(*place): latest for place in places}
        ends = self._client.list_offsets(asked, request_timeout=_TIMEOUT) if asked else {}
        committed = {role: self._committed(role, places) for role in READ_BY}
        members = {role: self._members(role) for role in READ_BY}
        there = {(tp.topic, tp.partition): one.result(_TIMEOUT).offset for tp, one in ends.items()}
        return Look(time.time(), there, committed, members)

    def _committed(self, role: str, places: Iterable[Place]) -> dict[Place, int]:
        topics = read_by(role, self._settings.prefix)
        asked = [TopicPartition(*place) for place in places if place[0] in topics]
        if not asked:
            return {}
        # The admin client can ask the same, and may end the process on metadata of commits (librdkafka 2.16).
        conf = client_conf(self._settings.kafka) | {"group.id": group_of(role, self._settings.prefix), "log_level": 0}
        group = Consumer(conf)
        try:
            return {(tp.topic, tp.partition): max(-1, tp.offset) for tp in group.committed(asked, timeout=_TIMEOUT)}
        finally:
            group.close()

    def _members(self, role: str) -> int:
        group = group_of(role, self._settings.prefix)
        answer = self._client.describe_consumer_groups([group], request_timeout=_TIMEOUT)
        return len(answer[group].result(_TIMEOUT).members)


def _shown(settings: Settings, before: Look, now: Look) -> dict[str, Any]:
    raw = {settings.prefix + topic.name for topic in RAW}
    received = _rate(before, now, _sum(before.ends, raw), _sum(now.ends, raw))
    roles = {role: _role(role, before, now) for role in READ_BY}
    return {"looked": iso(now.at), "received_per_second": received, "roles": roles}


def _role(role: str, before: Look, now: Look) -> dict[str, Any]:
    committed = now.committed.get(role, {})
    rows = [
        {
            "topic": topic, "partition": number, "committed": offset, "end": now.ends.get((topic, number), 0),
            "lag": max(0, now.ends.get((topic, number), 0) - max(0, offset)),
        }
        for (topic, number), offset in sorted(committed.items())
    ]  # fmt: skip
    done = [sum(max(0, offset) for offset in look.committed.get(role, {}).values()) for look in (before, now)]
    return {
        "members": now.members.get(role, 0), "lag": sum(row["lag"] for row in rows),
        "per_second": _rate(before, now, *done), "partitions": rows,
    }  # fmt: skip


def _sum(ends: dict[Place, int], topics: set[str]) -> int:
    return sum(end for (topic, _), end in ends.items() if topic in topics)


def _rate(before: Look, now: Look, first: int, last: int) -> float | None:
    """How fast a number grew; None until there have been two looks within a minute."""
    passed = now.at - before.at
    return round(max(0, last - first) / passed, 1) if 0 < passed < 60 else None


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.str() if hasattr(first, "str") else str(first)
