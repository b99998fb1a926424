"""Makes an installation for one measurement: topics, data streams and workers of its own on the given servers.

Topics are removed afterwards. Data streams stay, because a build of the server without their API cannot remove them.
"""

import os
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from agents.settings import Settings
from operations.process import command_line
from stack.ports import HOST, free_port
from topics.catalogue import CATALOGUE, DEADLETTER, TYPED
from topics.kafka.admin import create_topics
from topics.kafka.client import client_conf
from topics.kafka.reader import Reader

_KEEP = 10 * 365 * 86_400.0  # seconds; so long, because an old corpus has to be counted as well


@dataclass(frozen=True)
class Sandbox:
    """An installation with names of its own. Methods and properties ask its servers, and block."""

    settings: Settings
    prefix: str
    environment: dict[str, str]
    count_url: str
    """Where its count worker answers."""
    reader: Reader
    """For whoever asks Kafka; one thread at a time."""

    @cached_property
    def namespace(self) -> str:
        """The last part of its data streams' names."""
        return self.prefix.rstrip(".")

    def typed(self) -> int:
        """The number of records in the typed topics, and of dead letters."""
        return sum(self.reader.end(self.prefix + topic.name) for topic in (*TYPED, DEADLETTER))

    def uncounted(self) -> int:
        """The number of records that the count role has not committed, in the typed topics that it reads."""
        return self.reader.left("count", self.prefix)

    def searchable(self) -> int:
        """The number of events that a search finds."""
        from elasticsearch import ApiError

        try:
            found = self._elasticsearch.count(index=f"logs-ogrewatch.*-{self.namespace}", ignore_unavailable=True)
        except ApiError:  # an index is just being made
            return 0
        return int(found["count"])

    def install(self) -> None:
        """Put the index templates in place."""
        from sinks.elasticsearch.templates import install

        install(self.settings.elasticsearch)

    @cached_property
    def _elasticsearch(self) -> Any:
        from sinks.elasticsearch.connection import client

        return client(self.settings.elasticsearch, request_timeout=60)


@contextmanager
def sandbox(settings: Settings, geoip: Path | None = None) -> Iterator[Sandbox]:
    """Make an installation, and remove its topics at the end of a `with`."""
    prefix, port = f"bench{uuid.uuid4().hex[:8]}.", free_port()
    create_topics(settings.kafka, prefix=prefix, partitions=settings.partitions, replication=1)
    with tempfile.TemporaryDirectory() as folder, Reader(settings.kafka) as reader:
        environment = os.environ | {
            "OGREWATCH_PREFIX": prefix,
            "OGREWATCH_NAMESPACE": prefix.rstrip("."),
            "OGREWATCH_DATA_DIR": folder,
            "OGREWATCH_KEEP": str(_KEEP),
            "OGREWATCH_COUNT_PORT": str(port),
            **({"OGREWATCH_GEOIP": str(geoip)} if geoip else {}),
        }
        try:
            yield Sandbox(settings, prefix, environment, f"http://{HOST}:{port}", reader)
        finally:
            _delete(settings.kafka, prefix)


@contextmanager
def workers(made: Sandbox, roles: list[str]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start a process for each role, and kill all at the end of a `with`."""
    running = {role: subprocess.Popen(command_line("worker", role, "--bare"), env=made.environment) for role in roles}
    try:
        yield running
    finally:
        for process in running.values():
            process.send_signal(signal.SIGKILL)
            process.wait()


def _delete(servers: str, prefix: str) -> None:
    """Delete all topics of a measurement, and the changelogs that Faust has made."""
    client = AdminClient(client_conf(servers))
    names = [name for name in client.list_topics(timeout=10).topics if name.startswith(prefix)]
    for future in client.delete_topics(names or [prefix + topic.name for topic in CATALOGUE]).values():
        future.result(30)
