"""The broker is killed, again and again, also while partitions move: no worker ends, and each stops when it is told to.

Two workers of a role each, because it takes two for partitions to move.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Producer

from agents.settings import Settings
from operations.process import command_line
from stack.kafka import Kafka
from stack.ports import free_port
from topics.catalogue import RAW
from topics.kafka.admin import create_topics
from topics.kafka.reader import Reader

ROLES = ("normalize", "count")
PARTITIONS, LINES, KILLS = 4, 200, 3
STOP = 30.0  # seconds that a worker has to end in
LIMIT = 240.0  # seconds until everything is processed, on a busy machine


class Fleet:
    """Workers, and what they print."""

    def __init__(self, kafka: Kafka, folder: Path) -> None:
        self.kafka, self.folder = kafka, folder
        self.settings = Settings(kafka=kafka.address, prefix="kills.", partitions=PARTITIONS)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "OGREWATCH_KAFKA": kafka.address,
            "OGREWATCH_PREFIX": self.settings.prefix,
            "OGREWATCH_PARTITIONS": str(PARTITIONS),
            "OGREWATCH_DATA_DIR": str(folder),
            "OGREWATCH_COUNT_PORT": str(free_port()),
        }

    def log(self, number: int) -> Path:
        return self.folder / f"{number}.log"

    def start(self, role: str) -> None:
        with self.log(len(self.workers)).open("wb") as log:
            command = command_line("worker", role, "--bare")
            self.workers.append(subprocess.Popen(command, env=self.environment, stderr=log))

    def alive(self) -> None:
        for number, worker in enumerate(self.workers):
            assert worker.poll() in (None, 0), self.log(number).read_text()

    def send(self) -> None:
        producer = Producer({"bootstrap.servers": self.kafka.address, "log_level": 0})
        line = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.%d port 4711 ssh2"
        for number in range(LINES):
            topic = self.settings.prefix + RAW[0].name
            producer.produce(topic, line % (number % 250), b"host%d" % number)
        assert producer.flush(60) == 0

    def left(self) -> int:
        """Records that nobody has processed; 1 while Kafka does not say."""
        try:
            with Reader(self.kafka.address) as reader:
                return sum(reader.left(role, self.settings.prefix) for role in ROLES)
        except KafkaException:
            return 1

    def settled(self) -> None:
        until = time.monotonic() + LIMIT
        while self.left():
            self.alive()
            assert time.monotonic() < until
            time.sleep(0.5)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@pytest.fixture
def fleet(own_kafka: Kafka, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(own_kafka, tmp_path)
    yield made
    made.close()


@pytest.mark.kill
@pytest.mark.timeout(900)
def test_workers_survive_kills_of_the_broker_and_stop_without_one(fleet: Fleet) -> None:
    for role in ROLES * 2:  # a first start: the topics are being made meanwhile
        fleet.start(role)
    create_topics(fleet.kafka.address, prefix=fleet.settings.prefix, partitions=PARTITIONS, replication=1)
    fleet.send()
    fleet.settled()
    for number in range(KILLS):
        fleet.workers[number].send_signal(signal.SIGTERM)  # its partitions move
        fleet.start(ROLES[number % len(ROLES)])
        time.sleep(number)
        fleet.kafka.kill()
        time.sleep(2)
        fleet.kafka.start()
        fleet.kafka.wait_ready()
        fleet.send()
        fleet.alive()
    fleet.settled()
    fleet.kafka.kill()
    time.sleep(1)
    running = [worker for worker in fleet.workers if worker.poll() is None]
    for worker in running:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(STOP + 10) for worker in running] == [0] * len(running)
    fleet.alive()
