"""Tests the AMQP bridge between a real RabbitMQ and a real Kafka, both of which are stopped now and then."""

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest
from http_kit import Raw, make_certificates, until
from pamqp import encode
from rabbit_kit import CERTIFIED, PASSWORD, QUEUE, Publisher, Rabbit, connected, publisher

from ingest.amqp.bridge import Bridge, bridge
from ingest.amqp.settings import AmqpSettings
from operations.process import command_line
from stack.kafka import Kafka
from stack.ports import free_port
from topics.records.deadletter import read

NOWHERE = "127.0.0.1:1"  # a port that nothing listens on


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """A RabbitMQ of this file."""
    folder = tmp_path_factory.mktemp("rabbit")
    make_certificates(folder)
    made = Rabbit(folder)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
async def rabbit(node: Rabbit) -> Rabbit:
    """It runs, and its queue is gone."""
    async with connected(node) as channel:
        await channel.queue_delete(QUEUE)
    return node


@pytest.fixture
async def sender(rabbit: Rabbit) -> AsyncIterator[Publisher]:
    """Somebody who publishes, to a queue that is there and empty."""
    async with publisher(rabbit) as made:
        yield made


@asynccontextmanager
async def running(rabbit: Rabbit, servers: str, prefix: str, **settings: Any) -> AsyncIterator[Bridge]:
    """A bridge in this process."""
    made = AmqpSettings(**{"url": rabbit.url, "password": PASSWORD, **settings})
    async with bridge(made, servers, prefix) as parts:
        await parts.receiver.open()
        try:
            yield parts
        finally:
            await parts.receiver.close(1.0)
            await parts.delivery.stop(0.1)


def event(number: int) -> bytes:
    return b'{"hostname": "web-%d", "summary": "event %d"}' % (number % 7, number)


def stored(parts: Bridge, result: str = "delivered", topic: str = "raw.events") -> int:
    """How many records Kafka has, by the bridge's own count."""
    labels = {"way": "amqp", "topic": topic, "result": result}
    return round(parts.metrics.registry.get_sample_value("ogrewatch_ingest_records_total", labels) or 0)


