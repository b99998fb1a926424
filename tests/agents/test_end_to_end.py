"""Raw lines in Kafka become searchable events, each once, through workers that are killed on the way."""

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from elasticsearch import ApiError, Elasticsearch

from operations.process import command_line
from sinks.elasticsearch.templates import install
from stack.demo.corpus import generate
from stack.ports import free_port
from topics.catalogue import CATALOGUE
from topics.kafka.admin import create_topics

_WORKER = command_line("worker")
_ODD = [b"\xff\xfe not utf-8", b"nul \x00 byte", b"   ", b"x" * (1 << 20)]


@pytest.fixture
def environment(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    prefix = f"{unique}."
    create_topics(kafka, prefix=prefix, partitions=2, replication=1)
    install(elasticsearch_url)
    yield os.environ | {
        "OGREWATCH_KAFKA": kafka,
        "OGREWATCH_ELASTICSEARCH": elasticsearch_url,
        "OGREWATCH_PREFIX": prefix,
        "OGREWATCH_NAMESPACE": unique,
        "OGREWATCH_PARTITIONS": "2",
        "OGREWATCH_DATA_DIR": str(tmp_path),
        "OGREWATCH_COUNT_PORT": str(free_port()),
        "OGREWATCH_WEB_PORT": str(free_port()),
        "OGREWATCH_INGEST_PORT": str(free_port()),
    }
    client = AdminClient({"bootstrap.servers": kafka})
    for future in client.delete_topics([prefix + topic.name for topic in CATALOGUE]).values():
        future.result(30)


def _send(environment: dict[str, str], lines: list[tuple[bytes, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": environment["OGREWATCH_KAFKA"], "message.max.bytes": 8 << 20})
    for key, line in lines:
        producer.produce(environment["OGREWATCH_PREFIX"] + "raw.syslog", line, key)
        producer.poll(0)
    assert producer.flush(30) == 0


def _children(parent: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _counted(client: Elasticsearch, namespace: str) -> int:
    """Documents a search finds; an index that is being made answers 503."""
    try:
        return int(client.count(index=f"logs-ogrewatch.*-{namespace}", ignore_unavailable=True)["count"])
    except ApiError:
        return 0


def _wait(client: Elasticsearch, namespace: str, number: int, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while _counted(client, namespace) < number:
        assert time.monotonic() < until, f"{_counted(client, namespace)} of {number} after {seconds} s"
        time.sleep(0.2)


@pytest.mark.kill
def test_every_line_is_searchable_once_though_workers_are_killed(environment: dict[str, str], unique: str) -> None:
    corpus = [(key, line) for _, key, line in generate(7, datetime.now(UTC))][:20_000]
    first = [*corpus[:10_000], *((b"odd", line) for line in _ODD)]
    with Elasticsearch(environment["OGREWATCH_ELASTICSEARCH"]) as client:
        _send(environment, first)
        workers = subprocess.Popen(_WORKER, env=environment)
        try:
            _wait(client, unique, 1_000)
            for child in _children(workers.pid):
                os.kill(child, 9)
            _send(environment, corpus[10_000:])
            total = len(corpus) + len(_ODD)
            _wait(client, unique, total)
            time.sleep(2)
            assert _counted(client, unique) == total
            _look_right(client, unique)
        finally:
            workers.terminate()
            assert workers.wait(45) == 0


def _look_right(client: Elasticsearch, namespace: str) -> None:
    index = f"logs-ogrewatch.*-{namespace}"
    failures = client.count(index=index, query={"term": {"event.outcome": "failure"}})
    assert failures["count"] > 0
    placed = client.count(index=index, query={"exists": {"field": "source.geo.country_iso_code"}})
    assert placed["count"] > 0
    broken = client.search(index=index, query={"term": {"event.kind": "pipeline_error"}})
    assert [hit["_source"]["error"]["message"] for hit in broken["hits"]["hits"]] == ["empty line"]
