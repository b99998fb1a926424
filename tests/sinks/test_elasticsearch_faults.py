"""Tests that each document is stored once, through broken connections and servers that refuse or die."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from elasticsearch import Elasticsearch, ElasticsearchWarning

import sinks.elasticsearch.bulk
from sinks.base import Document, Outcome
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.templates import install, stream_name
from stack.elasticsearch import Elasticsearch as Server


@dataclass(frozen=True, slots=True)
class Break:
    """What becomes of a connection from the first bulk request on: of the piece of bytes after `pieces` whole ones a
    share goes on, then it breaks.
    """

    request: float = 1.0
    answer: float = 1.0
    pieces: int = 0
    silent: bool = False
    """The server gets everything, the writer nothing, and the connection stays."""


class _BrokenError(Exception):
    """A connection has ended."""


class Line:
    """A TCP line to a server; its connections meet the breaks given to it, and nothing else when those are used up."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self.breaks: Iterator[Break] = iter(())
        self.met = 0

    async def open(self) -> str:
        """Begin to listen; returns the URL to write to."""
        self._listener = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        host, port = self._listener.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def close(self) -> None:
        """End."""
        self._listener.close()
        await self._listener.wait_closed()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broken = next(self.breaks, Break())
        self.met += broken != Break()
        begun = asyncio.Event()
        server_reader, server = await asyncio.open_connection(self._host, self._port)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(_pump(begun, reader, server, broken.request, broken.pieces))
                pumps.create_task(_pump(begun, server_reader, writer, broken.answer, broken.pieces, broken.silent))
        except* (_BrokenError, ConnectionError):
            pass
        finally:
            for end in (writer, server):
                end.transport.abort()


async def _pump(
    begun: asyncio.Event,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    share: float,
    pieces: int,
    silent: bool = False,
) -> None:
    while data := await reader.read(1 << 20):
        if data.startswith(b"POST /_bulk"):
            begun.set()
        last = begun.is_set() and share < 1 and pieces == 0
        pieces -= begun.is_set()
        if not (silent and begun.is_set()):
            writer.write(data[: int(len(data) * share)] if last else data)
            await writer.drain()
        if last:
            break
    raise _BrokenError


@pytest.fixture
def index(elasticsearch_url: str, unique: str) -> Iterator[str]:
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(index=unique)
        yield unique
        client.indices.delete(index=unique)


@pytest.fixture
async def line(elasticsearch_url: str) -> AsyncIterator[Line]:
    line = Line(elasticsearch_url)
    yield line
    await line.close()


def documents(index: str, numbers: Iterable[int], text: str = "") -> list[Document]:
    return [Document(index, f"id-{n}", orjson.dumps({"n": n, "text": text})) for n in numbers]


async def write(sink: ElasticsearchSink, *batches: list[Document]) -> list[Outcome]:
    """Write batches at the same time, and close."""
    try:
        return await asyncio.gather(*(sink.write(batch) for batch in batches))
    finally:
        await sink.close()


def numbers_in(url: str, index: str) -> list[int]:
    """What every document holds that is there."""
    with Elasticsearch(url) as client:
        client.indices.refresh(index=index)
        hits = client.search(index=index, size=10_000, sort="n", source={"includes": ["n"]})["hits"]["hits"]
    return [hit["_source"]["n"] for hit in hits]


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        pytest.param(Break(request=0), Outcome(stored=500), id="before the request"),
        pytest.param(Break(request=0.5), Outcome(stored=500), id="within the request"),
        pytest.param(Break(answer=0), Outcome(present=500), id="before the answer"),
        pytest.param(Break(answer=0.2), Outcome(present=500), id="within the answer"),
        pytest.param(Break(answer=0.999), Outcome(present=500), id="before the answer's last byte"),
    ],
)
async def test_a_connection_breaks(
    line: Line, index: str, elasticsearch_url: str, broken: Break, outcome: Outcome
) -> None:
    line.breaks = iter([broken])
    assert await write(ElasticsearchSink(await line.open()), documents(index, range(500))) == [outcome]
    assert numbers_in(elasticsearch_url, index) == list(range(500))


