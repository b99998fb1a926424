"""Tests, on a real server, that documents sent again after a rollover of their data stream are stored once."""

import asyncio
import time
from collections.abc import Sequence

import orjson
import pytest
from elasticsearch import Elasticsearch

from sinks.base import Document, Outcome
from sinks.elasticsearch.backing_indices import BackingIndices
from sinks.elasticsearch.bulk import ElasticsearchSink

HOUR = 3_600_000  # milliseconds


def _documents(stream: str, numbers: range, since: int) -> list[Document]:
    source = orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z"})
    return [Document(stream, f"raw-0-{n}", source, since) for n in numbers]


async def _write(url: str, documents: list[Document]) -> Outcome:
    """Write as a process that has just begun does."""
    sink = ElasticsearchSink(url)
    try:
        return await sink.write(documents)
    finally:
        await sink.close()


def _number(client: Elasticsearch, stream: str) -> int:
    client.indices.refresh(index=stream)
    return int(client.count(index=stream)["count"])


def _now() -> int:
    return time.time_ns() // 1_000_000


async def test_what_is_sent_again_after_rollovers_is_present(
    elasticsearch_url: str, stream: str, client: Elasticsearch
) -> None:
    now = _now()
    assert await _write(elasticsearch_url, _documents(stream, range(30), now)) == Outcome(stored=30)
    client.indices.rollover(alias=stream)
    assert await _write(elasticsearch_url, _documents(stream, range(20, 50), now)) == Outcome(stored=20, present=10)
    client.indices.rollover(alias=stream)
    assert await _write(elasticsearch_url, _documents(stream, range(60), now)) == Outcome(stored=10, present=50)
    assert _number(client, stream) == 60


async def test_what_a_wrong_clock_dated_ahead_is_looked_for_in_all_indices(
    elasticsearch_url: str, stream: str, client: Elasticsearch
) -> None:
    ahead = _documents(stream, range(5), _now() + 48 * HOUR)
    assert await _write(elasticsearch_url, ahead) == Outcome(stored=5)
    client.indices.rollover(alias=stream)
    assert await _write(elasticsearch_url, ahead) == Outcome(present=5)


async def test_other_streams_and_indices_in_the_same_request(
    elasticsearch_url: str, stream: str, client: Elasticsearch, unique: str
) -> None:
    index = f"{unique}-index"
    batch = [*_documents(stream, range(5), _now()), *_documents(index, range(5), 0)]
    await _write(elasticsearch_url, batch)
    client.indices.rollover(alias=stream)
    client.indices.delete(index=index)
    assert await _write(elasticsearch_url, batch) == Outcome(stored=5, present=5)
    client.indices.delete(index=index)


async def test_nothing_is_asked_about_what_came_after_a_rollover(
    elasticsearch_url: str, stream: str, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    drop_duplicates = BackingIndices.drop_duplicates

    async def noting(self: BackingIndices, target: str, documents: Sequence[Document]) -> set[str]:
        asked.append(target)
        return await drop_duplicates(self, target, documents)

    monkeypatch.setattr(BackingIndices, "drop_duplicates", noting)
    monkeypatch.setattr("sinks.elasticsearch.backing_indices._APART", 200)
    before = _now()
    await _write(elasticsearch_url, _documents(stream, range(5), before))
    client.indices.rollover(alias=stream)
    await asyncio.sleep(0.4)
    await _write(elasticsearch_url, _documents(stream, range(5, 10), _now()))
    assert asked == []
    await _write(elasticsearch_url, _documents(stream, range(10, 15), before))
    assert asked == [stream]


@pytest.mark.parametrize("pause", [pytest.param(1.1, id="noticed before"), pytest.param(0, id="noticed by the answer")])
async def test_a_worker_that_wakes_after_a_rollover(
    elasticsearch_url: str, stream: str, client: Elasticsearch, pause: float
) -> None:
    """Its successor has stored what it holds. What is new to the stream is stored by it all the same."""
    now, zombie = _now(), ElasticsearchSink(elasticsearch_url)
    assert await zombie.write(_documents(stream, range(5), now)) == Outcome(stored=5)
    assert await _write(elasticsearch_url, _documents(stream, range(5, 10), now)) == Outcome(stored=5)
    client.indices.rollover(alias=stream)
    await asyncio.sleep(pause)
    assert await zombie.write(_documents(stream, range(5, 15), now)) == Outcome(stored=5, present=5)
    await zombie.close()
    assert _number(client, stream) == 15


async def test_a_copy_that_nobody_took_back_is_taken_back_by_the_repetition(
    elasticsearch_url: str, stream: str, client: Elasticsearch
) -> None:
    """As a worker leaves it that dies between a creation and its withdrawal."""
    documents = _documents(stream, range(5), _now())
    await _write(elasticsearch_url, documents)
    client.indices.rollover(alias=stream)
    client.create(index=stream, id=documents[3].id, document=orjson.loads(documents[3].source))
    assert _number(client, stream) == 6
    assert await _write(elasticsearch_url, documents) == Outcome(present=5)
    assert _number(client, stream) == 5


async def test_a_backing_index_that_was_taken_away_holds_nothing(
    elasticsearch_url: str, stream: str, client: Elasticsearch
) -> None:
    now = _now()
    await _write(elasticsearch_url, _documents(stream, range(5), now))
    client.indices.rollover(alias=stream)
    sink = ElasticsearchSink(elasticsearch_url)
    assert await sink.write(_documents(stream, range(1), now)) == Outcome(present=1)
    first = min(client.indices.get(index=stream, features="settings"))
    client.indices.delete(index=first)
    assert await sink.write(_documents(stream, range(5), now)) == Outcome(stored=5)
    await sink.close()
