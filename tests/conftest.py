"""Leaves for every test: a real Kafka and a real Elasticsearch, and names nobody else uses.

`OGREWATCH_TEST_KAFKA` and `OGREWATCH_TEST_ELASTICSEARCH` point at servers that run already. Without them the first test
that asks for one starts it, for all processes of the run. A server that does not answer is a failure, never a skip.
"""

import fcntl
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from stack.elasticsearch import Elasticsearch
from stack.kafka import Kafka
from stack.server import Server

_FOLDER = "OGREWATCH_TEST_FOLDER"
"""Where the servers of a run are; the process that starts the others tells them."""


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[_FOLDER] = tempfile.mkdtemp(prefix="ogrewatch-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the servers when all processes of the run have ended."""
    if not hasattr(config, "workerinput"):
        for server in (_kafka(), _elasticsearch()):
            server.stop()
        shutil.rmtree(os.environ.pop(_FOLDER))


def pytest_sessionstart() -> None:
    """A run that is told to end ends like one that is interrupted, so that its servers do not outlive it.

    A shell makes what it starts in the background ignore SIGINT, and so would the commands that tests interrupt.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Files(LoadFileScheduling):  # type: ignore[misc]
    """Shares out whole files. Soaks are as one, for two at a time would leave each other too little of the machine."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "soak" if Path(file).name.startswith("test_soak") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Files:
    return Files(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """First the files that take long, when processes share them: else one would end long before the other."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("kill")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def kafka() -> str:
    """Bootstrap servers of a Kafka that answers."""
    return os.environ.get("OGREWATCH_TEST_KAFKA") or _running(_kafka())


@pytest.fixture(scope="session")
def elasticsearch_url() -> str:
    """URL of an Elasticsearch that answers."""
    return os.environ.get("OGREWATCH_TEST_ELASTICSEARCH") or _running(_elasticsearch())


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Kafka]:
    """A Kafka that the test may kill, cut and stop."""
    with Kafka(tmp_path / "kafka", heap="384m") as server:
        yield server
        server.kill()


@pytest.fixture
def unique() -> str:
    """A short name for this test alone; fits topics, groups, indices and namespaces."""
    return f"t{uuid.uuid4().hex[:10]}"


def _kafka() -> Kafka:
    return Kafka(Path(os.environ[_FOLDER]) / "kafka")


def _elasticsearch() -> Elasticsearch:
    return Elasticsearch(Path(os.environ[_FOLDER]) / "elasticsearch", quick=True)


def _running(server: Server) -> str:
    """The address of a server, started by whoever comes first."""
    with Path(os.environ[_FOLDER], f"{server.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server.start()
        server.wait_ready()
    return server.address