@pytest.mark.kill
async def test_every_message_arrives_exactly_one_time_through_restarts(
    rabbit: Rabbit, sender: Publisher, unique: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Some events are equal to the letter, and the crash makes the broker forget thousands of acknowledgements."""
    kafka = Kafka(tmp_path / "kafka", heap="256m")
    twin = b'{"hostname": "twins", "summary": "the same"}'
    bodies = [twin if number % 10 == 0 else event(number) for number in range(5000)]
    await sender.publish(bodies)
    halts: list[tuple[Callable[[], None], Callable[[], object]]] = [
        (rabbit.stop, rabbit.start),
        (kafka.kill, kafka.start),
        (rabbit.kill, rabbit.start),
    ]
    with contextlib.ExitStack() as stack:
        stack.callback(kafka.kill)
        kafka.start()
        await asyncio.to_thread(kafka.wait_ready)
        raw = Raw(kafka.address, f"{unique}.")
        raw.create()
        async with running(rabbit, raw.servers, raw.prefix, prefetch=40) as parts:
            for halt, carry_on in halts:
                await _progress(parts, 800)
                await asyncio.to_thread(halt)
                assert stored(parts) < 4500
                await asyncio.to_thread(carry_on)
            await until(lambda: stored(parts) == 5000, 60)
        async with publisher(rabbit) as looking:
            assert await looking.waiting() == 0
        found = raw.records("raw.events")
    assert Counter(message.value() for message in found) == Counter(bodies)
    for number in range(7):
        mine = [message.value() for message in found if message.key() == b"web-%d" % number]
        assert mine == [body for body in bodies if b'"web-%d"' % number in body]
    assert len([entry for entry in caplog.messages if entry.startswith("no messages")]) == 2
    assert len([entry for entry in caplog.messages if entry.startswith("messages from")]) == 2


async def _progress(parts: Bridge, more: int) -> None:
    before = stored(parts)
    await until(lambda: stored(parts) >= before + more, 40)


async def test_a_record_tells_where_it_came_from(rabbit: Rabbit, sender: Publisher, raw: Raw) -> None:
    async with running(rabbit, raw.servers, raw.prefix) as parts:
        await sender.publish([event(1)], user_id="bridge")
        await until(lambda: stored(parts) == 1)
    (record,) = raw.records("raw.events")
    assert (record.key(), record.value()) == (b"web-1", event(1))
    assert record.headers() == [
        ("ogrewatch.sender", f"amqp://127.0.0.1:{rabbit.port}/".encode()),
        ("ogrewatch.identity", b"bridge"),
        ("ogrewatch.endpoint", b"eventtask"),
    ]


async def test_poison_goes_to_the_dead_letters(
    rabbit: Rabbit, sender: Publisher, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = b'{"a":"' + b"x" * (9 << 20) + b'"}'
    await sender.publish([event(0), b"{", b"", b"[1]", large, event(7)])
    # Other clients write times in nanoseconds, and names that are no UTF-8.
    monkeypatch.setitem(encode.METHODS, "timestamp", lambda _: struct.pack(">Q", 2**63))
    monkeypatch.setitem(encode.METHODS, "shortstr", _latin)
    await sender.publish([event(14)], timestamp=1, message_id="é")
    async with running(rabbit, raw.servers, raw.prefix) as parts:
        await until(lambda: stored(parts) == 3 and stored(parts, topic="deadletter") == 4)
        assert stored(parts, "rejected") == 4
    assert await sender.waiting() == 0
    assert [record.value() for record in raw.records("raw.events")] == [event(0), event(7), event(14)]
    letters = [read(record) for record in raw.records("deadletter")]
    assert Counter((letter.value or b"")[:3] for letter in letters) == Counter([b"{", b"", b"[1]", b'{"a'])
    assert {letter.component for letter in letters} == {"ingest-amqp"}
    assert len({letter.id for letter in letters}) == 4


def _latin(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("latin-1")


async def test_tls_with_a_certificate(rabbit: Rabbit, sender: Publisher, raw: Raw) -> None:
    folder = rabbit.folder
    tls = f"amqps://bridge@127.0.0.1:{rabbit.tls_port}/"
    files = {"ca": folder / "ca.pem", "certificate": folder / "client.pem"}
    async with running(rabbit, raw.servers, raw.prefix, url=tls, **files) as parts:
        await sender.publish([event(1)])
        await until(lambda: stored(parts) == 1)
    async with running(rabbit, raw.servers, raw.prefix, url=tls, external=True, **files) as parts:
        await sender.publish([event(2)])
        await until(lambda: stored(parts) == 1)
    assert f"user '{CERTIFIED}' authenticated" in rabbit.log()
    assert raw.values("raw.events") == [event(1), event(2)]


async def test_a_refused_bridge_logs_one_line_and_retries(
    rabbit: Rabbit, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(rabbit, raw.servers, raw.prefix, password="wr0ng") as parts:
        await until(lambda: caplog.messages)
        await asyncio.sleep(2)
        assert not parts.receiver.connected
    (message,) = caplog.messages
    assert "ACCESS_REFUSED" in message
    assert "wr0ng" not in message


async def test_a_queue_of_another_kind_is_used_as_it_is(rabbit: Rabbit, raw: Raw) -> None:
    async with publisher(rabbit) as sender:
        await sender.channel.queue_delete(QUEUE)
        queue = await sender.channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await queue.bind(sender.exchange, QUEUE)
        await sender.publish(event(number) for number in range(100))
        async with running(rabbit, raw.servers, raw.prefix) as parts:
            await until(lambda: stored(parts) == 100)


async def test_a_queue_that_is_deleted_is_made_again(rabbit: Rabbit, sender: Publisher, raw: Raw) -> None:
    async with running(rabbit, raw.servers, raw.prefix) as parts:
        await until(lambda: parts.receiver.connected)
        await sender.channel.queue_delete(QUEUE)
        await until(lambda: not parts.receiver.connected)
        await until(lambda: parts.receiver.connected)
        await sender.publish([event(1)])
        await until(lambda: stored(parts) == 1)


async def test_without_kafka_little_is_taken_and_all_is_kept(rabbit: Rabbit, sender: Publisher) -> None:
    await sender.publish(event(number) for number in range(500))
    port = free_port()
    async with running(rabbit, NOWHERE, "", prefetch=100, metrics_port=port):
        await _waits(sender, {400})
        async with aiohttp.ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
                assert (answer.status, await answer.json()) == (503, {"rabbitmq": "up", "kafka": "down"})
            async with client.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert 'ogrewatch_ingest_connections{way="amqp"} 1.0' in await answer.text()
    await _waits(sender, {500})


async def _waits(sender: Publisher, numbers: Container[int]) -> None:
    """Until so many messages wait in the queue."""
    async with asyncio.timeout(10):
        while await sender.waiting() not in numbers:  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(0.02)


class Process:
    """`ogrewatch ingest amqp` as a process."""

    def __init__(self, kafka: str, prefix: str, *options: str, **environment: str) -> None:
        settings = {"OGREWATCH_KAFKA": kafka, "OGREWATCH_PREFIX": prefix, "OGREWATCH_AMQP_PASSWORD": PASSWORD}
        command = command_line("ingest", "amqp", *options)
        given = os.environ | settings | environment
        self.process = subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()

    def says(self) -> str:
        """The next line that it says; waits for it, or for its end."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def end(self) -> float:
        """Tell it to stop; the seconds that it takes."""
        begun = time.monotonic()
        self.process.terminate()
        assert self.process.wait(12) == 0
        return time.monotonic() - begun


async def test_a_stop_finishes_what_was_accepted_and_leaves_the_rest(
    rabbit: Rabbit, sender: Publisher, raw: Raw
) -> None:
    await sender.publish(event(number) for number in range(5000))
    with Process(raw.servers, raw.prefix, "--url", rabbit.url, OGREWATCH_AMQP_PREFETCH="40") as bridge:
        assert await asyncio.to_thread(bridge.says) == (
            f"Reading eventtask of amqp://127.0.0.1:{rabbit.port}/, Kafka at {raw.servers}.\n"
        )
        await _waits(sender, range(4500))
        assert await asyncio.to_thread(bridge.end) < 10
        found = raw.values("raw.events")
        assert 0 < len(found) < 5000
        assert sorted(event(number) for number in range(len(found))) == found
        await _waits(sender, {5000 - len(found)})
        assert bridge.says() == ""


async def test_a_stop_waits_for_neither_end_longer_than_its_grace(rabbit: Rabbit, sender: Publisher) -> None:
    await sender.publish(event(number) for number in range(10))
    with Process(NOWHERE, "", "--url", rabbit.url, OGREWATCH_AMQP_GRACE="1") as bridge:
        await asyncio.to_thread(bridge.says)
        await _waits(sender, {0})
        rabbit.pause()
        try:
            assert await asyncio.to_thread(bridge.end) < 6
        finally:
            rabbit.resume()
    await _waits(sender, {10})


def test_the_command_says_why_it_does_not_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, code, words in (
            (("--url", "http://bridge:s3cret@192.0.2.1/"), 2, "the URL is amqp://user@host"),
            (("--metrics-port", port), 1, "Cannot show the metrics"),
        ):
            with Process(NOWHERE, "", *options) as bridge:
                _, said = bridge.process.communicate(timeout=30)
                assert (bridge.process.returncode, words in said, said.count("\n")) == (code, True, 1), said
                assert "s3cret" not in said
