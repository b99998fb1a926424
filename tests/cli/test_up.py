"""`ogrewatch up` from nothing to searchable events, twice, and `ogrewatch down`, on servers and ports of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from stack.ports import HOST, free_port, is_free


@dataclass(frozen=True, slots=True)
class Place:
    """An installation in a directory and on ports of its own."""

    data: Path
    elasticsearch: int
    page: str
    endpoint: str
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=240)

    def events(self) -> int:
        url = f"http://{HOST}:{self.elasticsearch}/logs-ogrewatch.*/_count"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(json.load(answer)["count"])

    def post(self, event: dict[str, str]) -> None:
        with urllib.request.urlopen(self.endpoint, json.dumps(event).encode(), timeout=20) as answer:
            assert answer.status == 200

    def found(self, query: str) -> list[dict[str, Any]]:
        url = f"http://{HOST}:{self.elasticsearch}/logs-ogrewatch.*/_search?q={quote(query)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [hit["_source"] for hit in json.load(answer)["hits"]["hits"]]

    def attempts(self) -> int:
        with urllib.request.urlopen(f"{self.page}api/v1/auth/ratio?window=24h", timeout=10) as answer:
            return int(json.load(answer)["total"]["attempts"])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    kafka, elasticsearch, page, events = (free_port() for _ in range(4))
    settings = {
        "DATA_DIR": str(tmp_path / "data"),
        "KAFKA": f"{HOST}:{kafka}",
        "ELASTICSEARCH": f"http://{HOST}:{elasticsearch}",
        "COUNT_PORT": str(free_port()),
        "WEB_PORT": str(page),
        "INGEST_PORT": str(events),
    }
    environment = {**os.environ, **{f"OGREWATCH_{name}": value for name, value in settings.items()}}
    here = Place(
        tmp_path / "data", elasticsearch, f"http://{HOST}:{page}/", f"http://{HOST}:{events}/events", environment
    )
    yield here
    here.run("down")


def test_up_twice_and_down(place: Place) -> None:
    first = place.run("up")
    assert first.returncode == 0, first.stderr
    assert f"{HOST}:{place.elasticsearch}" in first.stdout
    assert place.page in first.stdout
    assert place.events() > 0
    assert place.attempts() > 0
    _takes_an_event_by_http(place)
    pids = {name: (place.data / name).read_text() for name in ("worker.pid", "kafka/kafka.pid")}

    second = place.run("up")
    assert second.returncode == 0, second.stderr
    assert pids == {name: (place.data / name).read_text() for name in pids}

    down = place.run("down", "--remove-data")
    assert down.returncode == 0, down.stderr
    assert "worker, elasticsearch, kafka" in down.stderr
    assert not place.data.exists()
    assert is_free(place.elasticsearch)


def _takes_an_event_by_http(place: Place) -> None:
    place.post({"category": "demo", "hostname": "localhost", "severity": "INFO", "summary": "This is a test"})
    begin = time.monotonic()
    until = begin + 60  # the demonstration is under way
    while not (found := place.found('message:"This is a test"')):
        assert time.monotonic() < until
        time.sleep(0.2)
    print(f"searchable after {time.monotonic() - begin:.1f} s")
    assert found[0]["host"]["hostname"] == "localhost"
    assert found[0]["log"]["level"] == "INFO"


def test_a_taken_port_is_one_sentence(place: Place) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        place.environment["OGREWATCH_KAFKA"] = f"{HOST}:{port}"
        refused = place.run("up")
    assert refused.returncode == 1
    assert refused.stderr.strip() == f"Port {port} is taken: end the program on it, or move kafka with OGREWATCH_KAFKA."
