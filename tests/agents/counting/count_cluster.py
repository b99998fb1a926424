"""Count workers on a real Kafka, as tests see them from outside: topics to fill, processes to kill, answers to read."""

import contextlib
import os
import random
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from confluent_kafka import OFFSET_END, Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from count_kit import START, Attempt

from topics.catalogue import CATALOGUE, group_of, read_by
from topics.kafka.admin import create_topics
from topics.records.stats import AuthWindow, decode

PARTITIONS = 2
_PORTS = range(20_000, 30_000, 10)
"""Below those that connections are made from: asking a port where nobody listens could connect to itself."""
OUTCOMES = ("success", "failure", "unknown")


class Cluster:
    """Topics of their own on a Kafka, and the count workers on them."""

    def __init__(self, servers: str, unique: str, directory: Path) -> None:
        self.servers, self.prefix, self.directory = servers, f"{unique}.", directory
        self.changelog, self.group = f"{self.prefix}ogrewatch-count-counts-changelog", f"{self.prefix}ogrewatch-count"
        self.admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self.port = random.choice(_PORTS)
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "OGREWATCH_KAFKA": servers,
            "OGREWATCH_PREFIX": self.prefix,
            "OGREWATCH_PARTITIONS": str(PARTITIONS),
            "OGREWATCH_DATA_DIR": str(directory),
            "OGREWATCH_COUNT_PORT": str(self.port),
        }
        create_topics(servers, prefix=self.prefix, partitions=PARTITIONS, replication=1)

    @property
    def log(self) -> Path:
        """What all workers print."""
        return self.directory / "workers.log"

    def start(self, command: Sequence[str] = (sys.executable, str(Path(__file__).with_name("count_child.py")))) -> Any:
        """Start a worker."""
        with self.log.open("a") as log:  # not a pipe: a full one would stop it
            self.workers.append(subprocess.Popen(command, env=self.environment, stderr=log))
        return self.workers[-1]

    def kill(self, worker: "subprocess.Popen[bytes]") -> None:
        """End a worker at once."""
        worker.kill()
        worker.wait(30)

    def feed(self, attempts: Sequence[Attempt], kind: str = "authentication") -> None:
        """Write attempts as normalize would."""
        conf = {"bootstrap.servers": self.servers, "linger.ms": 20, "partitioner": "murmur2_random"}
        producer = Producer({**conf, "enable.idempotence": True})
        for attempt in attempts:
            stamp = int((START + attempt.arrival) * 1000)
            producer.produce(f"{self.prefix}events.{kind}", attempt.value, attempt.address.encode(), timestamp=stamp)
            producer.poll(0)
        assert producer.flush(30) == 0

    def delete(self, topic: str) -> None:
        """Do at once what retention does in the end."""
        every = [TopicPartition(topic, partition, OFFSET_END) for partition in range(PARTITIONS)]
        for future in self.admin.delete_records(every).values():
            future.result(30)

    def read(self, topic: str) -> Iterator[Message]:
        """All records of a topic."""
        conf = {"bootstrap.servers": self.servers, "group.id": "nobody", "enable.auto.commit": False}
        reader = Consumer({**conf, "enable.partition.eof": True})
        reader.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
        ends = 0
        while ends < PARTITIONS:
            for message in reader.consume(1_000, 0.5):
                if message.error() is not None:
                    ends += 1
                else:
                    yield message
        reader.close()

    def windows(self) -> Counter[tuple[int, str, str]]:
        """The sum of all windows published, each counted once."""
        found = {window.id: window for window in map(_window, self.read(f"{self.prefix}stats.authentication"))}
        sums: Counter[tuple[int, str, str]] = Counter()
        for window in found.values():
            for outcome in OUTCOMES:
                sums[window.minute, window.service, outcome] += getattr(window, outcome)
        return +sums

    def contradictions(self) -> list[str]:
        """Ids under which windows of different values were published."""
        values = defaultdict(set)
        for window in map(_window, self.read(f"{self.prefix}stats.authentication")):
            values[window.id].add(window)
        return [name for name, several in values.items() if len(several) > 1]

    # Progress

    def committed(self, role: str) -> int:
        """The sum of what a role has committed; 0 while nobody knows."""
        return self._progress(role)[0]

    def left(self, role: str) -> int:
        """Records of a role's topics that it has not committed; 1 while nobody knows."""
        return self._progress(role)[1]

    def _progress(self, role: str) -> tuple[int, int]:
        places = [TopicPartition(topic, n) for topic in read_by(role, self.prefix) for n in range(PARTITIONS)]
        group = group_of(role, self.prefix)
        reader = Consumer({"bootstrap.servers": self.servers, "group.id": group, "log_level": 0})
        try:
            done = [max(0, place.offset) for place in reader.committed(places, timeout=10)]
            ends = [reader.get_watermark_offsets(place, timeout=10)[1] for place in places]
        except KafkaException:
            return 0, 1
        finally:
            reader.close()
        return sum(done), sum(ends) - sum(done)

    # Answers

    def ask(self, path: str, port: int | None = None) -> Any:
        """What the worker on a port answers; the first one's if none is given."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=10) as answer:
                return orjson.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:  # it holds the connection
                raise

    def ask_all(self, path: str) -> list[Any]:
        """What all workers answer that answer now."""
        found = []
        for port in range(self.port, self.port + len(self.workers)):
            with contextlib.suppress(urllib.error.URLError, TimeoutError, ConnectionError):
                found.append(self.ask(path, port))
        return found

    def rows(self, by: str) -> Counter[tuple[str, str]] | None:
        """Attempts by name and outcome over all partitions; None while partitions are missing, or answered twice."""
        answers = self._answers(by)
        if sorted(p for answer in answers for p in answer["partitions"]) != list(range(PARTITIONS)):
            return None
        sums: Counter[tuple[str, str]] = Counter()
        for answer in answers:
            for name, row in answer["rows"].items():
                sums.update({(name, outcome): row[outcome] for outcome in OUTCOMES})
        return +sums

    def owners(self) -> int:
        """How many workers answer for partitions now."""
        return sum(bool(answer["partitions"]) for answer in self._answers("service"))

    def _answers(self, by: str) -> list[Any]:
        return self.ask_all(f"/v1/attempts?by={by}&until={START + 10 * 86_400}&limit=100000")

    def clean(self) -> None:
        """Leave nothing behind."""
        for worker in self.workers:
            self.kill(worker)
        names = [self.changelog, *(self.prefix + topic.name for topic in CATALOGUE)]
        for future in self.admin.delete_topics(names).values():
            with contextlib.suppress(KafkaException):  # some tests delete topics themselves
                future.result(30)


def _window(message: Message) -> AuthWindow:
    return decode(message.value() or b"")


def until(condition: Callable[[], object], limit: float = 60.0) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
