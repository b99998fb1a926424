"""A worker of a broken version stops before it gives up on everything, however often it is started again."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from installation_kit import Place, place, until

from agents.failing import WINDOW, Failing, TooMany
from agents.transport import FATAL
from topics.deadletter import letter

BROKEN = """
from agents import pipeline
from topics.codec import CodecError
def broken(kind, event):
    raise CodecError("a defect")
pipeline.encode = broken
"""
LINE = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 4711 ssh2"


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def _batch(here: Place, first: int, number: int, partition: int = 0) -> list[Any]:
    known = {"topic": f"{here.prefix}raw.syslog", "partition": partition, "key": b"", "value": b"", "headers": ()}
    return [SimpleNamespace(**known, offset=first + n, timestamp=1) for n in range(number)]


def _letters_about(records: list[Any]) -> list[Any]:
    return [letter("", "normalize", record, "encoding", "why") for record in records]


async def test_a_worker_stops_when_most_of_a_partitions_recent_records_fail(here: Place) -> None:
    failing = Failing("normalize", here.settings)
    await failing.check(_batch(here, 5000, 600), [])
    first, other, second = _batch(here, 5600, 400), _batch(here, 5000, 5000, partition=1), _batch(here, 6000, 101)
    await failing.check(first, _letters_about(first))
    await failing.check(other, _letters_about(other[:500]))  # other partitions have accounts of their own
    with pytest.raises(TooMany, match=r"501 of the last 1,000 records of .*raw.syslog-0 .* encoding: why\..*LIMIT=0"):
        await failing.check(second, _letters_about(second))


async def test_the_end_of_a_large_batch_is_recent_too(here: Place) -> None:
    batch = _batch(here, 0, 5000)
    with pytest.raises(TooMany):
        await Failing("normalize", here.settings).check(batch, _letters_about(batch[-501:]))


async def test_failures_among_many_good_records_do_not_stop_a_worker(here: Place) -> None:
    failing = Failing("normalize", here.settings)
    for first in range(0, 20_000, 100):
        batch = _batch(here, first, 100)
        await failing.check(batch, _letters_about(batch[:50]))


async def test_a_partition_that_recovers_is_not_stopped_for_its_past(here: Place) -> None:
    failing = Failing("normalize", here.settings)
    bad, mixed, good = _batch(here, 0, 499), _batch(here, 499, 100), _batch(here, 599, WINDOW)
    await failing.check(bad, _letters_about(bad))
    await failing.check(mixed, _letters_about(mixed[:3]))
    await failing.check(good, [])
    last = _batch(here, 599 + WINDOW, 499)
    await failing.check(last, _letters_about(last))


async def test_a_limit_of_none_lets_everything_fail(here: Place) -> None:
    batch = _batch(here, 0, 5000)
    settings = here.settings.model_copy(update={"dead_letter_limit": 0})
    await Failing("normalize", settings).check(batch, _letters_about(batch))


async def test_a_record_that_fails_again_after_a_rebalance_is_one_failure(here: Place) -> None:
    failing = Failing("index", here.settings)
    later, earlier = _batch(here, 300, 299), _batch(here, 0, 300)
    for _ in range(2):
        await failing.check(later, _letters_about(later))
    await failing.check(earlier, _letters_about(earlier[:200]))
    last = _batch(here, 599, 1)
    with pytest.raises(TooMany, match="500 of the last"):
        await failing.check(last, _letters_about(last))


@pytest.mark.kill
@pytest.mark.parametrize(
    ("role", "topic", "defect"), [("normalize", "raw.syslog", BROKEN), ("index", "events.web", "")]
)
def test_restarts_give_up_no_more_than_the_limit(here: Place, role: str, topic: str, defect: str) -> None:
    here.send([(0, LINE)] * 300, topic)  # a raw line is no event, so that index gives up on each
    with here.worker(role, defect):
        until(lambda: _letters(here) == 300)
    here.send([(0, LINE)] * 300, topic)
    for _ in range(2):
        with here.worker(role, defect) as process:
            assert process.wait(60) == FATAL
        assert _letters(here) == 300


def _letters(here: Place) -> int:
    return len(here.json("deadletter", "list", "--limit", "10000"))
