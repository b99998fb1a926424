"""Tests the bulk writer with a real server, partly through a gateway that refuses requests as gateways do."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial

import orjson
import pytest
from aiohttp import ClientSession, web
from elasticsearch import Elasticsearch

from sinks.base import Document, Outcome
from sinks.elasticsearch.bulk import ElasticsearchSink

Gateway = Callable[..., Awaitable[str]]


@pytest.fixture
def index(elasticsearch_url: str, unique: str) -> Iterator[str]:
    """An index that knows one field, an address."""
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=unique, mappings={"properties": {"address": {"type": "ip"}}})
        yield unique
        client.indices.delete(index=unique)


@pytest.fixture
async def sink(elasticsearch_url: str) -> AsyncIterator[ElasticsearchSink]:
    sink = ElasticsearchSink(elasticsearch_url)
    yield sink
    await sink.close()


@pytest.fixture
async def gateway(elasticsearch_url: str) -> AsyncIterator[Gateway]:
    """Starts a server that passes requests on, bulk requests unless its judge answers with a status. What answers to
    these say is edited.
    """
    runners: list[web.AppRunner] = []

    async def start(judge: Callable[[bytes], int], edit: Callable[[bytes], bytes] = bytes) -> str:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            bulk = request.path == "/_bulk"
            if bulk and (status := judge(body)):
                return web.Response(status=status, text="<h1>No</h1>", content_type="text/html")
            url, headers = elasticsearch_url + request.path_qs, request.headers
            async with (
                ClientSession() as session,
                session.request(request.method, url, data=body, headers=headers) as answer,
            ):
                said = await answer.read()
                product = {"X-Elastic-Product": "Elasticsearch"}
                return web.Response(body=edit(said) if bulk else said, headers=product, content_type="application/json")

        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", handle)
        runners.append(web.AppRunner(app))
        await runners[-1].setup()
        await web.TCPSite(runners[-1], "127.0.0.1", 0).start()
        host, port = runners[-1].addresses[0]
        return f"http://{host}:{port}"

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _documents(index: str, count: int, **fields: str) -> list[Document]:
    return [Document(index, f"id-{n}", orjson.dumps({"n": n, **fields})) for n in range(count)]


def _count(url: str, index: str) -> int:
    with Elasticsearch(url) as client:
        client.indices.refresh(index=index)
        return int(client.count(index=index)["count"])


async def _forward(host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there_reader, there_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _write_through(url: str, documents: list[Document]) -> Outcome:
    sink = ElasticsearchSink(url)
    try:
        return await sink.write(documents)
    finally:
        await sink.close()


async def test_replay_finds_documents_present(sink: ElasticsearchSink, index: str, elasticsearch_url: str) -> None:
    documents = _documents(index, 50)
    assert await sink.write(documents[:30]) == Outcome(stored=30)
    assert await sink.write(documents) == Outcome(stored=20, present=30)
    assert _count(elasticsearch_url, index) == 50


async def test_nothing_to_write(sink: ElasticsearchSink) -> None:
    assert await sink.write([]) == Outcome()


async def test_conflict_rejects_one_document(sink: ElasticsearchSink, index: str) -> None:
    documents = _documents(index, 5, address="192.0.2.1")
    documents[3] = Document(index, "id-3", b'{"address":"nowhere"}')
    outcome = await sink.write(documents)
    assert (outcome.stored, outcome.present) == (4, 0)
    (rejected,) = outcome.rejected
    assert (rejected.position, rejected.reason) == (3, "document_parsing_exception")
    assert "address" in rejected.text
    assert "nowhere" in rejected.text


async def test_what_went_to_the_failure_store_is_not_stored(gateway: Gateway, index: str) -> None:
    """As a server with failure stores says it (the build that tests run has none): a success, but for a flag."""

    def redirected(answer: bytes) -> bytes:
        stored, redirected = b'"status":201}', b'"failure_store":"used","status":201}'
        return answer.replace(stored, redirected, 2).replace(redirected, stored, 1)

    url = await gateway(lambda body: 0, redirected)
    outcome = await _write_through(url, _documents(index, 3))
    assert (outcome.stored, outcome.present) == (2, 0)
    assert [(r.position, r.reason) for r in outcome.rejected] == [(1, "failure_store")]


async def test_split_by_bytes(gateway: Gateway, index: str, elasticsearch_url: str) -> None:
    sizes: list[int] = []

    def note(body: bytes) -> int:
        sizes.append(len(body))
        return 0

    sink = ElasticsearchSink(await gateway(note), max_bytes=1000)
    documents = [*_documents(index, 30), Document(index, "large", orjson.dumps({"text": "x" * 2000}))]
    assert await sink.write(documents) == Outcome(stored=31)
    await sink.close()
    assert len(sizes) > 2
    assert max(sizes[:-1]) <= 1000 < sizes[-1]
    assert _count(elasticsearch_url, index) == 31


async def test_too_large_for_the_server(gateway: Gateway, index: str, elasticsearch_url: str) -> None:
    url = await gateway(lambda body: 413 if len(body) > 500 else 0)
    documents = _documents(index, 40)
    documents[17] = Document(index, "large", orjson.dumps({"text": "x" * 600}))
    outcome = await _write_through(url, documents)
    assert outcome.stored == 39
    assert [(r.position, r.reason) for r in outcome.rejected] == [(17, "too_large")]
    assert _count(elasticsearch_url, index) == 39


async def test_outage_is_waited_out(gateway: Gateway, index: str) -> None:
    answers = iter([503, 429, 502])
    url = await gateway(lambda body: next(answers, 0))
    assert await _write_through(url, _documents(index, 10)) == Outcome(stored=10)


async def test_server_comes_up_later(
    elasticsearch_url: str, index: str, unused_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    writing = asyncio.create_task(_write_through(f"http://127.0.0.1:{unused_port}", _documents(index, 10)))
    await asyncio.sleep(0.5)
    assert not writing.done()
    host, _, port = elasticsearch_url.removeprefix("http://").partition(":")
    forwarder = await asyncio.start_server(partial(_forward, host, int(port)), "127.0.0.1", unused_port)
    async with forwarder:
        assert await writing == Outcome(stored=10)
    assert len([record for record in caplog.records if record.name == "ogrewatch.elasticsearch"]) <= 1


async def test_a_refused_caller_waits(gateway: Gateway, index: str) -> None:
    answers = iter([401, 403, 404, 400, 405])
    url = await gateway(lambda body: next(answers, 0))
    assert await _write_through(url, _documents(index, 10)) == Outcome(stored=10)


async def test_a_server_that_takes_nothing_proves_nothing(gateway: Gateway, index: str, elasticsearch_url: str) -> None:
    """It refuses requests of several documents, and of those that it takes says that it refuses them, too."""
    asked = 0

    def judge(body: bytes) -> int:
        nonlocal asked
        asked += 1
        return 400 if asked < 16 and body.count(b"\n") > 2 else 0

    def edit(answer: bytes) -> bytes:
        refused = b'"status":400,"error":{"type":"new_exception","reason":"x"}'
        for status in (b'"status":201', b'"status":409'):
            answer = answer.replace(status, refused) if asked < 16 else answer
        return answer

    sink = ElasticsearchSink(await gateway(judge, edit))
    asked = 1_000
    assert await sink.write(_documents(index, 1)) == Outcome(stored=1)
    asked = 0
    outcome = await asyncio.wait_for(sink.write(_documents(index, 10)), 200)
    await sink.close()
    assert (outcome.stored + outcome.present, outcome.rejected) == (10, [])
    assert _count(elasticsearch_url, index) == 10


async def test_what_spoils_its_whole_request_is_found(gateway: Gateway, index: str, elasticsearch_url: str) -> None:
    url = await gateway(lambda body: 400 * (b"poison" in body))
    documents = _documents(index, 40)
    documents[17] = Document(index, "id-17", b'{"text":"poison"}')
    outcome = await asyncio.wait_for(_write_through(url, documents), 60)
    assert outcome.stored == 39
    assert [(one.position, one.reason) for one in outcome.rejected] == [(17, "bad_request")]
    assert _count(elasticsearch_url, index) == 39


async def test_block_on_the_index_is_waited_out(sink: ElasticsearchSink, index: str, elasticsearch_url: str) -> None:
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.put_settings(index=index, settings={"index.blocks.write": True})
        writing = asyncio.create_task(sink.write(_documents(index, 3)))
        await asyncio.sleep(0.5)
        assert not writing.done()
        client.indices.put_settings(index=index, settings={"index.blocks.write": False})
    assert await writing == Outcome(stored=3)
