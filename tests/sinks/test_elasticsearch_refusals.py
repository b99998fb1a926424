"""Tests which refusals of Elasticsearch end documents, and which are waited out.

Documents wait while the state of the server is the cause, and are never given up. A document that is refused for its
own sake is given up, and delays no other.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch

from sinks.base import Document, Outcome
from sinks.elasticsearch.backoff import Backoff
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.templates import install, stream_name
from sinks.elasticsearch.verdicts import Entry, Judge
from stack.elasticsearch import Elasticsearch as Server

_LOGGER = "ogrewatch.elasticsearch"
_NUMBER = 300


@dataclass
class Site:
    """A server of this module's own, and a data stream of each test's own."""

    client: Elasticsearch
    url: str
    stream: str
    waits: dict[str, int] = field(default_factory=dict)
    begun: int = 0

    def batch(self, first: int = 0, count: int = _NUMBER) -> list[Document]:
        """Documents that came now."""
        source = orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z", "message": "x"})
        now = time.time_ns() // 1_000_000
        return [Document(self.stream, f"id-{n}", source, now) for n in range(first, first + count)]

    def begin(self) -> None:
        """Make the stream, by a document besides those of the batches."""
        self.client.create(index=self.stream, id="id--1", document={"@timestamp": "2026-05-01T10:00:00Z"})
        self.begun = 1

    def count(self) -> int:
        """How many documents the stream has."""
        self.client.indices.refresh(index=self.stream)
        return int(self.client.count(index=self.stream)["count"]) - self.begun

    def waited(self, kind: str, documents: int) -> None:
        """Count as metrics do."""
        self.waits[kind] = self.waits.get(kind, 0) + documents

    def set_cluster(self, **settings: Any) -> None:
        """Change settings of the cluster; None is the default."""
        self.client.cluster.put_settings(
            persistent={name.replace("__", "."): value for name, value in settings.items()}
        )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose settings may be spoilt."""
    with Server(tmp_path_factory.mktemp("own"), heap="512m", quick=True) as server:
        yield server
        server.kill()


@pytest.fixture
def site(own: Server, unique: str) -> Iterator[Site]:
    """The build that tests run has no API of data streams: they stay, and are made by their first document."""
    Backoff._causes.clear()
    install(own.address)
    with Elasticsearch(own.address) as client:
        yield Site(client, own.address, stream_name("authentication", unique))


def _limit_shards(site: Site) -> Callable[[], object]:
    site.client.indices.create(index=site.stream.replace("logs-", "other-"))
    site.set_cluster(cluster__max_shards_per_node=1)
    return lambda: site.set_cluster(cluster__max_shards_per_node=None)


def _close(site: Site) -> Callable[[], object]:
    site.stream = site.stream.replace("logs-", "plain-")
    site.client.indices.create(index=site.stream)
    site.client.indices.close(index=site.stream)
    return lambda: site.client.indices.open(index=site.stream)


def _block(site: Site, name: str) -> Callable[[], object]:
    site.begin()
    site.client.indices.put_settings(index=site.stream, settings={f"index.blocks.{name}": True})
    return lambda: site.client.indices.put_settings(index=site.stream, settings={f"index.blocks.{name}": None})


def _block_cluster(site: Site) -> Callable[[], object]:
    site.begin()
    site.set_cluster(cluster__blocks__read_only=True)
    return lambda: site.set_cluster(cluster__blocks__read_only=None)


def _forbid_creation(site: Site) -> Callable[[], object]:
    site.stream = site.stream.replace("logs-", "plain-")
    site.set_cluster(action__auto_create_index="false")
    return lambda: site.set_cluster(action__auto_create_index=None)


def _remove_template(site: Site) -> Callable[[], object]:
    site.stream = site.stream.replace("logs-", "elsewhere-")
    return lambda: site.client.indices.put_index_template(
        name=site.stream, index_patterns=[site.stream], composed_of=["ogrewatch-ecs"], data_stream={}, priority=1
    )


