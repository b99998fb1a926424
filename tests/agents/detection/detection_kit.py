"""What tests of detection share: events, logs, a changelog in memory, and workers that can be stopped anywhere."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson

from agents.detection.checkpoint import Checkpoint, DetectionStore, resume, take
from agents.detection.rulebook import RuleBook, compiled
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.transport.partitioner import partition_of
from alerts.rules.load import RuleSet, add_file
from topics.avro.codec import encode

START = 1_790_000_000
"""Seconds since 1970."""
TYPED, MATCHES, ALERTS = "events.authentication", "detect.matches", "alerts"
RULES = b"""
title: A login failed
name: failed
id: 11111111-0000-0000-0000-000000000001
logsource: {product: ogrewatch, category: authentication}
detection: {a: {ogrewatch.attempt|gte: 1, event.outcome: failure}, condition: a}
---
title: A login succeeded
name: succeeded
id: 11111111-0000-0000-0000-000000000002
logsource: {product: ogrewatch, category: authentication}
detection: {a: {ogrewatch.attempt|gte: 1, event.outcome: success}, condition: a}
---
title: Guessing
name: guessing
id: 11111111-0000-0000-0000-000000000003
correlation: {type: event_count, rules: [failed], group-by: [source.ip], timespan: 2m, condition: {gte: 5}}
---
title: A user is tried from many addresses
name: many
id: 11111111-0000-0000-0000-000000000004
correlation: {type: value_count, rules: [failed], group-by: [user.name], timespan: 10m,
              condition: {gte: 3, field: source.ip}}
---
title: Failures of a user
name: of_user
id: 11111111-0000-0000-0000-000000000006
correlation: {type: event_count, rules: [failed], group-by: [user.name], timespan: 10m, condition: {gte: 1}}
---
title: Guessed
name: guessed
id: 11111111-0000-0000-0000-000000000005
correlation: {type: temporal_ordered, rules: [guessing, succeeded], group-by: [source.ip], timespan: 10m,
              generate: true}
"""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a consumer gets it."""

    topic: str
    partition: int
    offset: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def event(raw_offset: int, second: float, outcome: str, address: str, user: str, at: float | None = None) -> bytes:
    """An encoded login attempt that arrived `second` seconds after START, and happened then or at `at`."""
    return encode(
        "authentication",
        {
            "ogrewatch_attempt": 1, "timestamp": int((START + (second if at is None else at)) * 1_000_000),
            "event_created": int((START + second) * 1_000_000), "ogrewatch_raw_topic": "raw.syslog",
            "ogrewatch_raw_partition": 0, "ogrewatch_raw_offset": raw_offset, "event_outcome": outcome,
            "ogrewatch_service": "sshd", "source_ip": address, "user_name": user, "host_hostname": "web1",
            "event_category": ["authentication"], "event_original": f"line {raw_offset}",
        },
    )  # fmt: skip


def book(rules: bytes = RULES) -> RuleBook:
    """Rules in force."""
    found, made = RuleSet(), RuleBook(Settings())
    add_file(found, rules, "rules.yml")
    assert not found.refused, found.refused
    made.current = compiled(found, "1")
    return made


@dataclass(slots=True)
class Kafka:
    """Logs, changelogs and published alerts, in memory."""

    partitions: int
    typed: dict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    matches: dict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    changelog: dict[int, list[tuple[bytes, bytes | None]]] = field(default_factory=lambda: defaultdict(list))
    alerts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def feed(self, address: str, value: bytes) -> None:
        """Write an event as normalize does."""
        partition = partition_of(address.encode(), self.partitions)
        log = self.typed[partition]
        log.append(Record(TYPED, partition, len(log), value))

    def log(self, topic: str, partition: int) -> list[Record]:
        """A log that detect reads."""
        return (self.matches if topic == MATCHES else self.typed)[partition]

    def write(self, outgoing: Any) -> None:
        """Take one record of a worker."""
        topic, key, value, partition, *_ = outgoing
        if topic == MATCHES:
            log = self.matches[partition]
            log.append(Record(MATCHES, partition, len(log), value))
        elif topic == ALERTS:
            self.alerts.append((key.decode(), orjson.loads(value)))
        else:
            self.changelog[partition].append((key, value))

    def published(self) -> dict[str, dict[str, Any]]:
        """The last revision of each alert, by id. Fails if a revision was published with two contents."""
        contents = defaultdict[tuple[str, int], set[bytes]](set)
        last: dict[str, dict[str, Any]] = {}
        for identity, document in self.alerts:
            contents[identity, _revision(document)].add(orjson.dumps(document))
            if identity not in last or _revision(document) > _revision(last[identity]):
                last[identity] = document
        assert all(len(one) == 1 for one in contents.values())
        return last


def _revision(document: dict[str, Any]) -> int:
    return int(document["ogrewatch"]["alert"]["revision"])


@dataclass(frozen=True, slots=True)
class _Change:
    key: bytes
    value: bytes | None


class Owner:
    """A worker that was given one partition in some generation."""

    def __init__(self, kafka: Kafka, partition: int, generation: int, rules: RuleBook) -> None:
        self.kafka, self.partition, self.rules = kafka, partition, rules
        store = DetectionStore(partition, kafka.partitions)
        self.part = ChangelogPartition("changelog", partition, store)
        self.part.apply([_Change(key, value) for key, value in kafka.changelog[partition]])
        self.state = resume(store, "", rules)
        for log in self.state.logs.values():
            log.resume()
        self.part.generation = generation

    def read(self, topic: str, most: int) -> bool:
        """Judge some records; False if there are none."""
        log = self.kafka.log(topic, self.partition)
        begin = self.state.logs[topic].position + 1
        records = log[begin : begin + most]
        if records:
            self.state.take(topic, records)
        return bool(records)

    def checkpoint(self, now: int) -> Checkpoint:
        """Take a checkpoint; its records are to be written."""
        self.state.expire(now)
        return take(self.state, self.part, "", self.rules, now)

    def save(self, now: int) -> None:
        """Take and write one."""
        made = self.checkpoint(now)
        for outgoing in (*made.first, *made.row, *made.last):
            self.kafka.write(outgoing)
