"""What lines tell each other: kept, written, forgotten; and on a real Kafka, through the death of the worker."""

import os
import signal
import struct
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.state.changelog import ChangelogPartition
from agents.state.correlation import CLOSED, LARGEST, OPEN, BatchState
from agents.state.correlation_store import MOST, CorrelationStore
from operations.process import command_line
from topics.avro.codec import decode
from topics.catalogue import CATALOGUE
from topics.kafka.admin import create_topics


@pytest.fixture
def part() -> ChangelogPartition[CorrelationStore]:
    found = ChangelogPartition("joins", 0, CorrelationStore())
    found.generation = 7
    return found


def _record(outgoing: Any) -> Any:
    return SimpleNamespace(key=outgoing[1], value=outgoing[2])


def _recovered(*outgoing: Any) -> ChangelogPartition[CorrelationStore]:
    found = ChangelogPartition("joins", 0, CorrelationStore())
    found.apply([_record(one) for one in outgoing])
    found.generation = 8
    return found


def _batch(
    part: ChangelogPartition[CorrelationStore],
    first: int,
    seconds: int = 1000,
    committed: int | None = None,
    topic: int = 0,
) -> BatchState:
    """The state of a batch whose lines arrive at once; everything before is committed unless it is said."""
    state = BatchState(part, topic, first, first if committed is None else committed)
    state.at(first, seconds * 1000)
    return state


def _put(
    part: ChangelogPartition[CorrelationStore], first: int, key: str, value: Any, seconds: int = 1000
) -> list[Any]:
    """The records of a batch of one line that puts a value."""
    state = _batch(part, first, seconds)
    state.put(key, value)
    return [*state.expired(), *state.records(first)]


def _close(part: ChangelogPartition[CorrelationStore], first: int, key: str, seconds: int = 1000) -> list[Any]:
    state = _batch(part, first, seconds)
    state.close(key)
    return [*state.expired(), *state.records(first)]


def _names(part: ChangelogPartition[CorrelationStore]) -> set[str]:
    """Keys of the entries of the first topic."""
    return {name[2:].decode() for name in part.store._entries if name.startswith(b"0|")}


def test_a_value_is_found_again_by_the_next_batch_and_after_recovery(
    part: ChangelogPartition[CorrelationStore],
) -> None:
    written = _put(part, 41, "slapd|h|1", {"ip": "192.0.2.1"})
    assert _batch(part, 42).get("slapd|h|1") == {"ip": "192.0.2.1"}
    assert _batch(_recovered(*written), 42).get("slapd|h|1") == {"ip": "192.0.2.1"}


def test_values_of_later_offsets_are_invisible(part: ChangelogPartition[CorrelationStore]) -> None:
    written = _put(part, 41, "k", "first")
    state = _batch(part, 42, committed=42)
    state.put("k", "second")
    written += state.records(42)
    for known in (part, _recovered(*written)):
        assert _batch(known, 43).get("k") == "second"
        assert _batch(known, 42).get("k") == "first"
        assert _batch(known, 41).get("k") is None


def test_a_close_is_invisible_to_earlier_lines(part: ChangelogPartition[CorrelationStore]) -> None:
    written = _put(part, 41, "k", 1)
    written += _close(part, 42, "k")
    for known in (part, _recovered(*written)):
        assert _batch(known, 43).get("k") is None
        assert _batch(known, 42).get("k") == 1


def test_topics_do_not_share_keys(part: ChangelogPartition[CorrelationStore]) -> None:
    _put(part, 41, "k", 1)
    assert _batch(part, 41, topic=1).get("k") is None


def test_what_a_batch_begins_and_closes_is_not_kept(part: ChangelogPartition[CorrelationStore]) -> None:
    _put(part, 40, "other", 1)
    state = _batch(part, 41)
    state.put("k", 1)
    assert state.get("k") == 1
    state.close("k")
    assert state.get("k") is None
    assert state.records(41) == []
    assert _names(part) == {"other"}


def test_a_closed_value_is_erased_minutes_after_its_end_is_committed(
    part: ChangelogPartition[CorrelationStore],
) -> None:
    written = _put(part, 41, "k", 1, 6000)
    written += _close(part, 42, "k", 6000)
    assert _batch(part, 43, 6000 + CLOSED - 60).expired() == []
    assert _batch(part, 43, 6000 + CLOSED + 60, committed=42).expired() == []
    erased = _batch(part, 43, 6000 + CLOSED + 60).expired()
    assert [one[2] for one in erased] == [None]
    assert not _names(part)
    assert not _names(_recovered(*written, *erased))


