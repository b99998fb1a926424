"""Count workers at several addresses: reached by those who share their secret, and by nobody else."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from aiohttp.test_utils import TestClient, TestServer
from count_cluster import PARTITIONS, Cluster
from count_kit import Attempt

from agents.counting.peers import advertised
from agents.settings import Settings
from topics.environment import BadSettings
from web.application import make_app

SECRET, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
HOSTS = ("127.0.0.2", "127.0.0.3")
_LONG = 120.0  # seconds


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({}, "127.0.0.1"),
        ({"count_host": "127.0.0.2"}, "127.0.0.2"),
        ({"count_host": "0.0.0.0", "count_advertise": "count-0.example.com", "secret": SECRET}, "count-0.example.com"),
        ({"count_host": "192.0.2.1", "secret": SECRET}, "192.0.2.1"),
    ],
)
def test_where_others_reach_a_worker(given: dict[str, Any], host: str) -> None:
    assert advertised(Settings(**given)) == host


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"count_host": "192.0.2.1"}, "OGREWATCH_COUNT_HOST: 192.0.2.1 is reached from other machines"),
        ({"count_host": "0.0.0.0", "count_advertise": "192.0.2.1"}, "OGREWATCH_COUNT_HOST: 0.0.0.0 is reached"),
        ({"count_advertise": "count-0.example.com"}, "count-0.example.com is reached from other machines"),
        ({"count_host": "0.0.0.0", "secret": SECRET}, "OGREWATCH_COUNT_ADVERTISE: say by which name"),
        ({"count_host": "::", "secret": SECRET}, "OGREWATCH_COUNT_ADVERTISE: say by which name"),
        ({"count_host": "192.0.2.1", "secret": SECRET[1:]}, "shorter than 32"),
    ],
)
def test_a_worker_that_anybody_could_ask_does_not_start(given: dict[str, Any], why: str) -> None:
    with pytest.raises(BadSettings, match=why) as told:
        advertised(Settings(**given))
    assert SECRET[1:] not in str(told.value)


def test_the_command_says_so(tmp_path: Path) -> None:
    environment = {
        "OGREWATCH_COUNT_HOST": "192.0.2.1",
        "OGREWATCH_KAFKA": "127.0.0.1:1",
        "OGREWATCH_DATA_DIR": str(tmp_path),
    }
    for bare in ((), ("--bare",)):
        command = [sys.executable, "-c", "from cli.main import main; main()", "worker", "count", *bare]
        ended = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=_LONG
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith("OGREWATCH_COUNT_HOST: 192.0.2.1 is reached from other machines")
        assert len(ended.stderr.splitlines()) == 1


@pytest.fixture
def cluster(kafka: str, unique: str, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(kafka, unique, tmp_path)
    yield made
    made.clean()


def start(cluster: Cluster, host: str, secret: str) -> None:
    cluster.environment |= {"OGREWATCH_COUNT_HOST": host, "OGREWATCH_SECRET": secret}
    cluster.start()


async def ask(cluster: Cluster, secret: str, path: str = "/api/v1/auth/ratio?window=24h") -> tuple[int, Any]:
    """What a web role answers that has this secret and begins at the first worker."""
    settings = Settings(
        kafka=cluster.servers, prefix=cluster.prefix, query_url=f"http://{HOSTS[0]}:{cluster.port}", secret=secret
    )
    async with (
        TestClient(TestServer(make_app(settings), host="127.0.0.1")) as client,
        client.get(path) as answer,
    ):
        return answer.status, await answer.json()


async def until(holds: Callable[[Any], bool], cluster: Cluster, path: str) -> Any:
    """What a web role with the right secret answers as soon as it is so."""
    give_up = time.monotonic() + _LONG
    while not holds((said := await ask(cluster, SECRET, path))[1]):
        assert time.monotonic() < give_up, (said, cluster.log.read_text()[-2000:])
        await asyncio.sleep(0.2)
    return said[1]


def stranger(url: str) -> int:
    """The status that somebody gets who signs nothing."""
    with pytest.raises(HTTPError) as refused:
        urlopen(url, timeout=10)
    with refused.value as answer:
        assert b"sshd" not in answer.read()
    return refused.value.code


async def test_workers_at_two_addresses_answer_as_one(cluster: Cluster) -> None:
    for host in HOSTS:
        start(cluster, host, SECRET)
    cluster.feed([Attempt(0, number, 0, number / 5, address=f"198.51.100.{number % 97}") for number in range(500)])
    whole = {"of": PARTITIONS, "missing": []}
    urls = {f"http://{host}:{cluster.port}" for host in HOSTS}
    shared = dict.fromkeys(urls, 1)  # one partition each
    await until(
        lambda said: {url: len(owned) for url, owned in said["workers"].items()} == shared, cluster, "/api/v1/health"
    )
    ratio = "/api/v1/auth/ratio?window=24h"
    said = await until(lambda said: said.get("total", {}).get("attempts") == 500, cluster, ratio)
    assert (said["partitions"], said["rows"][0]["failure"]) == (whole, 500)
    status, said = await ask(cluster, OTHER)
    assert (status, "OGREWATCH_SECRET is another" in said["error"]) == (503, True)
    for url in urls:
        for path in ("/v1/owners", "/v1/attempts", "/v1/state", "/nothing"):
            assert stranger(url + path) == HTTPStatus.UNAUTHORIZED


async def test_a_worker_with_another_secret_is_missing(cluster: Cluster) -> None:
    start(cluster, HOSTS[0], SECRET)
    ratio, health = "/api/v1/auth/ratio?window=24h", "/api/v1/health"
    await until(lambda said: said.get("partitions", {}).get("missing") == [], cluster, ratio)
    start(cluster, HOSTS[1], OTHER)
    other = f"http://{HOSTS[1]}:{cluster.port}"
    found = await until(lambda said: other in said.get("failures", ()), cluster, health)
    assert found["failures"][other] == "refused: this worker's OGREWATCH_SECRET is another"
    said = await until(lambda said: len(said.get("partitions", {}).get("missing", ())) == 1, cluster, ratio)
    assert said["partitions"]["of"] == PARTITIONS


def test_on_loopback_a_worker_answers_to_its_own_names(cluster: Cluster) -> None:
    cluster.start()
    url, give_up = f"http://127.0.0.1:{cluster.port}/v1/state", time.monotonic() + _LONG
    while True:
        try:
            with urlopen(url, timeout=10) as answer:
                assert answer.status == HTTPStatus.OK
                break
        except OSError:
            assert time.monotonic() < give_up
            time.sleep(0.1)
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(url, headers={"Host": "evil.example"}), timeout=10)
    with refused.value:
        assert refused.value.code == HTTPStatus.MISDIRECTED_REQUEST
