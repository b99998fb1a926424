"""The demonstration corpus through normalize and count, both killed on the way: the counts are the corpus's truth."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from confluent_kafka import Producer
from count_cluster import Cluster, until

from operations.process import command_line
from stack.demo.corpus import Truth, generate, truth

SEED, HOSTS = 7, 20


@pytest.fixture
def cluster(kafka: str, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka, unique, tmp_path)
    yield made
    made.clean()


@pytest.mark.kill
def test_the_corpus_is_counted_as_it_was_made(cluster: Cluster) -> None:
    end = datetime.now(UTC)
    expected = truth(SEED, end, HOSTS)
    lines = [(key, line) for _, key, line in generate(SEED, end, HOSTS)]
    send(cluster, lines[: len(lines) // 2])
    count = cluster.start()
    normalize = cluster.start(command_line("worker", "normalize", "--bare"))
    until(lambda: cluster.rows("service"))
    for worker in (normalize, count):
        cluster.kill(worker)
    send(cluster, lines[len(lines) // 2 :])
    cluster.start()
    cluster.start(command_line("worker", "normalize", "--bare"))
    until(lambda: _exact(cluster, expected), 60)
    worst = max(expected.sources, key=lambda address: expected.sources[address].failures)
    (found,) = [answer["attacker"] for answer in cluster.ask_all(f"/v1/attackers/{worst}") if answer["attacker"]]
    source = expected.sources[worst]
    assert (found["failures"], found["successes"]) == (source.failures, source.successes)
    assert (found["user_count"], found["host_count"]) == (len(source.users), len(source.hosts))


def _exact(cluster: Cluster, expected: Truth) -> bool:
    """Whether services whose lines stand alone are counted right: the corpus says nothing of others, such as su."""
    rows = cluster.rows("service") or Counter[tuple[str, str]]()
    return all(rows.get(key) == number for key, number in expected.attempts.items() if key[0] != "ldap")


def send(cluster: Cluster, lines: list[tuple[bytes, bytes]]) -> None:
    producer = Producer({"bootstrap.servers": cluster.servers, "partitioner": "murmur2_random"})
    for key, line in lines:
        producer.produce(f"{cluster.prefix}raw.syslog", line, key)
        producer.poll(0)
    assert producer.flush(30) == 0
