"""What tests of dead letters and of the ledger share: an installation of its own with workers to start and to kill."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import typer
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from elasticsearch import ApiError, Elasticsearch
from typer.testing import CliRunner

import cli.deadletter
import cli.ledger
from agents.settings import Settings
from operations.process import command_line
from sinks.elasticsearch.templates import install
from stack.ports import free_port
from topics.catalogue import CATALOGUE
from topics.kafka.admin import create_topics
from topics.records.deadletter import letter

_ledger = typer.Typer()
_ledger.command()(cli.ledger.command)
_COMMANDS = {"deadletter": cli.deadletter.app, "ledger": _ledger}

Line = tuple[int, bytes]
"""Partition of the raw topic, and what stands in it."""


@dataclass(slots=True)
class Place:
    """Topics, data streams and groups of one test."""

    kafka: str
    elasticsearch: str
    name: str
    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = os.environ | {
            "OGREWATCH_KAFKA": self.kafka,
            "OGREWATCH_ELASTICSEARCH": self.elasticsearch,
            "OGREWATCH_PREFIX": self.prefix,
            "OGREWATCH_NAMESPACE": self.name,
            "OGREWATCH_PARTITIONS": "2",
            "OGREWATCH_DATA_DIR": str(self.folder),
            "OGREWATCH_COUNT_PORT": str(free_port()),
        }

    @property
    def prefix(self) -> str:
        """What topics' names begin with."""
        return f"{self.name}."

    @property
    def settings(self) -> Settings:
        """Its settings, as a command has them."""
        return Settings(
            kafka=self.kafka, elasticsearch=self.elasticsearch, prefix=self.prefix, namespace=self.name, partitions=2
        )

    def give_up(self, component: str, topic: str, offset: int, value: bytes = b"value", **more: Any) -> None:
        """Write a letter about a record of partition 0."""
        why = {"reason": "encoding", "text": "no reason"} | {k: v for k, v in more.items() if k in ("reason", "text")}
        record = SimpleNamespace(
            topic=self.prefix + topic, partition=0, offset=offset, key=b"key", value=value,
            timestamp=time.time_ns() // 1_000_000, headers=more.get("headers", []),
        )  # fmt: skip
        dead: Any = letter(self.prefix, component, record, **why)
        producer = Producer({"bootstrap.servers": self.kafka})
        producer.produce(dead.topic, dead.value, dead.key, timestamp=dead.timestamp, headers=dead.headers)
        assert producer.flush(30) == 0

    def send(self, lines: Iterable[Line], topic: str = "raw.syslog", headers: Any = None) -> None:
        """Put lines into partitions, with the host as their key."""
        producer = Producer({"bootstrap.servers": self.kafka, "message.max.bytes": 9 << 20})
        for partition, line in lines:
            producer.produce(self.prefix + topic, line, b"host%d" % partition, partition, headers=headers)
            producer.poll(0)
        assert producer.flush(30) == 0

    @contextmanager
    def worker(self, role: str, defect: str = "", kill: bool = True) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, killed at the end of a `with`; `defect` is Python that runs before it.

        One that is not to be killed ends in order: the next of its role need not wait until Kafka misses it.
        """
        command = command_line("worker", role, "--bare")
        if defect:
            command[command.index("-c") + 1] = f"{defect}\nfrom cli.main import main; main()"
        process = subprocess.Popen(command, env=self.environment)
        try:
            yield process
            if not kill:
                process.terminate()
                assert process.wait(120) == 0
        finally:
            process.kill()
            process.wait()

    def run(self, *arguments: str, status: int = 0) -> str:
        """What a command prints; it must end with this status."""
        group, *rest = arguments
        ended = CliRunner().invoke(_COMMANDS[group], rest, env=self.environment, catch_exceptions=False)
        assert ended.exit_code == status, f"{ended.exit_code}: {ended.output}"
        return ended.stdout

    def json(self, *arguments: str, status: int = 0) -> Any:
        """The same as JSON."""
        return json.loads(self.run(*arguments, "--json", status=status))

    def documents(self) -> dict[str, dict[str, Any]]:
        """Events by identity, as a search finds them now."""
        with Elasticsearch(self.elasticsearch) as client:
            index = f"logs-ogrewatch.*-{self.name}"
            try:
                client.indices.refresh(index=index)
                answer = client.search(index=index, size=10_000)
            except ApiError:  # an index that is being made
                return {}
        return {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}


@contextmanager
def place(kafka: str, elasticsearch: str, name: str, folder: Path) -> Iterator[Place]:
    """An installation for the time of a `with`."""
    create_topics(kafka, prefix=f"{name}.", partitions=2, replication=1)
    install(elasticsearch)
    yield Place(kafka, elasticsearch, name, folder)
    client = AdminClient({"bootstrap.servers": kafka})
    made = {f"{name}.{topic.name}" for topic in CATALOGUE}  # the broker may not have heard of them yet
    names = made.union(found for found in client.list_topics(timeout=10).topics if found.startswith(f"{name}."))
    for future in client.delete_topics(list(names)).values():
        future.result(30)


def until(true: Callable[[], Any], seconds: float = 60.0, pause: float = 0.3) -> Any:
    """Wait for something to be true, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, f"not after {seconds} s"
        time.sleep(pause)
    return found
