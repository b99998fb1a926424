"""A process that is stopped, killed, or fails: what it has committed by then, and what it has written."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transport_kit import Cluster

RECORDS = 20_000


class Child:
    def __init__(self, cluster: Cluster, group: str, datadir: Path, **more: Any) -> None:
        self.cluster, self.group = cluster, group
        self.source, self.sink = f"{cluster.prefix}-source", f"{cluster.prefix}-sink"
        common = {"group": group, "servers": cluster.servers, "datadir": str(datadir)}
        self.settings = json.dumps({**common, "source": self.source, "sink": self.sink, **more})
        self.command = [sys.executable, str(Path(__file__).with_name("transport_child.py")), self.settings]
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        self.errors = self.process.communicate(timeout=20)[1]
        return self.process.returncode

    def committed(self) -> int:
        return self.cluster.committed(self.group, self.source)

    def copied(self) -> list[int]:
        return [int(record.value() or b"-1") for record in self.cluster.read(self.sink)]


@pytest.fixture
def source(cluster: Cluster) -> str:
    cluster.topic("sink", partitions=2)
    topic = cluster.topic("source", partitions=2)
    cluster.fill(topic, RECORDS)
    return topic


def until(condition: Callable[[], bool], limit: float = 20.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.mark.usefixtures("source")
def test_sigterm_commits_all_that_is_done_and_nothing_else(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    child = Child(cluster, unique, tmp_path, pause=0.02, slow=0.3)
    until(lambda: child.committed() > 0)
    begun = time.monotonic()
    assert child.end(signal.SIGTERM) == 0
    assert time.monotonic() - begun < 5
    copied = child.copied()
    assert copied == list(range(len(copied)))
    assert child.committed() == len(copied) < RECORDS
    assert child.errors == ""


@pytest.mark.usefixtures("source")
def test_kill_leaves_an_exact_prefix(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    child = Child(cluster, unique, tmp_path, pause=0.02, slow=0.1)
    until(lambda: child.committed() > 0)
    child.end(signal.SIGKILL)
    before, committed = child.copied(), child.committed()
    assert before == list(range(len(before)))
    assert 0 < committed <= len(before) < RECORDS
    again = Child(cluster, unique, tmp_path)
    until(lambda: again.committed() == RECORDS)
    assert again.end(signal.SIGTERM) == 0
    assert again.copied() == before + list(range(committed, RECORDS))


@pytest.mark.usefixtures("source")
def test_an_agent_that_raises_ends_the_process(cluster: Cluster, unique: str, tmp_path: Path) -> None:
    child = Child(cluster, unique, tmp_path, fail_at=1_000)
    assert child.wait() == 1
    assert "told to fail" in child.errors
    copied = child.copied()
    assert copied == list(range(1_000))
    assert child.committed() <= 1_000
    assert Child(cluster, unique, tmp_path, fail_at=0).wait() == 1
    assert child.committed() <= 1_000
