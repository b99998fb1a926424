"""Looks how far each role has read its topics, and how fast, at most once every two seconds however many ask."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from agents.settings import Settings
from topics.catalogue import RAW, READ_BY, group_of, read_by
from topics.errors import AccessRefused
from topics.kafka.client import client_conf
from web.windows import iso

Place = tuple[str, int]
_KEEP = 2.0  # seconds for which one look serves all
_TIMEOUT = 2.0  # seconds that Kafka has to answer


@dataclass(frozen=True, slots=True)
class Look:
    """Ends of partitions, committed offsets (-1 for none) and members by role, at a time in epoch seconds."""

    at: float
    ends: dict[Place, int] = field(default_factory=dict)
    committed: dict[str, dict[Place, int]] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)


class Roles:
    """The roles of one installation."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, asyncio.Lock()
        self._client = AdminClient(client_conf(settings.kafka) | {"log_level": 0})
        self._last, self._before = Look(0.0), Look(0.0)
        self._error = ""

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
        group = group_of(role, self._settings.prefix)
        answer = self._client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group, asked)], request_timeout=_TIMEOUT
        )
        found = answer[group].result(_TIMEOUT).topic_partitions
        return {(tp.topic, tp.partition): max(-1, tp.offset) for tp in found}

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
