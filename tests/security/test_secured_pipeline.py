"""Tests the whole pipeline on a Kafka and an Elasticsearch that want certificates and passwords."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from secured import PASSWORD, Site

from operations.process import command_line
from stack.ports import free_port

_LINE = "<38>{:%b %d %H:%M:%S} web1 sshd[7]: Failed password for invalid user bob{} from 81.2.69.142 port 40022 ssh2\n"
_LINES = 500


@pytest.fixture
def environment(site: Site, unique: str, tmp_path: Path) -> dict[str, str]:
    own = {
        "PREFIX": f"{unique}.",
        "NAMESPACE": unique,
        "PARTITIONS": "2",
        "DATA_DIR": str(tmp_path),
        "COUNT_PORT": str(free_port()),
        "INGEST_PORT": str(free_port()),
    }
    return os.environ | site.environment | {f"OGREWATCH_{name}": value for name, value in own.items()}


def _run(environment: dict[str, str], *command: str, status: int = 0) -> str:
    """What a command prints, on both channels."""
    done = subprocess.run(
        command_line(*command), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30
    )
    assert done.returncode == status, done.stdout
    assert PASSWORD not in done.stdout
    return done.stdout


@pytest.fixture
def workers(environment: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """The log of workers of all roles but the page."""
    _run(environment, "up", "--setup-only")
    log = tmp_path / "workers.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command_line("worker", "normalize", "count", "index", "ingest"), env=environment, stdout=file, stderr=file
        )
        try:
            yield log
        finally:
            process.terminate()
            assert process.wait(45) == 0, log.read_text()


def _post(port: str, event: dict[str, str]) -> None:
    """By HTTP, as soon as the endpoint listens."""
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/events", json.dumps(event).encode(), timeout=10):
                return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.2)


def _await_documents(site: Site, namespace: str, number: int) -> None:
    until, path = time.monotonic() + 60, f"/logs-ogrewatch.*-{namespace}/_count"
    while (found := site.elasticsearch.ask("GET", path)[1].get("count")) != number:
        assert time.monotonic() < until, f"{found} of {number}"
        time.sleep(0.2)


@pytest.mark.kill
def test_lines_become_documents(
    site: Site, environment: dict[str, str], workers: Path, unique: str, tmp_path: Path
) -> None:
    (tmp_path / "lines").write_text("".join(_LINE.format(datetime.now(UTC), n) for n in range(_LINES)))
    _run(environment, "produce", str(tmp_path / "lines"))
    _post(environment["OGREWATCH_INGEST_PORT"], {"category": "demo", "hostname": "web1", "summary": "by HTTP"})
    _await_documents(site, unique, _LINES + 1)
    assert json.loads(_run(environment, "ledger", "--json"))["balanced"]
    told = _run(environment, "doctor")
    assert "Answers at 127.0.0.1" in told
    assert "Answers at https://127.0.0.1" in told
    assert PASSWORD not in workers.read_text()
