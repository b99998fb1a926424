"""Leaves for every test: a real Kafka and a real Elasticsearch, and names nobody else uses.

`OGREWATCH_TEST_KAFKA` and `OGREWATCH_TEST_ELASTICSEARCH` point at servers that run already. Without them the embedded
ones start on free ports for the session. A server that does not answer is a failure, never a skip.
"""

import os
import signal
import uuid
from collections.abc import Iterator

import pytest

from stack.elasticsearch import Elasticsearch
from stack.kafka import Kafka
from stack.server import Server


def pytest_sessionstart() -> None:
    """A run that is told to end ends like one that is interrupted, so that its servers do not outlive it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a Kafka that answers."""
    yield from _external("OGREWATCH_TEST_KAFKA") or _embedded(Kafka(tmp_path_factory.mktemp("kafka")))


@pytest.fixture(scope="session")
def elasticsearch_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an Elasticsearch that answers."""
    server = Elasticsearch(tmp_path_factory.mktemp("elasticsearch"), quick=True)
    yield from _external("OGREWATCH_TEST_ELASTICSEARCH") or _embedded(server)


@pytest.fixture
def unique() -> str:
    """A short name for this test alone; fits topics, groups, indices and namespaces."""
    return f"t{uuid.uuid4().hex[:10]}"


def _external(variable: str) -> list[str]:
    return [os.environ[variable]] if os.environ.get(variable) else []


def _embedded(server: Server) -> Iterator[str]:
    try:
        server.start()
        server.wait_ready()
        yield server.address
    finally:
        server.stop()
