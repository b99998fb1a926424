"""The templates on a real server: what kind of field a document's values become."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from elasticsearch import ApiError, Elasticsearch

from sinks.base import Document, Outcome
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.mappings import mappings
from sinks.elasticsearch.setup import install, stream_name
from topics.ecs import render

_EVENT: dict[str, Any] = {
    "timestamp": 1_700_000_000_000_000,
    "event_created": 1_700_000_001_000_000,
    "event_dataset": "sshd.log",
    "event_category": ["authentication"],
    "ogrewatch_attempt": 1,
    "ogrewatch_service": "sshd",
    "source_ip": "81.2.69.142",
    "source_geo_lat": 51.5,
    "source_geo_lon": -0.1,
    "user_name": "alice",
    "host_hostname": "bastion.example.com",
    "message": "Failed password for alice",
    "event_original": "x" * 40_000,
    "log_syslog_priority": 86,
    "extra": {"vendor.deep.value": "unheard of", "process.new": "short"},
}


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def stream(elasticsearch_url: str, unique: str, client: Elasticsearch) -> Iterator[str]:
    """The data stream of a namespace of its own."""
    install(elasticsearch_url, unique)
    name = stream_name("authentication", unique)
    yield name
    try:
        client.indices.delete_data_stream(name=name)
    except ApiError:  # a build without the data stream API keeps the stream
        assert unique in name


async def _store(url: str, stream: str, *events: dict[str, Any]) -> Outcome:
    sink = ElasticsearchSink(url)
    try:
        return await sink.write([Document(stream, str(n), orjson.dumps(render(e))) for n, e in enumerate(events)])
    finally:
        await sink.close()


async def test_stream_is_made_and_found(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    assert await _store(elasticsearch_url, stream, _EVENT) == Outcome(stored=1)
    client.indices.refresh(index=stream)
    box = {"top_left": {"lat": 52, "lon": -1}, "bottom_right": {"lat": 51, "lon": 1}}
    for query in (
        {"geo_bounding_box": {"source.geo.location": box}},
        {"term": {"source.ip": "81.2.69.0/24"}},
        {"match": {"message": "password"}},
        {"term": {"vendor.deep.value": "unheard of"}},
        {"range": {"@timestamp": {"gte": "2023-11-14", "lt": "2023-11-15"}}},
    ):
        assert client.search(index=stream, query=query)["hits"]["total"]["value"] == 1, query


async def test_mapping_of_what_came(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    await _store(elasticsearch_url, stream, _EVENT)
    answer = client.indices.get_mapping(index=stream).body
    ((name, found),) = answer.items()
    assert name.startswith(f".ds-{stream}-")
    properties = found["mappings"]["properties"]
    assert properties["source"]["properties"]["geo"]["properties"]["location"] == {"type": "geo_point"}
    assert properties["vendor"] == {"type": "flattened", "ignore_above": 1024}
    assert properties["process"]["properties"]["new"] == {"type": "keyword", "ignore_above": 1024}


async def test_every_rendered_field_is_mapped(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    install(elasticsearch_url, "again")
    known = {**_EVENT, "extra": {}}
    assert await _store(elasticsearch_url, stream, known) == Outcome(stored=1)
    (found,) = client.indices.get_mapping(index=stream).body.values()
    assert found["mappings"]["properties"] == _as_told(mappings()["properties"])


def test_no_raw_ids_in_documents() -> None:
    assert set(mappings()["properties"]["ogrewatch"]["properties"]) == {"attempt", "service"}


def _as_told(properties: dict[str, Any]) -> dict[str, Any]:
    """Mappings as the server tells them."""

    def told(mapping: dict[str, Any]) -> dict[str, Any]:
        return {"properties": _as_told(mapping["properties"])} if "properties" in mapping else mapping

    return {name: told(mapping) for name, mapping in properties.items()}
