"""All workers are started anew, one after another, under load: answers say what they are about, and nothing is lost."""

import asyncio
import contextlib
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from count_cluster import PARTITIONS, Cluster
from count_cluster import until as until_within
from count_kit import START
from elasticsearch import ApiError, Elasticsearch

from operations.process import command_line
from sinks.elasticsearch.templates import attempts_name, install, stream_name
from web import answers
from web.workers import NoWorkers, Workers

ROLES = ("normalize", "count", "index")
RATE = 500  # lines a second
LINES_A_MINUTE = 1_200  # of the time in the lines, which begins an hour ago and must not reach today's end
CORRELATION = "ogrewatch-normalize-joins-changelog"


def until(condition: Callable[[], object]) -> None:
    """Wait for something to come true, on a machine that starts six workers at once."""
    until_within(condition, 120)


@pytest.fixture
def cluster(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka, unique, tmp_path)
    made.environment |= {"OGREWATCH_ELASTICSEARCH": elasticsearch_url, "OGREWATCH_NAMESPACE": unique}
    install(elasticsearch_url)
    yield made
    made.clean()
    made.admin.delete_topics([made.prefix + CORRELATION])[made.prefix + CORRELATION].result(30)
    with Elasticsearch(elasticsearch_url) as client:
        for name in (stream_name("authentication", unique), attempts_name(unique)):
            with contextlib.suppress(ApiError):  # there is none, or no interface for it
                client.indices.delete_data_stream(name=name)


class Load(threading.Thread):
    """Sends failed log-ins until it is told to stop."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self._topic, self._servers, self._over = f"{cluster.prefix}raw.syslog", cluster.servers, threading.Event()
        self.expected: Counter[tuple[int, str, str]] = Counter()

    @property
    def sent(self) -> int:
        return self.expected.total()

    def run(self) -> None:
        producer = Producer({"bootstrap.servers": self._servers, "enable.idempotence": True, "linger.ms": 20})
        while not self._over.wait(0.1):
            for _ in range(RATE // 10):
                self._send(producer, self.sent)
            producer.poll(0)
        assert producer.flush(30) == 0

    def _send(self, producer: Producer, number: int) -> None:
        minute = START + number // LINES_A_MINUTE * 60
        stamp = datetime.fromtimestamp(minute + 1, UTC).strftime("%b %e %H:%M:%S")
        who = f"user{number % 13} from 198.51.100.{number % 97}"
        line = f"<38>{stamp} web{number % 5} sshd[{number}]: Failed password for {who} port 4711 ssh2"
        producer.produce(self._topic, line.encode(), b"%d" % (number % 50))
        self.expected[minute, "sshd", "failure"] += 1

    def finish(self) -> int:
        self._over.set()
        self.join()
        return self.sent


class Asker(threading.Thread):
    """Asks for the attempts over and over, as the live page does."""

    def __init__(self, cluster: Cluster, load: Load) -> None:
        super().__init__(daemon=True)
        self._seeds = [f"http://127.0.0.1:{cluster.port + n}" for n in range(2)]
        self._load, self._over = load, threading.Event()
        self.complete, self.partial, self.unanswered = 0, 0, list[tuple[float, str]]()
        self.wrong: list[str] = []

    def run(self) -> None:
        asyncio.run(self._ask_on())

    def stop(self) -> None:
        self._over.set()
        self.join()

    async def _ask_on(self) -> None:
        workers = Workers(self._seeds)
        async with workers.connected():
            while not self._over.is_set():
                await self._ask(workers)
                await asyncio.sleep(0.1)

    async def _ask(self, workers: Workers) -> None:
        try:
            replies = await workers.ask("/v1/attempts", answers.attempts, {"by": "service", "since": START})
        except NoWorkers as error:
            self.unanswered.append((time.monotonic(), str(error)))
            return
        about = {partition for answer in replies.answers for partition in answer.partitions}
        if about | set(replies.missing) != set(range(PARTITIONS)) or about & set(replies.missing):
            self.wrong.append(f"about {about}, missing {replies.missing}")
        counted = sum(sum(row) for content in replies.contents for row in content.rows.values())
        if counted > self._load.sent:
            self.wrong.append(f"{counted} counted, {self._load.sent} sent")
        if replies.missing:
            self.partial += 1
        else:
            self.complete += 1


def documents(client: Elasticsearch, namespace: str) -> int:
    try:
        return int(client.count(index=f"logs-ogrewatch.*-{namespace}", ignore_unavailable=True)["count"])
    except ApiError:  # an index that is being made
        return 0


@pytest.mark.kill
def test_a_rolling_restart_loses_nothing(cluster: Cluster, elasticsearch_url: str, unique: str) -> None:
    fleet: dict[str, list[Any]] = {
        role: [cluster.start(command_line("worker", role, "--bare")) for _ in range(2)] for role in ROLES
    }
    load = Load(cluster)
    load.start()
    until(lambda: all(cluster.committed(role) for role in ROLES))
    asker = Asker(cluster, load)
    asker.start()
    for number, how in ((0, signal.SIGTERM), (1, signal.SIGKILL)):
        before = {role: cluster.committed(role) for role in ROLES}
        for role in ROLES:
            worker = fleet[role][number]
            worker.send_signal(how)
            assert worker.wait(40) == (0 if how == signal.SIGTERM else -how)
            fleet[role][number] = cluster.start(command_line("worker", role, "--bare"))
        complete = asker.complete
        until(lambda: len(cluster.ask_all("/v1/owners")) == 2)
        until(lambda complete=complete: asker.complete > complete)  # type: ignore[misc]
        until(lambda before=before: all(cluster.committed(role) > before[role] for role in ROLES))  # type: ignore[misc]
    sent = load.finish()
    until(lambda: not any(cluster.left(role) for role in ROLES))
    complete = asker.complete
    until(lambda: asker.complete > complete)
    asker.stop()
    print(f"{sent} lines; {asker.complete} answers complete, {asker.partial} partial, none {asker.unanswered}")
    assert not asker.wrong
    assert asker.complete > 10 * len(asker.unanswered)
    until(lambda: cluster.windows() == load.expected)
    assert cluster.rows("service") == Counter({("sshd", "failure"): sent})
    with Elasticsearch(elasticsearch_url) as client:
        until(lambda: documents(client, unique) == sent)
    assert all(worker.poll() is None for workers in fleet.values() for worker in workers)
