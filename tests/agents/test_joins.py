"""What lines tell each other: kept, written, forgotten; and on a real Kafka, through the death of the worker."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.changelog import Part
from agents.joins import CLOSED, MOST, OPEN, BatchJoins, Shelf
from cli.itself import ogrewatch
from topics.admin import create_topics
from topics.catalogue import CATALOGUE
from topics.codec import decode


@pytest.fixture
def part() -> Part[Shelf]:
    found = Part("joins", 0, Shelf())
    found.generation = 7
    return found


def _record(outgoing: Any) -> Any:
    return SimpleNamespace(key=outgoing[1], value=outgoing[2])


def _recovered(*outgoing: Any) -> Part[Shelf]:
    found = Part("joins", 0, Shelf())
    found.apply([_record(one) for one in outgoing])
    found.generation = 8
    return found


def test_a_value_is_found_again_by_the_next_batch_and_after_recovery(part: Part[Shelf]) -> None:
    first = BatchJoins(part, 0, 1000)
    first.put("slapd|h|1", {"ip": "192.0.2.1"})
    written = first.records(position=41)
    assert BatchJoins(part, 0, 1001).get("slapd|h|1") == {"ip": "192.0.2.1"}
    assert BatchJoins(_recovered(*written), 0, 1001).get("slapd|h|1") == {"ip": "192.0.2.1"}


def test_topics_do_not_share_keys(part: Part[Shelf]) -> None:
    BatchJoins(part, 0, 1000).put("k", 1)
    assert BatchJoins(part, 1, 1000).get("k") is None


def test_what_a_batch_begins_and_closes_is_not_written(part: Part[Shelf]) -> None:
    joins = BatchJoins(part, 0, 1000)
    joins.put("k", 1)
    joins.close("k")
    assert joins.records(position=1) == []
    assert joins.get("k") == 1


def test_a_closed_value_is_erased_some_minutes_later(part: Part[Shelf]) -> None:
    joins = BatchJoins(part, 0, 6000)
    joins.put("k", 1)
    written = joins.records(position=1)
    later = BatchJoins(part, 0, 6010)
    later.close("k")
    written += later.records(position=2)
    assert BatchJoins(part, 0, 6010 + CLOSED - 1).expired() == []
    erased = BatchJoins(part, 0, 6010 + CLOSED + 60).expired()
    assert [one[2] for one in erased] == [None]
    assert len(part.shelf) == 0
    assert len(_recovered(*written, *erased).shelf) == 0


def test_an_open_value_lasts_a_day_from_its_last_touch(part: Part[Shelf]) -> None:
    BatchJoins(part, 0, 0).put("k", 1)
    BatchJoins(part, 0, 50_000).put("k", 2)
    BatchJoins(part, 0, OPEN + 60).expired()
    assert BatchJoins(part, 0, OPEN + 60).get("k") == 2
    BatchJoins(part, 0, 50_000 + OPEN + 60).expired()
    assert BatchJoins(part, 0, 50_000 + OPEN + 60).get("k") is None


def test_a_flood_of_connections_is_bounded(part: Part[Shelf]) -> None:
    joins = BatchJoins(part, 0, 1000)
    for number in range(MOST + 10):
        joins.put(f"k{number}", number)
    joins.expired()
    assert len(part.shelf) == MOST
    assert joins.get("k9") is None
    assert joins.get("k10") == 10


def test_a_value_that_is_not_json_is_not_written(part: Part[Shelf]) -> None:
    joins = BatchJoins(part, 0, 1000)
    joins.put("bad", 1 << 70)
    joins.put("good", 1)
    assert [orjson.loads(one[2][8:])[2] for one in joins.records(position=1) if one[2]] == [1]


_LINES = (
    b"<134>Nov 24 10:00:00 ldap1 slapd[9]: conn=5 fd=12 ACCEPT from IP=192.0.2.77:4711 (IP=0.0.0.0:389)",
    b'<134>Nov 24 10:00:00 ldap1 slapd[9]: conn=5 op=0 BIND dn="uid=ann,dc=example,dc=com" method=128',
    b"<134>Nov 24 10:00:01 ldap1 slapd[9]: conn=5 op=0 RESULT tag=97 err=49 text=",
)


@pytest.fixture
def environment(kafka: str, unique: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    prefix = f"{unique}."
    create_topics(kafka, prefix=prefix, partitions=1, replication=1)
    settings = {"KAFKA": kafka, "PREFIX": prefix, "PARTITIONS": "1", "DATA_DIR": str(tmp_path)}
    yield os.environ | {f"OGREWATCH_{name}": value for name, value in settings.items()}
    client = AdminClient({"bootstrap.servers": kafka})
    names = [name for name in client.list_topics(timeout=10).topics if name.startswith(prefix)]
    assert len(names) == len(CATALOGUE) + 1
    for future in client.delete_topics(names).values():
        future.result(30)


def _send(environment: dict[str, str], *lines: bytes) -> None:
    producer = Producer({"bootstrap.servers": environment["OGREWATCH_KAFKA"]})
    for line in lines:
        producer.produce(environment["OGREWATCH_PREFIX"] + "raw.syslog", line, b"ldap1")
    assert producer.flush(30) == 0


def _events(environment: dict[str, str], number: int) -> list[dict[str, Any]]:
    """The first events of the typed topic; waits for them."""
    consumer = Consumer({"bootstrap.servers": environment["OGREWATCH_KAFKA"], "group.id": "reader"})
    consumer.assign([TopicPartition(environment["OGREWATCH_PREFIX"] + "events.authentication", 0, 0)])
    found: list[dict[str, Any]] = []
    until = time.monotonic() + 60
    while len(found) < number and time.monotonic() < until:
        found += [decode(m.value() or b"")[1] for m in consumer.consume(number, 1) if not m.error()]
    consumer.close()
    return found


@pytest.mark.kill
def test_a_connection_is_known_after_the_worker_was_killed(environment: dict[str, str]) -> None:
    command = ogrewatch("worker", "normalize", "--bare")
    _send(environment, *_LINES[:2])
    before = subprocess.Popen(command, env=environment)
    try:
        assert [event["source_ip"] for event in _events(environment, 1)] == ["192.0.2.77"]
    finally:
        before.send_signal(signal.SIGKILL)
        before.wait()
    _send(environment, _LINES[2])
    after = subprocess.Popen(command, env=environment)
    try:
        verdict = next(e for e in _events(environment, 3) if e["ogrewatch_attempt"])
        assert (verdict["source_ip"], verdict["user_name"]) == ("192.0.2.77", "ann")
        assert verdict["event_outcome"] == "failure"
    finally:
        after.terminate()
        assert after.wait(40) == 0
