"""Tests our configurations of rsyslog and syslog-ng: each line arrives in raw.syslog, although Kafka goes down."""

import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from relay_kit import Relay, make_certificates

from stack.kafka import Kafka
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.kafka.admin import create_topics

_TRANSPORTS = ("udp", "tcp", "frames", "tls")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    made = Kafka(tmp_path_factory.mktemp("kafka"))
    yield made
    made.stop()


@pytest.fixture
def broker(server: Kafka, unique: str) -> Kafka:
    """A Kafka that runs, and that the test may stop; with topics of the test."""
    server.start()
    server.wait_ready()
    create_topics(server.address, prefix=f"{unique}.", partitions=2, replication=1)
    return server


@pytest.fixture(params=["rsyslog", "syslog-ng"])
def relay(request: pytest.FixtureRequest, broker: Kafka, unique: str, tmp_path: Path) -> Iterator[Relay]:
    folder = tmp_path / "relay"
    folder.mkdir()
    make_certificates(folder)
    running = Relay(request.param, folder, broker.address, f"{unique}.raw.syslog")
    running.start()
    yield running
    running.stop()


def _lines(transport: str, part: str, number: int) -> list[bytes]:
    """Lines of both kinds, from hosts of their own; the tab and the Latin-1 byte must come through."""
    old = b"<38>Nov 24 10:00:00 %s-old sshd[%d]: Failed password for bob\tfrom 192.0.2.7 port 22 ssh2 \xe9 %s %d"
    new = b'<86>1 2026-11-24T10:00:00.5Z %s-new sudo %d - [a@1 b="c"] root : TTY=pts/0 %s %d'
    name, mark = transport.encode(), part.encode()
    return [(old if n % 2 else new) % (name, n, mark, n) for n in range(number)]


def _send(relay: Relay, part: str, number: int) -> list[bytes]:
    sent = []
    for transport in _TRANSPORTS:
        lines = _lines(transport, part, number)
        getattr(relay, f"send_{transport}")(lines)
        sent += lines
    return sent


def _received(relay: Relay, number: int, seconds: float = 60) -> Counter[tuple[bytes, bytes]]:
    """Key and value of what transactions committed, until `number` have come and no more follow."""
    conf = {"bootstrap.servers": relay.kafka, "isolation.level": "read_committed"}
    consumer = Consumer(conf | {"group.id": uuid.uuid4().hex})
    consumer.assign([TopicPartition(relay.topic, partition, 0) for partition in range(2)])
    found: Counter[tuple[bytes, bytes]] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        messages = consumer.consume(1000, 2.0 if len(found) >= number else 0.2)
        found.update((m.key() or b"", (m.value() or b"").rstrip(b"\n")) for m in messages if not m.error())
        if len(found) >= number and not messages:
            break
    consumer.close()
    return found


def _check(relay: Relay, received: Counter[tuple[bytes, bytes]], sent: list[bytes]) -> None:
    """Each line is there under its host, once. rsyslog itself sends a line again when the broker goes away under it."""
    assert received.keys() == {(line.split()[3 if line[:4] == b"<38>" else 2], line) for line in sent}, relay.log()
    repeated = [line for line, number in received.items() if number > 1]
    assert len(repeated) <= (5 if relay.name == "rsyslog" else 0), repeated


@pytest.mark.kill
def test_each_line_arrives_without_repeats_though_kafka_goes_down(relay: Relay, broker: Kafka) -> None:
    sent = _send(relay, "before", 300)
    _check(relay, _received(relay, len(sent)), sent)
    broker.stop()
    sent += _send(relay, "away", 1000)
    broker.start()
    broker.wait_ready()
    sent += _send(relay, "after", 300)
    _check(relay, _received(relay, len(sent)), sent)


@pytest.fixture(params=["rsyslog", "syslog-ng"])
def own_logs(request: pytest.FixtureRequest, broker: Kafka, unique: str, tmp_path: Path) -> Iterator[Relay]:
    """A relay that takes logs of its own machine, too; a socket's path must be short."""
    make_certificates(tmp_path)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        local = Path(short) / "log"
        running = Relay(request.param, tmp_path, broker.address, f"{unique}.raw.syslog", local=local)
        running.start()
        yield running
        running.stop()


def test_the_relay_s_own_logs_come_along_and_name_their_host(own_logs: Relay) -> None:
    said = [f"Failed password for bob from 192.0.2.{n} port 22 ssh2" for n in range(20)]
    own_logs.send_local(f"<38>Nov 24 10:00:00 sshd[{n}]: {text}".encode() for n, text in enumerate(said))
    until, found = time.monotonic() + 60, set[str]()
    while not found.issuperset(said) and time.monotonic() < until:
        for key, line in _received(own_logs, len(said)):
            event = Dispatcher().parse(line, time.time_ns() // 1000, MemoryState(), None)
            assert event.get("host_hostname", event.get("host_name")) == key.decode() != ""
            found.add(event["message"])
    assert found.issuperset(said), own_logs.log()


@pytest.mark.kill
def test_what_waits_survives_a_restart_of_the_relay(relay: Relay, broker: Kafka) -> None:
    broker.stop()
    sent = _send(relay, "away", 500)
    relay.stop()
    broker.start()
    broker.wait_ready()
    relay.start()
    sent += _send(relay, "after", 100)
    _check(relay, _received(relay, len(sent)), sent)
