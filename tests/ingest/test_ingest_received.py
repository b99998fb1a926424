"""Tests that an event has what its receiver saw of the sender, and nothing that a sender claims instead."""

from typing import Any

import orjson
from confluent_kafka import Message
from http_kit import Proxy, Raw

from agents.pipeline import Pipeline
from agents.settings import Settings
from streams.base import MemoryState
from topics.avro.codec import decode
from topics.headers import Headers
from topics.records.provenance import headers_of, put_received
from topics.records.replay import Original

CURL = b'{"category":"demo","hostname":"localhost","severity":"INFO","summary":"This is a test"}'


def consumed(message: Message) -> Original:
    headers: Any = message.headers() or []
    place = (message.topic() or "", message.partition() or 0, message.offset() or 0, message.timestamp()[1])
    return Original(*place, message.key(), message.value(), headers)


def events_of(records: list[Original]) -> list[dict[str, Any]]:
    made = Pipeline(Settings()).records(records, MemoryState())
    return [decode(value or b"")[1] for _, _, value, _, _, _ in made]


async def test_the_first_event_that_anyone_sends(proxy: Proxy, raw: Raw) -> None:
    await proxy.post("/events", CURL)
    (event,) = events_of([consumed(message) for message in raw.records("raw.events")])
    assert (event["host_hostname"], event["message"]) == ("localhost", "This is a test")
    assert event["event_original"] == CURL.decode()
    assert event["extra"]["ogrewatch.ingest.address"] == "127.0.0.1"
    assert event["extra"]["ogrewatch.ingest.endpoint"] == "/events"
    assert "ogrewatch.ingest.identity" not in event["extra"]


async def test_a_claim_does_not_reach_the_event(proxy: Proxy, raw: Raw) -> None:
    claim = {"ogrewatch.ingest.identity": "root", "ogrewatch.ingest.address": "192.0.2.1", "summary": "x"}
    await proxy.post("/events", orjson.dumps({**claim, "ogrewatch": {"ingest": {"identity": "root"}}}))
    (event,) = events_of([consumed(message) for message in raw.records("raw.events")])
    assert event["extra"]["ogrewatch.ingest.address"] == "127.0.0.1"
    assert "ogrewatch.ingest.identity" not in event["extra"]


def test_a_line_that_came_straight_to_kafka_is_as_before() -> None:
    line = b"<38>Aug  4 15:01:25 web-01 sshd[57911]: Invalid user admin from 192.0.2.7 port 50412"
    foreign: Headers = [("traceparent", b"x")]
    first, second = events_of([Original("raw.syslog", 0, 7, 1_000, b"web-01", line, it) for it in ([], foreign)])
    assert first == second
    assert not any(name.startswith("ogrewatch.ingest") for name in first.get("extra") or {})


def test_what_the_receiver_saw_takes_the_place_of_what_is_there() -> None:
    event: dict[str, Any] = {"extra": {"ogrewatch.ingest.identity": "claimed", "kept": 1}}
    put_received(event, headers_of("192.0.2.7", "", "/events"))
    kept = {"ogrewatch.ingest.address": "192.0.2.7", "ogrewatch.ingest.endpoint": "/events", "kept": 1}
    assert event == {"extra": kept}
