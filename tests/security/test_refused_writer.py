"""Login and privileges are taken away while documents are written: they wait, and are stored when they are back."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from secured import Site

from sinks.base import Document, Outcome
from sinks.elasticsearch.backoff import Backoff
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.templates import install, stream_name


@contextmanager
def _emptied(path: Path) -> Iterator[None]:
    """A file without its content."""
    before = path.read_text()
    path.write_text("")
    try:
        yield
    finally:
        path.write_text(before)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("file", "status"), [("users", 401), ("users_roles", 403)])
async def test_a_writer_that_is_refused_waits(
    site: Site, monkeypatch: pytest.MonkeyPatch, unique: str, caplog: pytest.LogCaptureFixture, file: str, status: int
) -> None:
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    Backoff._causes.clear()
    install(site.elasticsearch.address)
    waits: list[str] = []
    sink = ElasticsearchSink(
        site.elasticsearch.address, data_streams=True, on_wait=lambda kind, documents: waits.append(kind)
    )
    stream, source = stream_name("system", unique), orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z"})
    assert await sink.write([Document(stream, "first", source)]) == Outcome(stored=1)
    with _emptied(site.elasticsearch.data_dir / "config" / file):
        number = 0
        writing = asyncio.create_task(sink.write([Document(stream, "id-0", source)]))
        while not waits:  # the server looks at its files every now and then
            await asyncio.wait({writing}, timeout=0.1)
            if writing.done():
                number += 1
                writing = asyncio.create_task(sink.write([Document(stream, f"id-{number}", source)]))
        await _until(lambda: len(waits) >= 5)
        assert not writing.done()
    async with asyncio.timeout(120):
        assert await writing == Outcome(stored=1)
    await sink.close()
    said = [record.getMessage() for record in caplog.records if record.name == "ogrewatch.elasticsearch"]
    assert any(f"({status} security_exception)" in one for one in said)
    assert len(said) <= 2
