"""A detached process is found again, ended gently or at once, and never mistaken for another."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from stack.daemon import Daemon
from stack.processes import group_runs, started

GENTLE = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {GENTLE!r}]); time.sleep(60)"


def spawn(folder: Path, program: str, port: int = 0) -> Daemon:
    daemon = Daemon("sleeper", folder)
    daemon.spawn([sys.executable, "-c", program], port=port)
    until = time.monotonic() + 10
    while not daemon.last_words() and time.monotonic() < until:
        time.sleep(0.02)
    return daemon


def test_another_object_finds_and_ends_it(tmp_path: Path) -> None:
    pid = spawn(tmp_path, GENTLE, port=7).pid()
    other = Daemon("sleeper", tmp_path)
    assert other.pid() == pid is not None
    assert other.facts()["port"] == 7
    assert other.last_words() == "up"
    assert other.terminate(10)
    assert other.pid() is None
    assert not other.pid_file.exists()


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    daemon = spawn(tmp_path, STUBBORN)
    assert not daemon.terminate(0.3)
    assert daemon.pid() is None


def test_kill_reaches_the_children(tmp_path: Path) -> None:
    daemon = spawn(tmp_path, PARENT)
    group = daemon.pid()
    assert group is not None
    daemon.kill()
    assert not group_runs(group)


def test_a_pid_given_to_another_program_is_not_ours(tmp_path: Path) -> None:
    daemon = Daemon("sleeper", tmp_path)
    daemon.pid_file.write_text(json.dumps({"pid": os.getpid(), "started": f"not {started(os.getpid())}"}))
    assert daemon.pid() is None
    assert daemon.terminate(1)


@pytest.mark.parametrize("content", ["", "{"])
def test_a_broken_pid_file_means_not_running(tmp_path: Path, content: str) -> None:
    daemon = Daemon("sleeper", tmp_path)
    daemon.pid_file.write_text(content)
    assert daemon.pid() is None


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Daemon("sleeper", tmp_path).spawn(["no-such-program-of-ours"])
