"""Tests that workers wait for the registry, write its ids, and read or dead-letter records of other versions."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from apicurio_kit import Door
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from elasticsearch import ApiError, Elasticsearch
from registry_kit import changed, put_schema, written

from operations.process import command_line
from sinks.elasticsearch.templates import install
from stack.ports import free_port
from topics.avro.codec import EVENTS, encode
from topics.avro.registry import Registry, subjects
from topics.avro.wire import first_bytes
from topics.catalogue import CATALOGUE, DEADLETTER
from topics.kafka.admin import create_topics

_LINE = b"<38>Nov 24 08:00:00 gate sshd[71]: Accepted password for eva from 192.0.2.7 port 4022 ssh2"
_SHOE = {"name": "shoe_size", "type": "int", "default": -1, "ecs": "shoe.size"}
_NOWHERE = 2**31 - 1


@pytest.fixture
def environment(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Topics and templates of an installation of its own."""
    create_topics(kafka, prefix=f"{unique}.", partitions=1, replication=1)
    install(elasticsearch_url)
    yield os.environ | {
        "OGREWATCH_KAFKA": kafka,
        "OGREWATCH_ELASTICSEARCH": elasticsearch_url,
        "OGREWATCH_PREFIX": f"{unique}.",
        "OGREWATCH_NAMESPACE": unique,
        "OGREWATCH_PARTITIONS": "1",
        "OGREWATCH_DATA_DIR": str(tmp_path),
        "OGREWATCH_COUNT_PORT": str(free_port()),
    }
    client = AdminClient({"bootstrap.servers": kafka})
    for future in client.delete_topics([f"{unique}.{topic.name}" for topic in CATALOGUE]).values():
        future.result(30)


def _event(offset: int, attempts: int) -> dict[str, Any]:
    now = time.time_ns() // 1000
    return {
        "timestamp": now,
        "event_created": now,
        "ogrewatch_attempt": attempts,
        "event_outcome": "failure",
        "ogrewatch_service": "sshd",
        "ogrewatch_raw_topic": "elsewhere",
        "ogrewatch_raw_partition": 0,
        "ogrewatch_raw_offset": offset,
        "event_category": ["authentication"],
    }


def _send(kafka: str, *records: tuple[str, bytes]) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    for topic, value in records:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def _records(kafka: str, topic: str, number: int, seconds: float = 30) -> list[Any]:
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    found: list[Any] = []
    try:
        until = time.monotonic() + seconds
        while len(found) < number:
            assert time.monotonic() < until, f"{len(found)} of {number} records in {topic}"
            found += consumer.consume(number - len(found), 0.2)
    finally:
        consumer.close()
    return found


def _documents(elasticsearch_url: str, namespace: str, number: int, seconds: float = 40) -> list[dict[str, Any]]:
    until = time.monotonic() + seconds
    found: list[dict[str, Any]] = []
    with Elasticsearch(elasticsearch_url) as client:
        while len(found) < number:
            assert time.monotonic() < until, f"{len(found)} of {number} documents"
            time.sleep(0.2)
            try:
                hits = client.search(index=f"logs-ogrewatch.*-{namespace}", ignore_unavailable=True)["hits"]["hits"]
            except ApiError:  # an index that is being made
                continue
            found = [hit["_source"] for hit in hits]
    return found


@contextmanager
def _workers(environment: dict[str, str]) -> Iterator[None]:
    workers = subprocess.Popen(command_line("worker", "normalize", "index", "count"), env=environment)
    try:
        yield
    finally:
        workers.terminate()
        assert workers.wait(45) == 0


def _counted(environment: dict[str, str]) -> int:
    """Attempts that the count worker has entered."""
    url = f"http://127.0.0.1:{environment['OGREWATCH_COUNT_PORT']}/v1/state"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return sum(part["total"] for part in json.load(answer)["partitions"].values())


def _await_counted(environment: dict[str, str], number: int, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while (counted := _counted(environment)) < number:
        assert time.monotonic() < until, f"{counted} of {number} attempts"
        time.sleep(0.1)
    assert counted == number


def test_workers_wait_for_the_registry_and_read_what_another_version_wrote(
    environment: dict[str, str], kafka: str, elasticsearch_url: str, unique: str, apicurio: str
) -> None:
    topic, door = f"{unique}.events.authentication", Door(apicurio)
    other = changed(EVENTS.schemas["authentication"], fields=(_SHOE,))
    number = put_schema(apicurio, f"{topic}-value", other)
    _send(
        kafka,
        (f"{unique}.raw.syslog", _LINE),
        (topic, written(other, number, {**_event(1, 3), "shoe_size": 42})),
        (topic, first_bytes(_NOWHERE) + encode("authentication", _event(2, 1))[5:]),
        (topic, encode("authentication", _event(3, 1))),
    )
    try:
        with _workers(environment | {"OGREWATCH_SCHEMA_REGISTRY": door.address}):
            time.sleep(2)
            door.open()
            documents = _documents(elasticsearch_url, unique, 3)
            dead = _records(kafka, f"{unique}.{DEADLETTER.name}", 2)
            _await_counted(environment, 5)
            values = [message.value() for message in _records(kafka, topic, 4)]
    finally:
        door.shut()
    assert sorted(found.get("shoe", {}).get("size", 0) for found in documents) == [0, 0, 42]
    assert {found["user"]["name"] for found in documents if "user" in found} == {"eva"}
    assert [letter.value()[1:5] for letter in dead] == [_NOWHERE.to_bytes(4, "big")] * 2
    ours = Registry(apicurio).find(subjects(f"{unique}.")[topic])
    assert int.from_bytes(values[-1][1:5], "big") == ours != number