def _lose_pipeline(site: Site) -> Callable[[], object]:
    site.begin()
    site.client.indices.put_settings(index=site.stream, settings={"index.default_pipeline": "absent"})
    return lambda: site.client.indices.put_settings(index=site.stream, settings={"index.default_pipeline": None})


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(_limit_shards, "shards", id="limit of shards"),
        pytest.param(_close, "closed", id="closed index"),
        pytest.param(lambda site: _block(site, "write"), "blocked", id="blocked for writing"),
        pytest.param(lambda site: _block(site, "read_only"), "blocked", id="read-only index"),
        pytest.param(_block_cluster, "blocked", id="read-only cluster"),
        pytest.param(_forbid_creation, "no such index", id="streams are not made"),
        pytest.param(_remove_template, "no matching index template", id="template removed"),
        pytest.param(_lose_pipeline, "pipeline", id="pipeline removed"),
    ],
)
async def test_what_is_the_server_s_fault_is_waited_for(
    site: Site, spoil: Callable[[Site], Callable[[], object]], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    mend = spoil(site)
    sink = ElasticsearchSink(site.url, data_streams=not site.stream.startswith("plain-"), on_wait=site.waited)
    try:
        writing = asyncio.gather(*(sink.write(site.batch(first)) for first in (0, _NUMBER)))
        while sum(site.waits.values()) < 8 * _NUMBER:  # four tries each: more than a document has that is given up
            assert not writing.done()
            await asyncio.sleep(0.05)
    finally:
        mend()
    assert await writing == [Outcome(stored=_NUMBER)] * 2
    await sink.close()
    assert site.count() == 2 * _NUMBER
    (said,) = [record.getMessage() for record in caplog.records if record.name == _LOGGER]
    assert words in said
    assert site.stream in said or "cluster read-only" in said


async def test_a_document_that_only_the_server_refuses_alone_is_given_up(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A pipeline refuses it with an error of a type that says nothing; all others are stored."""
    caplog.set_level(logging.WARNING, _LOGGER)
    sink = ElasticsearchSink(site.url, data_streams=True, on_wait=site.waited)
    assert await sink.write(site.batch(0, 5)) == Outcome(stored=5)
    bad = Document(site.stream, "", b'{"@timestamp":"2026-05-01T10:00:00Z"}', time.time_ns() // 1_000_000)
    batch = [*site.batch(5, 40), bad, *site.batch(45, 40)]
    outcome = await asyncio.wait_for(sink.write(batch), 60)
    await sink.close()
    assert (outcome.stored, outcome.present) == (80, 0)
    assert [(one.position, one.text != "") for one in outcome.rejected] == [(40, True)]
    assert site.count() == 85


async def test_a_document_that_is_the_only_one_is_given_up_beside_one_that_is_stored(site: Site) -> None:
    sink = ElasticsearchSink(site.url, data_streams=True)
    assert await sink.write(site.batch(0, 1)) == Outcome(stored=1)
    bad = Document(site.stream, "x" * 600, b'{"@timestamp":"2026-05-01T10:00:00Z"}', time.time_ns() // 1_000_000)
    outcome = await asyncio.wait_for(sink.write([bad]), 60)
    await sink.close()
    assert (outcome.stored, outcome.present, len(outcome.rejected)) == (0, 0, 1)
    assert site.count() == 1


def _judged(*answers: tuple[int, str]) -> tuple[Outcome, list[int]]:
    """What a judge says of one request whose documents are answered so, three times over."""
    judge = Judge(Outcome(), {})
    entries = [Entry(n, Document("target", f"{n}", b"{}"), b"") for n in range(len(answers))]
    for _ in range(3):
        items = [{"status": answers[entry.position][0]} for entry in entries]
        for entry, item in zip(entries, items, strict=True):
            if kind := answers[entry.position][1]:
                item["error"] = {"type": kind, "reason": "why"}  # type: ignore[assignment]
        taken = [entry for entry in entries if entry.position == 0]
        entries = [*taken, *judge.judge(entries, items).again]
        judge.outcome.stored = min(judge.outcome.stored, 1)
    return judge.outcome, [entry.position for entry in entries if entry.position]


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 410, 418, 429, 500, 503])
def test_only_status_400_can_be_a_document_s_own_fault(status: int) -> None:
    assert _judged((201, ""), (status, "any_exception")) == (Outcome(stored=1), [1])


def test_nothing_is_proven_without_one_that_is_taken() -> None:
    assert _judged((503, "x"), (400, "illegal_argument_exception")) == (Outcome(), [0, 1][1:])


def test_a_type_that_speaks_of_documents_needs_no_proof() -> None:
    outcome, left = _judged((503, "x"), (400, "document_parsing_exception"))
    assert [one.reason for one in outcome.rejected] == ["document_parsing_exception"]
    assert not left


def test_three_refusals_beside_one_that_is_taken_are_proof() -> None:
    outcome, left = _judged((201, ""), (400, "new_exception"))
    assert [(one.position, one.reason, one.text) for one in outcome.rejected] == [(1, "new_exception", "why")]
    assert not left