async def test_a_stream_rolls_over_between_an_answer_that_is_lost_and_the_repetition(
    line: Line, unique: str, elasticsearch_url: str
) -> None:
    install(elasticsearch_url)
    stream = stream_name("system", unique)
    source = orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z", "n": 1})
    batch = [Document(stream, f"id-{n}", source, time.time_ns() // 1_000_000) for n in range(20)]
    line.breaks = iter([Break(answer=0)])
    with Elasticsearch(elasticsearch_url) as client:
        sink = ElasticsearchSink(await line.open(), on_retry=lambda _: client.indices.rollover(alias=stream))
        assert await write(sink, batch) == [Outcome(present=20)]
    assert numbers_in(elasticsearch_url, stream) == [1] * 20


async def test_connections_break_anywhere_again_and_again(line: Line, index: str, elasticsearch_url: str) -> None:
    draw = random.Random(3)
    line.breaks = (Break(draw.choice((1, 0.5)), draw.choice((0, 0.3, 0.999)), draw.randrange(4)) for _ in range(60))
    sink = ElasticsearchSink(await line.open(), max_bytes=4_000)
    batches = [documents(index, range(start, start + 800)) for start in range(0, 4_000, 500)]  # most of them overlap
    outcomes = await write(sink, *batches)
    assert line.met > 20
    assert [outcome.stored + outcome.present for outcome in outcomes] == [800] * len(batches)
    assert numbers_in(elasticsearch_url, index) == list(range(4_300))


async def test_a_server_that_does_not_answer_is_asked_again(
    line: Line, index: str, elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks.elasticsearch.bulk, "_TIMEOUT", 0.5)
    line.breaks = iter([Break(silent=True), Break(silent=True)])
    retries: list[int | None] = []
    sink = ElasticsearchSink(await line.open(), on_retry=retries.append)
    assert await write(sink, documents(index, range(20))) == [Outcome(present=20)]
    assert retries == [None, None]
    assert numbers_in(elasticsearch_url, index) == list(range(20))


class Narrow(Server):
    """A server that takes no request above 512 KiB."""

    def _settings(self) -> str:
        return super()._settings() + "http.max_content_length: 512kb\n"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may be killed."""
    with Narrow(tmp_path_factory.mktemp("own"), heap="512m", quick=True) as server:
        yield server
        server.kill()


async def test_what_the_server_finds_too_large_is_split_off(own: Server, unique: str) -> None:
    batch = documents(unique, range(3_000), "x" * 200)
    batch[1_700] = documents(unique, [1_700], "x" * 600_000)[0]
    (outcome,) = await asyncio.wait_for(write(ElasticsearchSink(own.address, max_bytes=900_000), batch), 60)
    assert outcome.stored + outcome.present == 2_999
    assert [(rejected.position, rejected.reason) for rejected in outcome.rejected] == [(1_700, "too_large")]
    assert numbers_in(own.address, unique) == [n for n in range(3_000) if n != 1_700]


async def test_a_server_without_memory_is_waited_for(own: Server, unique: str) -> None:
    retries: list[int | None] = []
    with Elasticsearch(own.address) as client:

        def limit(value: str | None) -> None:
            with pytest.warns(ElasticsearchWarning, match="below the minimum"):
                client.cluster.put_settings(persistent={"indices.breaker.total.limit": value})

        limit("1%")
        sink = ElasticsearchSink(own.address, on_retry=retries.append)
        writing = asyncio.create_task(write(sink, documents(unique, range(50))))
        await asyncio.sleep(1)
        assert not writing.done()
        limit(None)
        assert await writing == [Outcome(stored=50)]
    assert set(retries) == {429}


async def test_a_request_that_is_too_large_is_made_smaller_until_it_is_taken(own: Server, unique: str) -> None:
    retries: list[int | None] = []
    with Elasticsearch(own.address) as client:
        client.cluster.put_settings(persistent={"network.breaker.inflight_requests.limit": "150kb"})
        try:
            sink = ElasticsearchSink(own.address, on_retry=retries.append)
            batch = documents(unique, range(3_000), "x" * 50)
            (outcome,) = await asyncio.wait_for(write(sink, batch), 60)
        finally:
            client.cluster.put_settings(persistent={"network.breaker.inflight_requests.limit": None})
    assert outcome == Outcome(stored=3_000)
    assert set(retries) == {429}
    assert numbers_in(own.address, unique) == list(range(3_000))


async def test_a_full_disk_puts_off_what_it_concerns_and_nothing_else(own: Server, unique: str) -> None:
    full, other = unique, f"{unique}-other"
    with Elasticsearch(own.address) as client:
        client.indices.create(index=full)
        client.indices.put_settings(index=full, settings={"index.blocks.read_only_allow_delete": True})
        batch = documents(full, range(20)) + documents(other, range(20))
        writing = asyncio.create_task(write(ElasticsearchSink(own.address), batch))
        await asyncio.sleep(1)
        assert numbers_in(own.address, other) == list(range(20))
        assert not writing.done()
        client.indices.put_settings(index=full, settings={"index.blocks.read_only_allow_delete": None})
        assert await writing == [Outcome(stored=40)]
    assert numbers_in(own.address, full) == list(range(20))


@pytest.mark.kill
async def test_a_server_is_killed_while_it_writes(own: Server, unique: str, tmp_path: Path) -> None:
    sink = ElasticsearchSink(own.address, max_bytes=5_000)
    again = asyncio.Event()

    async def write_on(first: int) -> int:
        """Write until the server is there again, every fourth number from `first`, and say how many."""
        written = 0
        while written == 0 or not again.is_set():
            numbers = range(first + 4 * written, first + 4 * (written + 100), 4)
            outcome = await sink.write(documents(unique, numbers))
            assert outcome.stored + outcome.present == 100
            written += 100
        return written

    writing = asyncio.gather(*map(write_on, range(4)))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(own.kill)
    await asyncio.to_thread(own.start)
    await asyncio.to_thread(own.wait_ready)
    again.set()
    written = await writing
    await sink.close()
    with Elasticsearch(own.address) as client:
        client.indices.refresh(index=unique)
        assert client.count(index=unique)["count"] == sum(written)
