"""Tests, on a real server, what kind of field each value of a document becomes."""

import asyncio
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch
from event_strategies import events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks.base import Document, Outcome
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.mappings import mappings
from sinks.elasticsearch.templates import all_names, attempts_name, install
from topics.documents.ecs import render
from topics.event import Event
from topics.records.stats import AuthWindow, document, encode

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


async def _store(url: str, stream: str, *events: dict[str, Any]) -> Outcome:
    sink = ElasticsearchSink(url)
    try:
        return await sink.write([Document(stream, str(n), orjson.dumps(render(e))) for n, e in enumerate(events)])
    finally:
        await sink.close()


async def test_stream_is_made_and_found(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    assert await _store(elasticsearch_url, stream, _EVENT) == Outcome(stored=1)
    client.indices.refresh(index=stream)
    (settings,) = client.indices.get_settings(index=stream).values()
    assert settings["settings"]["index"]["codec"] == "best_compression"
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
    install(elasticsearch_url)
    known = {**_EVENT, "extra": {}}
    assert await _store(elasticsearch_url, stream, known) == Outcome(stored=1)
    (found,) = client.indices.get_mapping(index=stream).body.values()
    time = {"@timestamp": {"type": "date", "ignore_malformed": False}}  # a data stream cannot do without it
    assert found["mappings"]["properties"] == _as_told(mappings()["properties"]) | time


def test_no_raw_ids_in_documents() -> None:
    assert "raw" not in mappings()["properties"]["ogrewatch"]["properties"]


@pytest.mark.parametrize("order", [1, -1])
async def test_a_value_of_another_type_than_before_is_stored(
    elasticsearch_url: str, stream: str, client: Elasticsearch, order: int
) -> None:
    names = (
        "vendor",
        "vendor.x",
        "process.new",
        "process.new.deep",
        "user",
        "event.sequence",
        "url.port",
        "tags",
        "dns",
    )
    values: list[Any] = [1, "a", {"b": {"c": 1}}, [1, "a"], [{"b": 1}, 2], True, None, "x" * 40_000]
    extras = [{name: value} for value in values[::order] for name in names]
    outcome = await _store(elasticsearch_url, stream, *({"timestamp": 1, "extra": extra} for extra in extras))
    assert outcome == Outcome(stored=len(extras))
    client.indices.refresh(index=stream)
    found = client.count(index=stream, query={"term": {"ogrewatch.unplaced.process.new.deep": "a"}})
    assert found["count"] == 2


async def test_members_with_any_names_are_stored(elasticsearch_url: str, stream: str, client: Elasticsearch) -> None:
    """Elasticsearch itself would refuse all but the last."""
    value = "\u20ac" * 1024
    extras: list[dict[str, Any]] = [
        {"json": {"n" * 33_000: value, "a": "found"}},
        {"json": {"n" * 16_000: {"m" * 16_000: {"o" * 1000: value}}, "a": "found"}},
        {"json": [{"n" * 33_000: 1}], "dns.answers": [{"n" * 33_000: 1}]},
        {f"vendor.{'n' * 33_000}": 1, "process.new": {"n" * 33_000: 1}},
        {"json": {"n" * 16_000: {"m" * 380: value}, "a": "found"}},
    ]
    outcome = await _store(elasticsearch_url, stream, *({"timestamp": 1, "extra": extra} for extra in extras))
    assert outcome == Outcome(stored=len(extras))
    client.indices.refresh(index=stream)
    assert client.count(index=stream, query={"term": {"json.a": "found"}})["count"] == 3


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.lists(events, min_size=1, max_size=10))
def test_any_event_is_stored(elasticsearch_url: str, stream: str, many: list[Event]) -> None:
    outcome = asyncio.run(_store(elasticsearch_url, stream, *many))
    assert outcome.rejected == []


async def test_attempts_are_numbers(elasticsearch_url: str, unique: str, client: Elasticsearch) -> None:
    install(elasticsearch_url)
    identity, found = document(encode(AuthWindow("web", 3, "web", 1_764_000_000, 2, 0, 340, 1)))
    sink = ElasticsearchSink(elasticsearch_url)
    name = attempts_name(unique)
    assert await sink.write([Document(name, identity, orjson.dumps(found))]) == Outcome(stored=1)
    await sink.refresh(all_names(unique))
    await sink.close()
    total = client.search(index=name, aggs={"n": {"sum": {"field": "ogrewatch.auth.attempts"}}}, size=0)
    assert total["aggregations"]["n"]["value"] == 341


def _as_told(properties: dict[str, Any]) -> dict[str, Any]:
    """Mappings as the server tells them."""

    def told(mapping: dict[str, Any]) -> dict[str, Any]:
        return {"properties": _as_told(mapping["properties"])} if "properties" in mapping else mapping

    return {name: told(mapping) for name, mapping in properties.items()}
