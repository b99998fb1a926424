"""`ogrewatch soak`: two minutes of it; faults follow from the seed, what is wrong is seen, and nothing stays behind."""

import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from operations.process import command_line
from operations.soak.fleet import ROLES
from operations.soak.schedule import SERVERS, WORKERS, plan
from stack.processes import started

_SEED = 5


@contextmanager
def soak(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A soak under way; what it tells goes to a file, since a full pipe would stop it."""
    with (folder / "told").open("w") as told:
        command = command_line("soak", "--json", "--keep", str(folder), *arguments)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=120)


def found(process: "subprocess.Popen[str]", folder: Path) -> dict[str, Any]:
    """Its verdict, when it has come to one."""
    output, _ = process.communicate()
    assert output, (folder / "told").read_text()
    verdict: dict[str, Any] = json.loads(output)
    return verdict


def running(folder: Path) -> list[int]:
    """Processes that work on a folder: servers name it in their command, workers in their environment."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            said = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in said and started(int(process.name)):
            pids.append(int(process.name))
    return pids


def until_told(folder: Path, text: str) -> None:
    deadline = time.monotonic() + 120
    while text not in (folder / "told").read_text():
        assert time.monotonic() < deadline, (folder / "told").read_text()
        time.sleep(0.2)


@pytest.mark.kill
@pytest.mark.timeout(1200)
def test_two_minutes(tmp_path: Path) -> None:
    with soak(tmp_path, "--minutes", "2", "--seed", str(_SEED), "--rate", "400", "--whole") as process:
        verdict = found(process, tmp_path)
    assert [check for check in verdict["checks"] if not check["kept"]] == []
    assert process.returncode == 0
    assert verdict["lines"] > 30_000
    done = {fault.removesuffix(f" {role}") for fault in verdict["faults"] for role in ROLES}
    assert {kind.replace("_", " ") for kind in (*WORKERS, *SERVERS)} <= done
    assert running(tmp_path) == []


@pytest.mark.timeout(600)
def test_what_is_wrong_is_seen(tmp_path: Path) -> None:
    with soak(tmp_path, "--minutes", "0.1", "--rate", "200") as process:
        until_told(tmp_path, "servers are up")
        port = json.loads((tmp_path / "elasticsearch" / "elasticsearch.pid").read_text())["port"]
        with Elasticsearch(f"http://127.0.0.1:{port}") as client:
            document = {"@timestamp": "2026-01-01", "event": {"created": "2026-01-01"}}
            client.create(index="logs-ogrewatch.system-soak", id="of-no-line", document=document)
        verdict = found(process, tmp_path)
    assert [check["name"] for check in verdict["checks"] if not check["kept"]] == ["no document is of no line"]
    assert process.returncode == 1


def test_an_interrupted_soak_leaves_nothing_behind(tmp_path: Path) -> None:
    with soak(tmp_path, "--rate", "200") as process:
        until_told(tmp_path, "servers are up")
        time.sleep(2)
        assert running(tmp_path)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
    assert running(tmp_path) == []


def test_faults_follow_from_the_seed() -> None:
    first, again, other = (list(itertools.islice(plan(WORKERS, Random(seed)), 60)) for seed in ("1", "1", "2"))
    assert first == again != other
    rounds = first[: len(ROLES) * len(WORKERS)]
    of_roles = {(kind, role) for kind in WORKERS if kind != "crash" for role in ROLES}
    assert set(rounds) == of_roles | {("crash", "")}
