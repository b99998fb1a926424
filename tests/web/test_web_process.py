"""The web role as a process: it ends when told to, and says why when it cannot begin."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from stack.ports import HOST, free_port

ROOT = Path(__file__).parents[2]
PROGRAM = "from agents.settings import Settings; from web.application import run; run(Settings())"


def started(port: int) -> subprocess.Popen[str]:
    environment = {"OGREWATCH_WEB_PORT": str(port), "OGREWATCH_QUERY_URL": f"http://{HOST}:{free_port()}"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
    )


def wait_until_it_answers(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/") as response:
                assert b"<title>Ogrewatch</title>" in response.read()
                return
        except urllib.error.URLError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_sigterm_ends_it_in_order_and_in_silence() -> None:
    port = free_port()
    with started(port) as process:
        wait_until_it_answers(port)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with started(port) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == (
        f"The page cannot be served at {HOST}:{port} (address already in use); OGREWATCH_WEB_PORT chooses another.\n"
    )