def test_an_open_value_lasts_a_day_from_when_it_was_written(part: ChangelogPartition[CorrelationStore]) -> None:
    _put(part, 1, "k", 1, 0)
    _put(part, 2, "k", 2, 50_000)
    assert _batch(part, 3, OPEN + 60).get("k") == 2
    assert _batch(part, 3, 50_000 + OPEN + 60).get("k") is None


def test_a_flood_of_connections_is_bounded(part: ChangelogPartition[CorrelationStore]) -> None:
    state = _batch(part, 1)
    for number in range(MOST + 10):
        state.put(f"k{number}", number)
    assert state.get("k9") is None
    assert state.get("k10") == 10
    state.records(1)
    assert len(_names(part)) == MOST


def test_large_values_are_bounded(part: ChangelogPartition[CorrelationStore], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.state.correlation_store.MAX_BYTES", 100_000)
    state = _batch(part, 1)
    for number in range(10):
        state.put(f"k{number}", "x" * 30_000)
    assert [state.get(f"k{number}") is not None for number in range(10)] == [False] * 7 + [True] * 3
    state.put("k9", "x" * 70_000)
    assert state.get("k9") is None


def test_closed_connections_push_no_open_one_out(
    part: ChangelogPartition[CorrelationStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.state.correlation_store.MOST", 100)
    monkeypatch.setattr("agents.state.correlation.MOST_CLOSED", 100)
    _put(part, 1, "open", 1)
    for number in range(500):
        _put(part, 2 * number + 2, f"k{number}", number)
        _close(part, 2 * number + 3, f"k{number}")
    assert _batch(part, 2000).get("open") == 1
    assert len(_names(part)) <= 102


def test_a_day_of_connections_takes_no_more_memory_than_some_hours(part: ChangelogPartition[CorrelationStore]) -> None:
    """A connection every four seconds, each over two batches; nothing of it may stay."""
    used: list[int] = []
    tracemalloc.start()
    try:
        for minute in range(24 * 60):
            keys = [f"slapd|ldap1|{minute * 15 + number}" for number in range(15)]
            for step, act in enumerate((lambda state, key: state.put(key, {"ip": "192.0.2.1"}), BatchState.close)):
                state = _batch(part, 2 * minute + step, 60 * minute)
                for key in keys:
                    act(state, key)
                assert len(state.expired()) + len(state.records(2 * minute + step)) >= 15
            if minute % 360 == 359:
                used.append(tracemalloc.get_traced_memory()[0])
        assert used[-1] < used[0] + 20_000
    finally:
        tracemalloc.stop()


def test_idle_connections_keep_one_value(part: ChangelogPartition[CorrelationStore]) -> None:
    _put(part, 1, "k", 1)
    state = _batch(part, 2, committed=0)
    state.put("k", 2)
    state.records(2)
    _put(part, 3, "other", 1)
    entry = part.store.find(b"0|k")
    assert entry is not None
    assert [version.value for version in entry.versions] == [b"2"]


def test_a_record_has_a_limit(part: ChangelogPartition[CorrelationStore]) -> None:
    """An entry that every batch changes while there is no commit."""
    for at in range(20):
        state = _batch(part, at, committed=0)
        state.put("k", "x" * 30_000)
        if state.too_large:
            break
        assert all(len(record.value or b"") < 2 * LARGEST for record in state.records(at))
    assert at == 13
    state.committed = at
    assert not state.too_large


def test_a_value_that_is_not_json_is_not_kept(part: ChangelogPartition[CorrelationStore]) -> None:
    state = _batch(part, 1)
    state.put("bad", 1)
    state.put("bad", 1 << 70)
    state.put("good", 1)
    assert state.get("bad") is None
    state.records(1)
    assert _names(part) == {"good"}


def test_records_of_earlier_releases_are_read() -> None:
    name, position = struct.pack(">I", 3) + b"0|", struct.pack(">q", 40)
    payloads = {b"open": b'[6000,false,{"ip":"192.0.2.1"}]', b"closed": b"[6000,true,1]"}
    part = _recovered(*((None, name + key, position + payload) for key, payload in payloads.items()))
    state = _batch(part, 41, 6000)
    assert (state.get("open"), state.get("closed")) == ({"ip": "192.0.2.1"}, None)
    state.put("open", 2)
    (_, _, written) = state.records(41)  # after the owner and the clock
    both = _recovered((None, name + b"open", position + payloads[b"open"]), written)
    assert _batch(both, 42).get("open") == 2
    assert [(record.key or b"")[4:] for record in state.expired()] == [b"0|closed"]
    assert _batch(part, 42, 6000 + OPEN + 60).get("open") is None


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
    command = command_line("worker", "normalize", "--bare")
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
