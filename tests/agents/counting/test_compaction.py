"""Changelogs that a real broker compacts while they are written: what is recovered of them is still exact."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic
from count_cluster import PARTITIONS, Cluster, until
from count_kit import START, Attempt

from operations.process import command_line
from stack.kafka import Kafka
from topics.avro.codec import decode

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "300",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "3000",
}
"""As hard as it gets: a segment a moment, and erasures that are gone soon."""
CORRELATION = "ogrewatch-normalize-joins-changelog"
CONNECTIONS, ROUNDS = 400, 4
_USERS = "dc=example,dc=com"


class Compacting(Kafka):
    """A broker whose cleaner hardly rests."""

    def _properties(self) -> str:
        return super()._properties() + "log.cleaner.backoff.ms=100\nlog.retention.check.interval.ms=1000\n"


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Compacting(tmp_path_factory.mktemp("compacting"), heap="256m") as server:
        yield server
        server.kill()


@pytest.fixture
def cluster(own_kafka: Kafka, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(own_kafka.address, unique, tmp_path)
    changelogs = [
        NewTopic(name, PARTITIONS, 1, config=COMPACTED) for name in (made.changelog, made.prefix + CORRELATION)
    ]
    for future in made.admin.create_topics(changelogs).values():
        future.result(30)
    yield made
    made.clean()


def erased(cluster: Cluster, changelog: str) -> int:
    """Offsets of a changelog that hold no record any more, before the last one of each partition."""
    offsets: dict[int, list[int]] = {}
    for message in cluster.read(changelog):
        offsets.setdefault(message.partition() or 0, []).append(message.offset() or 0)
    return sum(found[-1] + 1 - len(found) for found in offsets.values())


def attempts(first: int, last: int) -> list[Attempt]:
    return [
        Attempt(n % 2, n, n // 400, n / 8, ("failure", "success")[n % 2], address=f"198.51.100.{n % 97}")
        for n in range(first, last)
    ]


@pytest.mark.kill
def test_counts_are_exact_though_their_changelog_is_compacted(cluster: Cluster) -> None:
    worker, fed = cluster.start(), 0
    while fed < 3_000 or not erased(cluster, cluster.changelog):
        cluster.feed(attempts(fed, fed + 500))
        fed += 500
        time.sleep(0.5)
    cluster.kill(worker)
    cluster.feed(attempts(fed - 400, fed + 1_000))  # a normalize that was killed writes some of it again
    fed += 1_000
    worker = cluster.start()
    expected = Counter((a.service, a.outcome) for a in attempts(0, fed))
    until(lambda: cluster.rows("service") == expected)
    before = erased(cluster, cluster.changelog)
    cluster.feed(attempts(fed, fed + 1_000))
    until(lambda: erased(cluster, cluster.changelog) > before)
    worker.terminate()
    assert worker.wait(40) == 0
    cluster.start()
    by_address = Counter((a.address, a.outcome) for a in attempts(0, fed + 1_000))
    until(lambda: cluster.rows("address") == by_address)
    windows = Counter((START + a.minute * 60, a.service, a.outcome) for a in attempts(0, fed + 1_000))
    until(lambda: cluster.windows() == windows)


def send(cluster: Cluster, *templates: str, ahead: int = 0) -> None:
    """Send a line of each template for each connection, as if `ahead` seconds from now; wait until they are done."""
    producer = Producer({"bootstrap.servers": cluster.servers, "enable.idempotence": True})
    for n in range(CONNECTIONS):
        for template in templates:
            line = f"<134>Nov 24 10:00:00 ldap{n % 4} slapd[9]: conn={n} " + template.format(n=n, ip=n % 250)
            stamp = int((time.time() + ahead) * 1000)
            producer.produce(f"{cluster.prefix}raw.syslog", line.encode(), b"ldap%d" % (n % 4), timestamp=stamp)
    assert producer.flush(30) == 0
    until(lambda: not cluster.left("normalize"))


@pytest.mark.kill
def test_correlation_state_is_exact_though_its_changelog_is_compacted(cluster: Cluster) -> None:
    normalize = command_line("worker", "normalize", "--bare")
    worker = cluster.start(normalize)
    send(cluster, "fd=12 ACCEPT from IP=192.0.2.{ip}:4711 (IP=0.0.0.0:389)")
    for number in range(ROUNDS):
        send(cluster, f'op={number} BIND dn="uid=u{{n}}-{number},{_USERS}" method=128')
        time.sleep(0.5)  # another segment
    until(lambda: erased(cluster, cluster.prefix + CORRELATION) > CONNECTIONS)
    cluster.kill(worker)
    worker = cluster.start(normalize)
    send(cluster, f"op={ROUNDS - 1} RESULT tag=97 err=49 text=")
    worker.terminate()
    assert worker.wait(40) == 0
    found = Counter(
        (event["source_ip"], event["user_name"])
        for message in cluster.read(f"{cluster.prefix}events.authentication")
        if (event := decode(message.value() or b"")[1])["ogrewatch_attempt"]
    )
    assert found == Counter((f"192.0.2.{n % 250}", f"u{n}-{ROUNDS - 1}") for n in range(CONNECTIONS))
