"""Workers of this version go on where those of an earlier commit stopped, on its records, tables and commits.

The earlier code comes from the repository's history; where there is none (an archive, a shallow clone) no test runs.
Its events had other keys, so the administrator does once what normalize says at its start, and docs/upgrade.md, too.
"""

import io
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from installation_kit import Place, place, until

from topics.kafka.reader import Reader

ROLES = ("normalize", "count", "index")
EARLIER = "2a232c4"
_ROOT = Path(__file__).parents[2]
_LINE = "<38>Oct  1 10:00:{:02d} web1 sshd[7]: Failed password for root from 192.0.2.{} port 40022 ssh2"
_START = "import sys; sys.argv = ['ogrewatch', 'worker', {role!r}, '--bare']; from cli.main import main; main()"


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with the earlier code."""
    archive = subprocess.run(["git", "archive", EARLIER], cwd=_ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"commit {EARLIER} is not in this repository's history")
    folder = tmp_path / "earlier"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path / "data") as found:
        yield found


def _old_worker(here: Place, earlier: Path, role: str, stack: ExitStack) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _START.format(role=role)]
    environment = here.environment | {"PYTHONPATH": str(earlier)}
    process = subprocess.Popen(command, env=environment, cwd=earlier)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


@pytest.mark.kill
def test_a_new_version_goes_on_where_the_old_one_stopped(here: Place, earlier: Path) -> None:
    lines = [(n % 2, _LINE.format(n % 60, n % 250 + 1).encode()) for n in range(900)]
    with ExitStack() as stack:
        running = [_old_worker(here, earlier, role, stack) for role in ROLES]
        here.send(lines[:300])
        until(lambda: len(here.documents()) >= 300, 200)
        here.send(lines[300:600])  # which is under way when they are told to stop
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            assert process.wait(120) == 0
    _forget_correlation(here)
    with ExitStack() as stack:
        for role in ROLES:
            stack.enter_context(here.worker(role))
        here.send(lines[600:])
        until(lambda: len(here.documents()) == 900 and not _left(here), 200)
        until(lambda: here.json("ledger", "--verify")["balanced"], 60)


def _forget_correlation(here: Place) -> None:
    client = AdminClient({"bootstrap.servers": here.kafka})
    for future in client.delete_topics([f"{here.prefix}ogrewatch-normalize-joins-changelog"]).values():
        future.result(30)


def _left(here: Place) -> int:
    with Reader(here.kafka) as reader:
        return sum(reader.left(role, here.prefix) for role in ROLES)
