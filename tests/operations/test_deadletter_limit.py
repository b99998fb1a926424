"""A broken version pauses a partition before it gives up on all; records that nobody can process pause nothing."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from installation_kit import Place, place, until

from agents import pipeline
from agents.metrics import REGISTRY, Metrics
from agents.pipeline import Pipeline
from agents.runtime.canary import LineCanary
from agents.runtime.failure_limit import WINDOW, FailureLimit, LimitExceeded
from agents.runtime.paused_partitions import PausedPartitions
from agents.settings import Settings
from stack.ports import free_port
from topics.avro import codec
from topics.avro.codec import CodecError
from topics.kafka.reader import Reader
from topics.records.deadletter import letter

BROKEN = """
from agents import pipeline
from topics.avro.codec import CodecError
def broken(kind, event):
    raise CodecError("a defect")
pipeline.encode = broken
"""
UNREADABLE = """
from agents import index
from topics.avro.codec import CodecError
def broken(value):
    raise CodecError("a defect")
index.document_of = broken
"""
LINE = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 4711 ssh2"


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        found.environment["OGREWATCH_METRICS_PORT"] = str(free_port())
        yield found


async def _fails(_: str) -> str:
    return "Our own samples fail, too"


async def _passes(_: str) -> str:
    return ""


def _batch(here: Place, first: int, number: int, partition: int = 0) -> list[Any]:
    known = {"topic": f"{here.prefix}raw.syslog", "partition": partition, "key": b"", "value": b"", "headers": ()}
    return [SimpleNamespace(**known, offset=first + n, timestamp=1) for n in range(number)]


def _letters_about(records: list[Any]) -> list[Any]:
    return [letter("", "normalize", record, "encoding", "why") for record in records]


async def test_a_partition_has_had_enough_when_most_of_its_recent_records_fail(here: Place) -> None:
    failing = FailureLimit("normalize", here.settings, _fails)
    await failing.check(_batch(here, 5000, 600), [])
    first, other, second = _batch(here, 5600, 400), _batch(here, 5000, 5000, partition=1), _batch(here, 6000, 101)
    await failing.check(first, _letters_about(first))
    await failing.check(other, _letters_about(other[:500]))  # other partitions have accounts of their own
    with pytest.raises(
        LimitExceeded, match=r"501 of the last 1,000 records of .*raw.syslog-0 .* encoding: why\..*LIMIT=0"
    ):
        await failing.check(second, _letters_about(second))


async def test_the_end_of_a_large_batch_is_recent_too(here: Place) -> None:
    batch = _batch(here, 0, 5000)
    with pytest.raises(LimitExceeded):
        await FailureLimit("normalize", here.settings, _fails).check(batch, _letters_about(batch[-501:]))


async def test_failures_among_many_good_records_are_never_enough(here: Place) -> None:
    failing = FailureLimit("normalize", here.settings, _fails)
    for first in range(0, 20_000, 100):
        batch = _batch(here, first, 100)
        await failing.check(batch, _letters_about(batch[:50]))


async def test_a_partition_that_recovers_is_not_stopped_for_its_past(here: Place) -> None:
    failing = FailureLimit("normalize", here.settings, _fails)
    bad, mixed, good = _batch(here, 0, 499), _batch(here, 499, 100), _batch(here, 599, WINDOW)
    await failing.check(bad, _letters_about(bad))
    await failing.check(mixed, _letters_about(mixed[:3]))
    await failing.check(good, [])
    last = _batch(here, 599 + WINDOW, 499)
    await failing.check(last, _letters_about(last))


async def test_a_limit_of_none_lets_everything_fail(here: Place) -> None:
    batch = _batch(here, 0, 5000)
    settings = here.settings.model_copy(update={"dead_letter_limit": 0})
    await FailureLimit("normalize", settings, _fails).check(batch, _letters_about(batch))


async def test_a_record_that_fails_again_after_a_rebalance_is_one_failure(here: Place) -> None:
    failing = FailureLimit("index", here.settings, _fails)
    later, earlier = _batch(here, 300, 299), _batch(here, 0, 300)
    for _ in range(2):
        await failing.check(later, _letters_about(later))
    await failing.check(earlier, _letters_about(earlier[:200]))
    last = _batch(here, 599, 1)
    with pytest.raises(LimitExceeded, match="500 of the last"):
        await failing.check(last, _letters_about(last))


async def test_records_that_nobody_can_process_become_letters_while_our_own_samples_pass(
    here: Place, caplog: pytest.LogCaptureFixture
) -> None:
    failing = FailureLimit("normalize", here.settings, _passes)
    for first in range(0, 5000, 500):
        batch = _batch(here, first, 500)
        await failing.check(batch, _letters_about(batch))
    assert sum(message.count("our own samples pass") for message in caplog.messages) == 1


async def test_the_samples_of_all_streams_pass_unless_this_version_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    canary = LineCanary(Pipeline(settings), settings)
    assert await canary("raw.syslog") == ""
    encode = codec.encode

    def broken(kind: str, event: dict[str, Any]) -> bytes:
        if event["event_dataset"] == "sshd":
            raise CodecError("a defect")
        return encode(kind, event)

    monkeypatch.setattr(pipeline, "encode", broken)
    assert "encoding: a defect" in await canary("raw.syslog")


def _event(topic: str, partition: int) -> Any:
    return SimpleNamespace(message=SimpleNamespace(tp=TP(topic, partition)))


def _paused(topic: str, partition: int) -> float | None:
    labels = {"role": "normalize", "topic": topic, "partition": str(partition)}
    return REGISTRY.get_sample_value("ogrewatch_partition_paused", labels)


def test_a_paused_partition_keeps_its_order_and_shows(unique: str, caplog: pytest.LogCaptureFixture) -> None:
    paused = PausedPartitions("normalize", Metrics("normalize"))
    first, second, other = _event(unique, 0), _event(unique, 0), _event(unique, 1)
    assert not paused.waits(first)
    paused.hold(first, "a defect")
    assert paused.waits(second)
    assert not paused.waits(other)
    assert _paused(unique, 0) == 1
    assert paused.release() == [first, second]
    paused.hold(first, "a defect")
    assert paused.waits(second)
    paused.settle()
    assert _paused(unique, 0) == 1
    assert paused.release() == [first, second]
    paused.settle()
    assert _paused(unique, 0) is None
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


@pytest.mark.kill
@pytest.mark.parametrize(
    ("role", "topic", "defect"), [("normalize", "raw.syslog", BROKEN), ("index", "events.web", UNREADABLE)]
)
def test_restarts_give_up_no_more_than_the_limit(here: Place, role: str, topic: str, defect: str) -> None:
    here.send([(0, LINE)] * 300, topic)  # a raw line is no event, so that index gives up on each
    with here.worker(role, defect):
        until(lambda: _letters(here) == 300)
    here.send([(0, LINE)] * 300, topic)
    here.send([(1, LINE)], topic)
    for _ in range(2):
        with here.worker(role, defect) as process:
            until(lambda: _letters(here) == 301)
            until(lambda: _shown(here, role, topic), 120)
            assert _letters(here) == 301
            assert process.poll() is None
    with here.worker(role):
        expected = 301 if role == "normalize" else 601
        until(lambda: _lag(here, role) == 0, 120)
    assert _letters(here) == expected


@pytest.mark.kill
@pytest.mark.parametrize(("role", "topic"), [("index", "events.web")])
def test_a_flood_of_what_nobody_can_process_stops_nothing(here: Place, role: str, topic: str) -> None:
    here.send([(0, LINE)] * 1500, topic)
    with here.worker(role) as process:
        until(lambda: _letters(here) == 1500, 120)
        here.send([(0, LINE)], topic)
        until(lambda: _letters(here) == 1501)
        assert process.poll() is None


def _shown(here: Place, role: str, topic: str) -> bool:
    """Whether the role's metrics say that partition 0 is paused."""
    wanted = f'ogrewatch_partition_paused{{partition="0",role="{role}",topic="{here.prefix}{topic}"}} 1.0'
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{here.environment['OGREWATCH_METRICS_PORT']}/metrics") as answer:
            return wanted in answer.read().decode()
    except OSError:
        return False


def _lag(here: Place, role: str) -> int:
    with Reader(here.kafka) as reader:
        return reader.left(role, here.prefix)


def _letters(here: Place) -> int:
    """Records that have a letter; a worker that was killed may have written one twice."""
    return len({one["id"] for one in here.json("deadletter", "list", "--limit", "10000")})
