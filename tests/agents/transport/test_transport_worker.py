"""A process that is stopped, killed, or fails: what it has committed by then, and what it has written."""

import signal
import time
from collections.abc import Callable

import pytest
from transport_children import Child, until
from transport_kit import Cluster

RECORDS = 20_000


@pytest.fixture
def source(cluster: Cluster) -> str:
    cluster.topic("sink", partitions=2)
    topic = cluster.topic("source", partitions=2)
    cluster.fill(topic, RECORDS)
    return topic


@pytest.mark.usefixtures("source")
def test_sigterm_commits_all_that_is_done_and_nothing_else(start: Callable[..., Child]) -> None:
    child = start(pause=0.1, slow=0.3)
    until(lambda: child.committed() > 0)
    assert not child.listens()  # Faust's worker has a web server, asked for or not
    begun = time.monotonic()
    assert child.end(signal.SIGTERM) == 0
    assert time.monotonic() - begun < 5
    copied = child.copied()
    assert copied == list(range(len(copied)))
    assert child.committed() == len(copied) < RECORDS
    assert child.errors == ""


@pytest.mark.usefixtures("source")
def test_kill_leaves_an_exact_prefix(start: Callable[..., Child]) -> None:
    child = start(pause=0.1, slow=0.1)
    until(lambda: child.committed() > 0)
    child.end(signal.SIGKILL)
    before, committed = child.copied(), child.committed()
    assert before == list(range(len(before)))
    assert 0 < committed <= len(before) < RECORDS
    again = start()
    until(lambda: again.committed() == RECORDS)
    assert again.end(signal.SIGTERM) == 0
    assert again.copied() == before + list(range(committed, RECORDS))


@pytest.mark.usefixtures("source")
def test_an_agent_that_raises_ends_the_process(start: Callable[..., Child]) -> None:
    child = start(fail_at=1_000)
    assert child.wait() == 1
    assert "told to fail" in child.errors
    copied = child.copied()
    assert copied == list(range(len(copied)))
    assert child.committed() <= len(copied) <= 1_000
    assert start(fail_at=0).wait() == 1
    assert child.committed() <= 1_000
