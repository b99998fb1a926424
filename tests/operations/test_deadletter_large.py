"""Lines that are too large, and letters that are older than topics keep: on a real Kafka, with real workers."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from installation_kit import Place, place, until

from topics.catalogue import MAX_RECORD
from topics.kafka.reader import Reader
from topics.records.deadletter import BEGINNING, letter

GOOD = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 4711 ssh2"
DAY = 86_400_000  # milliseconds


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def _send(here: Place, *values: bytes, codec: str = "zstd") -> list[KafkaError | None]:
    """Put lines into one batch of partition 0, as a producer that allows anything does; what became of each."""
    conf = {"bootstrap.servers": here.kafka, "compression.type": codec, "linger.ms": 500, "message.max.bytes": 10**9}
    producer, outcomes = Producer({**conf, "batch.size": 10**9, "queue.buffering.max.kbytes": 2 << 20}), list[Any]()
    for value in values:
        producer.produce(
            f"{here.prefix}raw.syslog", value, b"web1", 0, on_delivery=lambda error, _: outcomes.append(error)
        )
    assert producer.flush(60) == 0
    return outcomes


@pytest.mark.kill
def test_a_line_that_is_too_large_is_a_letter_and_holds_up_nothing(here: Place) -> None:
    head = b"<38>May  1 10:00:00 web1 app: "
    nine, gross = head + b"x" * (9 << 20), head + b"y" * (100 << 20)
    assert _send(here, GOOD, nine, GOOD) == [None] * 3
    assert _send(here, GOOD, gross, GOOD) == [None] * 3  # some kilobytes to the broker
    assert _send(here, GOOD) == [None]
    [refused] = _send(here, nine, codec="none")
    assert refused is not None
    assert refused.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
    with here.worker("normalize") as process, here.worker("index"):
        stored = until(lambda: found if len(found := here.documents()) == 4 else None)
        assert sorted(int(one.rpartition("-")[2]) for one in stored) == [0, 2, 3, 6]
        assert process.poll() is None
    listed = until(lambda: found if len(found := here.json("deadletter", "list")) == 3 else None)
    assert [(one["offset"], one["cut"]) for one in listed] == [(1, len(nine)), (4, len(gross)), (5, -1)]
    assert {one["reason"] for one in listed} == {"too_large"}
    shown = here.run("deadletter", "show", listed[0]["id"])
    assert f"the first {BEGINNING:,} of {len(nine):,} bytes" in shown
    assert len(shown) < 2 * BEGINNING
    assert here.json("deadletter", "replay", "--all") == {"cut": 3}
    assert len(here.json("deadletter", "list")) == 3
    here.run("ledger", "--verify")
    assert len(nine) > MAX_RECORD


@pytest.mark.kill
@pytest.mark.parametrize("size", [9, 100])
def test_a_worker_goes_on_behind_a_line_that_is_too_large(here: Place, size: int) -> None:
    """What it remembers of the log it has read in part, and whoever compares that reads all of it."""
    assert _send(here, GOOD, GOOD + b"y" * (size << 20)) == [None] * 2
    with here.worker("normalize", kill=False):
        until(lambda: len(here.json("deadletter", "list")) == 1)
    assert _send(here, GOOD) == [None]
    with here.worker("normalize"), here.worker("index"):
        until(lambda: len(here.documents()) == 2)


@pytest.mark.kill
def test_letters_older_than_replay_keeps_are_stored_when_they_are_sent_again(here: Place) -> None:
    came = time.time_ns() // 1_000_000 - 20 * DAY
    record = SimpleNamespace(
        topic=f"{here.prefix}raw.syslog", partition=0, offset=7, key=b"web1", value=GOOD, timestamp=came, headers=()
    )
    dead: Any = letter(here.prefix, "normalize", record, "encoding", "a defect")
    producer = Producer({"bootstrap.servers": here.kafka})
    producer.produce(dead.topic, dead.value, dead.key, 0, timestamp=dead.timestamp, headers=dead.headers)
    assert producer.flush(30) == 0
    assert [one["received"] for one in here.json("deadletter", "list")] == [_iso(came)]
    assert here.json("deadletter", "replay", "--all") == {"replayed": 1}
    now = time.time_ns() // 1_000_000
    with here.worker("normalize"), here.worker("index"):
        documents = until(here.documents)
    assert documents.keys() == {f"{here.prefix}raw.syslog-0-7"}
    assert documents[f"{here.prefix}raw.syslog-0-7"]["event"]["created"] == _iso(came)
    for topic in ("replay", "events.authentication", "deadletter"):
        assert _dates(here, topic) > now - DAY


def _iso(millis: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis / 1000)) + f".{millis % 1000:03d}Z"


def _dates(here: Place, topic: str) -> int:
    """The earliest date that Kafka goes by, milliseconds since 1970."""
    with Reader(here.kafka) as reader:
        name = here.prefix + topic
        return min(int(message.timestamp()[1]) for message in reader.read(name, reader.bounds(name)))
