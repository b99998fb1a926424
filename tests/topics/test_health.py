"""Probes of a process, over HTTP as a kubelet asks: alive, ready, and what neither may be kept from by strangers."""

import asyncio
import json
import logging
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry, Counter

from stack.ports import HOST, free_port
from topics import health as module
from topics.health import STUCK, Health, HealthServer, serve


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc(3)
    with closing(HealthServer(HOST, 0, health, registry)) as made:
        yield made


def ask(server: HealthServer, path: str, method: str = "GET") -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://{HOST}:{server.server_port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_process_without_loops_or_conditions_is_alive_and_ready(server: HealthServer) -> None:
    good = (200, b'{"status": "ok", "reasons": []}')
    assert ask(server, "/livez") == ask(server, "/readyz") == good
    assert ask(server, "/livez", "HEAD") == (200, b"")
    assert b"things_total 3.0" in ask(server, "/metrics")[1]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/livez/", 404), ("POST", "/livez", 501)]
)
def test_there_is_nothing_else(server: HealthServer, method: str, path: str, status: int) -> None:
    assert ask(server, path, method)[0] == status


def test_a_loop_that_does_not_turn_is_dead(
    server: HealthServer, health: Health, monkeypatch: pytest.MonkeyPatch
) -> None:
    health.turned("event loop")
    assert ask(server, "/livez")[0] == 200
    late = time.monotonic() + STUCK + 1
    monkeypatch.setattr(time, "monotonic", lambda: late)
    health.turned("fetch thread")
    status, body = ask(server, "/livez")
    assert (status, json.loads(body)["reasons"]) == (503, ["the event loop has not turned for 11 s"])
    assert ask(server, "/readyz")[0] == 503
    health.forget("event loop")
    assert ask(server, "/livez")[0] == 200


def test_a_condition_makes_it_unready_and_leaves_it_alive(server: HealthServer, health: Health) -> None:
    health.require("index", lambda: "Elasticsearch does not answer")
    health.require("count", lambda: "")
    status, body = ask(server, "/readyz")
    assert (status, json.loads(body)["reasons"]) == (503, ["index: Elasticsearch does not answer"])
    assert ask(server, "/livez")[0] == 200


def test_a_process_that_stops_is_alive_and_not_ready(server: HealthServer, health: Health) -> None:
    health.stopping = True
    assert json.loads(ask(server, "/readyz")[1])["reasons"] == ["stopping"]
    assert ask(server, "/livez")[0] == 200


async def test_a_loop_beats_while_it_turns(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BEAT", 0.01)
    turns, thrice = list(range(3)), asyncio.Event()

    def turn() -> None:
        turns.pop()
        if not turns:
            thrice.set()

    beating = asyncio.create_task(health.beat(also=turn))
    await thrice.wait()
    beating.cancel()
    assert not health.stuck()


def test_clients_that_say_nothing_do_not_keep_probes_away(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.2)
    silent = [socket.create_connection((HOST, server.server_port)) for _ in range(module._CONCURRENT)]
    until = time.monotonic() + 60
    while True:
        try:
            assert ask(server, "/livez")[0] == 200
            break
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)
    for one in silent:
        one.close()


def test_noise_is_no_error_of_ours(server: HealthServer, capfd: pytest.CaptureFixture[str]) -> None:
    for noise in (b"\x16\x03\x01\x02\x00", b"GET /livez HTTP/9.9\r\n\r\n", b"GET " + b"a" * 70_000 + b"\r\n\r\n"):
        with socket.create_connection((HOST, server.server_port)) as client:
            client.sendall(noise)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
    assert ask(server, "/livez")[0] == 200
    assert capfd.readouterr().err == ""


def test_ipv6_is_listened_on_where_it_is_there(health: Health) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    try:
        server = HealthServer("::1", 0, health)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with closing(server), urllib.request.urlopen(f"http://[::1]:{server.server_port}/livez") as answer:
        assert answer.status == 200


def test_no_port_means_no_server_and_a_taken_one_is_told(health: Health, caplog: pytest.LogCaptureFixture) -> None:
    assert serve(HOST, 0, health) is None
    port = free_port()
    first = serve(HOST, port, health)
    assert first is not None
    with closing(first), caplog.at_level(logging.ERROR):
        assert serve(HOST, port, health) is None
    assert f"no health and metrics on {HOST}:{port}" in caplog.text
