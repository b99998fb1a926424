"""Kafka loses the end of logs and writes other records in its place: no role passes over these, and the ledger tells.

One Kafka of its own is killed once, and cut while it is down. Two installations are on it: the workers of one have
ended in order before, those of the other are stopped (SIGSTOP) meanwhile and find what happened as they go on.
"""

import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from installation_kit import Line, Place, place, until

from agents.transport import FATAL
from operations.process import command_line
from stack.kafka import Kafka
from stack.truncation import cut_tail
from topics.catalogue import READ_BY
from topics.kafka.reader import Reader

LINES, LOST, NEW = 60, 7, 80
LIMIT = 180.0  # seconds that anything may take, on a busy machine
RAW, TYPED = "raw.syslog", "events.authentication"
ROLES = ("normalize", "count", "detect", "index")
CUT = {"normalize": RAW, "count": TYPED, "detect": TYPED, "index": TYPED}


def _lines(number: int) -> list[Line]:
    text = f"<38>{time.strftime('%b %e %H:%M:%S', time.gmtime())} web1 sshd[7]: Failed password for root from "
    return [(0, f"{text}192.0.2.{n} port 4711 ssh2".encode()) for n in range(number)]


@dataclass
class Workers:
    """One worker of each role of an installation, and what they print."""

    here: Place
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, roles: Iterable[str] = ROLES) -> None:
        for role in roles:
            with self.log(role).open("ab") as log:
                command = command_line("worker", role, "--bare")
                self.processes[role] = subprocess.Popen(command, env=self.here.environment, stderr=log)

    def log(self, role: str) -> Path:
        return self.here.folder / f"{role}.log"

    def signal(self, number: signal.Signals) -> None:
        for process in self.processes.values():
            process.send_signal(number)

    def settled(self) -> None:
        """Wait until all is done and committed."""
        with Reader(self.here.kafka) as reader:
            until(partial(self._done, reader), LIMIT)

    def _done(self, reader: Reader) -> bool:
        left = sum(reader.left(role, self.here.prefix) for role in READ_BY)
        return not left and reader.end(self.here.prefix + TYPED) > 0

    def stop(self) -> None:
        self.signal(signal.SIGTERM)
        assert [process.wait(LIMIT) for process in self.processes.values()] == [0] * len(ROLES)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()


@contextmanager
def _installation(kafka: Kafka, elasticsearch: str, name: str, folder: Path) -> Iterator[Workers]:
    folder.mkdir()
    with place(kafka.address, elasticsearch, name, folder) as here:
        workers = Workers(here)
        try:
            workers.start()
            here.send(_lines(LINES))
            workers.settled()
            yield workers
        finally:
            workers.close()


def _logs(here: Place) -> list[tuple[str, int, int, Any]]:
    """Topics, partitions, ends and first records of the logs that are cut."""
    with Reader(here.kafka) as reader:
        return [
            (here.prefix + topic, partition, end, next(reader.read(here.prefix + topic, {partition: (0, 1)})))
            for topic in (RAW, TYPED)
            for partition, (_, end) in reader.bounds(here.prefix + topic).items()
            if end > LOST
        ]


def _write_others(servers: str, logs: Iterable[tuple[str, int, int, Any]]) -> None:
    """More records than were lost."""
    producer = Producer({"bootstrap.servers": servers})
    for topic, partition, _, first in logs:
        for _ in range(NEW):
            producer.produce(topic, first.value(), first.key(), partition)
    assert producer.flush(30) == 0


def _ended(workers: Workers, role: str) -> None:
    """The worker has ended, with a sentence that names the log, and what to do."""
    assert workers.processes[role].wait(LIMIT) == FATAL, workers.log(role).read_text()
    told = workers.log(role).read_text()
    assert f"Kafka has lost the end of the log of {workers.here.prefix}{CUT[role]}-" in told
    assert "ogrewatch repair" in told


@pytest.mark.kill
@pytest.mark.timeout(900)
def test_no_role_passes_over_what_is_written_where_a_log_was_cut(
    own_kafka: Kafka, elasticsearch_url: str, unique: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        down, up = (
            stack.enter_context(_installation(own_kafka, elasticsearch_url, f"{unique}{name}", tmp_path / name))
            for name in ("down", "up")
        )
        down.stop()
        assert down.here.json("ledger")["balanced"]
        logs = {workers.here.name: _logs(workers.here) for workers in (down, up)}
        up.signal(signal.SIGSTOP)
        own_kafka.kill()
        for topic, partition, end, _ in chain(*logs.values()):
            assert cut_tail(own_kafka.data_dir, topic, partition, end - LOST) <= end - LOST
        own_kafka.start()
        own_kafka.wait_ready()
        _write_others(own_kafka.address, logs[up.here.name])
        up.signal(signal.SIGCONT)

        shorter = down.here.json("ledger", status=1)
        assert "it ends at" in " ".join(shorter["wrongs"])
        _write_others(own_kafka.address, logs[down.here.name])
        down.start()
        for workers in (down, up):
            for role in ROLES:
                _ended(workers, role)
            other = workers.here.json("ledger", status=1)
            assert "has written other records in its place" in " ".join(other["wrongs"])
        for workers in (down, up):
            _repaired(workers)


def _repaired(workers: Workers) -> None:
    """What was written in place of lost records is stored and counted, each once, and nothing that was so before."""
    here = workers.here
    command = command_line("repair", "--yes")
    until(lambda: subprocess.run(command, env=here.environment, check=False).returncode == 0, LIMIT, 2)  # groups empty
    workers.start()
    workers.settled()
    until(lambda: len(here.documents()) >= LINES + NEW, LIMIT)
    until(lambda: _counted(here) >= LINES + NEW, LIMIT)
    seen = here.json("ledger", "--verify")
    assert (seen["balanced"], seen["missing"], len(here.documents())) == (True, 0, LINES + NEW)
    assert _counted(here) == LINES + NEW
    assert "nothing to do" in subprocess.check_output(command, env=here.environment, text=True)


def _counted(here: Place) -> int:
    """Attempts of the last hour, as the count worker says."""
    now = int(time.time()) // 60 * 60
    url = f"http://127.0.0.1:{here.environment['OGREWATCH_COUNT_PORT']}/v1/attempts?by=service"
    try:
        with urllib.request.urlopen(f"{url}&since={now - 3600}&until={now + 60}", timeout=10) as answer:
            return sum(row["failure"] for row in json.load(answer)["rows"].values())
    except OSError:  # it has just been started
        return 0
