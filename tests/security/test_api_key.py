"""Tests that an API key lets a sink and a command work, and that a wrong one is refused in a sentence."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator

import pytest
from key_proxy import key_proxy
from secured import PASSWORD, USER, Site

from sinks.base import Document
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.connection import answers
from sinks.elasticsearch.templates import install, stream_name
from topics.errors import AccessRefused

_KEY = base64.b64encode(b"identity:secret-of-the-key").decode()


@pytest.fixture
async def url(site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A server that wants an API key, and settings with it; the key is in a file."""
    file = site.folder / "api-key"
    file.write_text(f"{_KEY}\n")
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_API_KEY_FILE", str(file))
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_CA", str(site.authority.certificate))
    trusted = ssl.create_default_context(cafile=site.authority.certificate)
    async with key_proxy(site.elasticsearch.address, trusted, site.server, _KEY, f"{USER}:{PASSWORD}") as made:
        yield made


async def test_documents_are_stored_with_a_key(site: Site, url: str, unique: str) -> None:
    await asyncio.to_thread(install, url)
    sink = ElasticsearchSink(url)
    stream = stream_name("system", unique)
    outcome = await sink.write([Document(stream, "one", b'{"@timestamp":"2026-01-01T00:00:00Z"}')])
    await sink.refresh(stream)
    await sink.close()
    assert outcome.stored == 1
    assert site.elasticsearch.ask("GET", f"/{stream}/_count")[1]["count"] == 1


async def test_another_key_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OGREWATCH_ELASTICSEARCH_API_KEY_FILE")
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_API_KEY", "bm86bm8=")
    with pytest.raises(AccessRefused, match=r"does not know us \(status 401\)") as told:
        await asyncio.to_thread(answers, url)
    assert "bm86bm8=" not in str(told.value)
