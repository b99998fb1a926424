"""Tests, on a real server, whether it is told rightly that a document would be refused, without storing it."""

from contextlib import suppress
from typing import Any

import orjson
from elasticsearch import ApiError, Elasticsearch

from agents.runtime.canary import sample_events
from sinks.base import Document, Outcome
from sinks.elasticsearch.bulk import ElasticsearchSink
from topics.documents.document import document_of


def _sample(stream: str) -> Document:
    _, identity, source = document_of(sample_events("")["events.authentication"].value)
    return Document(stream, identity, source)


async def _refusal(url: str, document: Document) -> str:
    sink = ElasticsearchSink(url)
    try:
        return await sink.refusal(document)
    finally:
        await sink.close()


async def _store(url: str, *documents: Document) -> Outcome:
    sink = ElasticsearchSink(url)
    try:
        return await sink.write(documents)
    finally:
        await sink.close()


async def test_a_sample_that_would_be_stored_is_not(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    sample = _sample(stream)
    assert await _refusal(elasticsearch_url, sample) == ""  # there is no such stream yet
    assert await _store(elasticsearch_url, Document(stream, "one", sample.source)) == Outcome(stored=1)
    assert await _refusal(elasticsearch_url, sample) == ""
    client.indices.refresh(index=stream)
    assert client.count(index=stream)["count"] == 1


async def test_a_mapping_that_takes_no_document_of_ours_is_found_out(
    elasticsearch_url: str, stream: str, unique: str, client: Elasticsearch
) -> None:
    properties: dict[str, Any] = {"user": {"properties": {"name": {"type": "date"}}}}
    settings = {"index.mapping.ignore_malformed": False}
    client.indices.put_index_template(
        name=unique, index_patterns=[stream], data_stream={}, priority=900, composed_of=["ogrewatch-ecs"],
        template={"mappings": {"properties": properties}, "settings": settings},
    )  # fmt: skip
    try:
        empty = orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z"})
        assert await _store(elasticsearch_url, Document(stream, "one", empty)) == Outcome(stored=1)
        assert "user.name" in await _refusal(elasticsearch_url, _sample(stream))
    finally:
        with suppress(ApiError):  # a build without the data stream API keeps the stream
            client.indices.delete_data_stream(name=stream)
        client.indices.delete_index_template(name=unique)


async def test_a_server_that_is_away_refuses_nothing(stream: str) -> None:
    assert await _refusal("http://127.0.0.1:1", _sample(stream)) == ""
