"""Kafka itself is killed under a worker, which waits and goes on."""

import signal
from pathlib import Path

import pytest
from transport_children import Child, until
from transport_kit import Cluster

from stack.kafka import Kafka

RECORDS = 20_000
MOST_TOLD = 25
"""Lines of one worker about an outage of ten seconds or so: each kind of failure once."""


@pytest.mark.kill
@pytest.mark.timeout(600)
def test_an_outage_of_kafka_is_waited_out(own_kafka: Kafka, unique: str, tmp_path: Path) -> None:
    cluster = Cluster(own_kafka.address, unique)
    for name in ("source", "sink"):
        cluster.topic(name, partitions=2)
    cluster.fill(f"{unique}-source", RECORDS)
    children = [child := Child(cluster, unique, tmp_path, pause=0.1)]
    try:
        until(lambda: child.committed() > 0)
        own_kafka.kill()
        latecomer = Child(cluster, unique, tmp_path / "latecomer")
        children.append(latecomer)
        until(lambda: bool(latecomer.errors))
        assert latecomer.process.poll() is None
        (told,) = latecomer.errors.splitlines()
        assert "does not answer yet: waiting for it" in told
        own_kafka.start()
        own_kafka.wait_ready()
        until(lambda: child.committed() == RECORDS, 240)
        assert child.process.poll() is None
        assert child.end(signal.SIGTERM) == 0
        assert latecomer.end(signal.SIGTERM) == 0
        assert len(child.errors.splitlines()) < MOST_TOLD
        assert "Traceback" not in child.errors + latecomer.errors
    finally:
        for one in children:
            one.kill()
    assert sorted(set(child.copied())) == list(range(RECORDS))
