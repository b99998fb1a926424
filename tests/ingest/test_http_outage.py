"""Tests a proxy under load while Kafka is killed, stopped or absent, and the proxy's own shutdown."""

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from http_kit import Proxy, Raw, running, until

from operations.process import command_line
from stack.kafka import Kafka
from stack.ports import free_port

V2 = "application/vnd.kafka.json.v2+json"
WAIT = 1.0  # seconds a sender waits for Kafka


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """A Kafka that these tests may kill."""
    with Kafka(tmp_path_factory.mktemp("own") / "kafka", heap="256m") as server:
        yield server
        server.kill()


class Senders:
    """Senders of numbered lines who try again, for a while, what they are told was not stored."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.acknowledged: set[int] = set()
        self.statuses: dict[int, int] = {}
        self.slowest = 0.0
        self._next = 0

    async def send_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            numbers = range(self._next, self._next + 20)
            self._next += 20
            body = "\n".join(f"line {number}" for number in numbers).encode()
            begin = time.monotonic()
            status, _, headers = await self.proxy.call("POST", "/lines", body)
            self.slowest = max(self.slowest, time.monotonic() - begin)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                self.acknowledged.update(numbers)
            else:
                assert int(headers["Retry-After"]) > 0
                await asyncio.sleep(0.05)


@pytest.mark.kill
async def test_nothing_acknowledged_is_lost_when_kafka_dies(own_kafka: Kafka, unique: str, tmp_path: Path) -> None:
    raw = Raw(own_kafka.address, f"{unique}.")
    raw.create()
    async with running(raw.servers, raw.prefix, tmp_path, wait=WAIT) as proxy:
        senders, stop = Senders(proxy), asyncio.Event()
        going = [asyncio.create_task(senders.send_until(stop)) for _ in range(8)]
        for halt, carry_on in ((own_kafka.kill, own_kafka.start), (_pause(own_kafka), _resume(own_kafka))):
            before = len(senders.acknowledged)
            await until(lambda at=before: len(senders.acknowledged) > at + 500, 30)  # type: ignore[misc]
            await asyncio.to_thread(halt)
            await until(lambda: not proxy.receiver.context.cluster.up, 20)
            assert (await proxy.get("/healthz"))[0] == 503
            await asyncio.sleep(WAIT)
            await asyncio.to_thread(carry_on)
            await until(lambda: proxy.receiver.context.cluster.up, 40)
        at = len(senders.acknowledged)
        await until(lambda: len(senders.acknowledged) > at + 500, 30)
        stop.set()
        await asyncio.gather(*going)
    stored = {int(value.split()[1]) for value in raw.values("raw.syslog") if value}
    assert senders.acknowledged <= stored
    assert senders.statuses.keys() == {200, 503}
    assert senders.slowest < WAIT + 3


def _pause(kafka: Kafka) -> Callable[[], None]:
    return lambda: os.kill(kafka.daemon.pid() or 0, signal.SIGSTOP)


def _resume(kafka: Kafka) -> Callable[[], None]:
    return lambda: os.kill(kafka.daemon.pid() or 0, signal.SIGCONT)


async def test_a_proxy_starts_without_kafka_and_says_so(tmp_path: Path) -> None:
    async with running(f"127.0.0.1:{free_port()}", "", tmp_path) as proxy:
        begin = time.monotonic()
        for path in ("/events", "/lines", "/_bulk", "/topics/raw.events", "/v3/clusters/x/topics/raw.events/records"):
            status, _, headers = await proxy.call(
                "POST",
                path,
                b"{}",
                Content_Type=V2 if "topics" in path else "application/json",
            )
            assert (status, headers["Retry-After"]) == (503, "2"), path
        for path in ("/healthz", "/topics", "/brokers", "/v3/clusters", "/_cluster/health"):
            assert (await proxy.get(path))[0] == 503
        assert (await proxy.get("/v3/clusters"))[1]["error_code"] == 50302
        assert (await proxy.get("/status"))[0] == 200
        assert time.monotonic() - begin < 2


class Process:
    """`ogrewatch ingest http` as a process."""

    def __init__(self, raw: Raw, folder: Path, *options: str, **settings: str) -> None:
        environment = os.environ | {
            "OGREWATCH_KAFKA": raw.servers,
            "OGREWATCH_PREFIX": raw.prefix,
            "OGREWATCH_DATA_DIR": str(folder),
            **settings,
        }
        command = command_line("ingest", "http", "--port", "0", *options)
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    def url(self) -> str:
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.fullmatch(r"Listening on (http://127\.0\.0\.1:\d+), Kafka at \S+\.\n", line)
        assert found is not None, line
        return found[1]


async def test_a_stop_finishes_what_was_accepted(raw: Raw, tmp_path: Path) -> None:
    """A slow body is under way, and requests without end, when the process is told to stop."""
    server = Process(raw, tmp_path)
    url = await asyncio.to_thread(server.url)
    acknowledged: list[int] = []
    going, told = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"slow "
        going.set()
        await told.wait()
        await asyncio.sleep(1)
        yield b"line"

    async def send(client: aiohttp.ClientSession, worker: int) -> None:
        for number in range(worker, 1_000_000, 4):
            try:
                async with client.post(f"{url}/lines", data=b"line %d" % number) as answer:
                    if answer.status != 200:
                        return
                    acknowledged.append(number)
            except aiohttp.ClientError:
                return

    async with aiohttp.ClientSession() as client:
        slow = asyncio.create_task(client.post(f"{url}/lines", data=slowly()))
        workers = [asyncio.create_task(send(client, worker)) for worker in range(4)]
        await going.wait()
        await until(lambda: len(acknowledged) > 100)
        begin = time.monotonic()
        server.process.terminate()
        told.set()
        assert (await slow).status == 200
        await asyncio.gather(*workers)
    assert await asyncio.to_thread(server.process.wait, 10) == 0
    assert time.monotonic() - begin < 10
    assert set(raw.values("raw.syslog")) == {b"slow line", *(b"line %d" % n for n in acknowledged)}
    assert server.process.stderr is not None
    assert server.process.stderr.read() == ""
    server.process.stderr.close()


@pytest.mark.kill
async def test_what_kafka_does_not_take_in_time_is_told_item_by_item(
    own_kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    raw = Raw(own_kafka.address, f"{unique}.")
    raw.create()
    value = b'{"value":{"type":"STRING","data":"x"}}'
    async with running(raw.servers, raw.prefix, tmp_path, wait=WAIT) as proxy:
        assert (await proxy.post("/lines", b"x"))[0] == 200
        v3 = f"/v3/clusters/{proxy.receiver.context.cluster.identity}/topics/raw.events/records"
        _pause(own_kafka)()
        try:
            answers = await asyncio.gather(
                proxy.post("/events", b'{"n":1}\n{"n":2}\noops', Content_Type="application/x-ndjson"),
                proxy.post("/_bulk", b'{"create":{}}\n{"n":1}\n{"create":{}}\noops\n'),
                proxy.post("/_bulk", b'[{"n":1}]'),
                proxy.post("/topics/raw.events", b'{"records":[{"value":1}]}', Content_Type=V2),
                proxy.post("/topics/raw.events?strict=1", b'{"records":[{"value":1}]}', Content_Type=V2),
                proxy.post(v3, value),
                proxy.post(f"{v3}:batch", b'{"entries":[{"id":"a",' + value[1:] + b"]}"),
            )
        finally:
            _resume(own_kafka)()
        await until(lambda: proxy.receiver.context.cluster.up, 40)
    events, spoken, mozdef, lenient, strict, one, batch = answers
    assert (events[0], [item["status"] for item in events[1]["items"]]) == (503, [503, 503, 400])
    assert (spoken[0], [item["create"]["status"] for item in spoken[1]["items"]]) == (200, [429, 400])
    assert (mozdef[0], mozdef[1]["errors"]) == (503, True)
    assert (lenient[0], lenient[1]["offsets"][0]["error_code"]) == (200, 50003)
    assert (strict[0], strict[1]["offsets"][0]["partition"]) == (503, None)
    assert (one[0], one[1]["error_code"]) == (200, 50302)
    assert (batch[0], batch[1]["failures"][0]["error_code"]) == (207, 50302)


@pytest.mark.kill
async def test_a_stop_does_not_wait_for_kafka_and_acknowledges_nothing(
    own_kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    raw = Raw(own_kafka.address, f"{unique}.")
    raw.create()
    server = Process(raw, tmp_path)
    url = await asyncio.to_thread(server.url)
    async with aiohttp.ClientSession() as client:
        async with client.post(f"{url}/lines", data=b"first") as answer:
            assert answer.status == 200
        _pause(own_kafka)()
        waiting = asyncio.create_task(client.post(f"{url}/lines", data=b"second"))
        await asyncio.sleep(0.5)
        begin = time.monotonic()
        server.process.terminate()
        assert await asyncio.to_thread(server.process.wait, 15) == 0
        assert time.monotonic() - begin < 10
        (given_up,) = await asyncio.gather(waiting, return_exceptions=True)
        assert isinstance(given_up, aiohttp.ClientError) or getattr(given_up, "status", 0) == 503
    _resume(own_kafka)()
    assert server.process.stderr is not None
    server.process.stderr.close()


async def test_a_stop_does_not_wait_for_a_client_that_sends_nothing(raw: Raw, tmp_path: Path) -> None:
    server = Process(raw, tmp_path, OGREWATCH_INGEST_GRACE="1")
    url = await asyncio.to_thread(server.url)
    _, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"POST /lines HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nx")
    await writer.drain()
    await asyncio.sleep(0.3)
    begin = time.monotonic()
    server.process.terminate()
    assert await asyncio.to_thread(server.process.wait, 11) == 0
    assert time.monotonic() - begin < 5
    writer.close()
    assert server.process.stderr is not None
    server.process.stderr.close()


def test_the_command_says_why_it_does_not_start(raw: Raw, tmp_path: Path) -> None:
    cases = (
        (("--host", "0.0.0.0"), 2, "--insecure"),
        (("--certificate", str(tmp_path / "absent.pem")), 2, "cannot be used"),
        (("--host", "192.0.2.1", "--insecure"), 1, "Cannot listen on 192.0.2.1:0"),
    )
    started = [(Process(raw, tmp_path, *options).process, code, words) for options, code, words in cases]
    for process, code, words in started:
        _, said = process.communicate(timeout=30)
        assert (process.returncode, words in said, said.count("\n")) == (code, True, 1), said
