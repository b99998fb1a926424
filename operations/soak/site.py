"""Makes an installation in a folder: servers that may be broken, topics and index templates."""

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.settings import Settings
from stack.cache import ELASTICSEARCH, KAFKA, ensure
from stack.elasticsearch import Elasticsearch
from stack.errors import StackError
from stack.kafka import Kafka
from stack.ports import HOST, is_free
from stack.server import Server

PREFIX, NAMESPACE = "soak.", "soak"
PARTITIONS = 4
# Variables about other servers, and about who may ask the workers: they are not passed on.
_SECURITY = ("OGREWATCH_KAFKA_", "OGREWATCH_ELASTICSEARCH_", "OGREWATCH_SECRET", "OGREWATCH_COUNT_")
_READY = 600.0  # seconds that a server has to answer in, on a busy machine
_NEAR = 8  # the most workers of the count role at once, each on the next port


@dataclass(frozen=True, slots=True)
class Site:
    """One installation, all of whose files are in `folder`."""

    folder: Path
    kafka: Kafka
    elasticsearch: Elasticsearch
    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a worker."""
        said = self.settings.model_dump(exclude_defaults=True)
        return os.environ | {f"OGREWATCH_{name.upper()}": str(value) for name, value in said.items()}

    @property
    def count_urls(self) -> list[str]:
        """The addresses at which count workers may answer."""
        return [f"http://{HOST}:{self.settings.count_port + n}" for n in range(_NEAR)]


def wait_ready(server: Server) -> None:
    """Block until a server answers. Raises `StackError`."""
    server.wait_ready(_READY)


@contextmanager
def site(keep: Path | None) -> Iterator[Site]:
    """Make an installation for the time of a `with`: its servers run, its topics and templates exist.

    Its folder is removed afterwards, unless `keep` names one. Raises `StackError` when a server does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="ogrewatch-soak-")) if keep is None else keep
    made = _site(folder)
    try:
        _start(made)
        yield made
    finally:
        for server in (made.kafka, made.elasticsearch):
            server.kill()
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _site(folder: Path) -> Site:
    for name in [name for name in os.environ if name.startswith(_SECURITY)]:
        del os.environ[name]
    for package in (KAFKA, ELASTICSEARCH):
        ensure(package)
    kafka, elasticsearch = Kafka(folder / "kafka"), Elasticsearch(folder / "elasticsearch")
    kafka.start()
    elasticsearch.start()
    settings = Settings(
        kafka=kafka.address, elasticsearch=elasticsearch.address, prefix=PREFIX, namespace=NAMESPACE,
        partitions=PARTITIONS, data_dir=folder, count_port=_ports(), metrics_port=0,
    )  # fmt: skip
    return Site(folder, kafka, elasticsearch, settings)


def _start(made: Site) -> None:
    from sinks.elasticsearch.templates import install
    from topics.kafka.admin import create_topics

    for server in (made.kafka, made.elasticsearch):
        wait_ready(server)
    create_topics(made.settings.kafka, prefix=PREFIX, partitions=PARTITIONS, replication=1)
    install(made.settings.elasticsearch)


def _ports() -> int:
    """Find some free ports in a row, below those that the system takes for connections; returns the first."""
    for _ in range(1000):
        first = random.randrange(20_000, 30_000, _NEAR)
        if all(is_free(port) for port in range(first, first + _NEAR)):
            return first
    raise StackError("No free ports for workers between 20000 and 30000: end the programs that take them.")
