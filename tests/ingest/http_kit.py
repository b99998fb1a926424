"""Provides what the proxy's tests share: raw topics of their own, a proxy in this process, and certificates."""

import asyncio
import contextlib
import io
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from ingest.http.proxy import proxy
from ingest.http.server import HttpReceiver
from ingest.settings import IngestSettings
from ingest.tokens import TokenFile
from topics.catalogue import CATALOGUE, RAW
from topics.kafka.admin import create_topics

PARTITIONS = 3
LINE = b"<38>Aug  4 15:01:25 web-01 sshd[57911]: Invalid user admin from 192.0.2.7 port 50412"


class Raw:
    """The catalogue under a prefix of its own, on a real Kafka. `mark` forgets what is there already."""

    def __init__(self, servers: str, prefix: str) -> None:
        self.servers, self.prefix = servers, prefix
        self._begin: dict[tuple[str, int], int] = {}

    def create(self) -> None:
        """Make the topics, and wait until they can be read."""
        create_topics(self.servers, prefix=self.prefix, partitions=PARTITIONS, replication=1)
        give_up = time.monotonic() + 20
        while True:
            try:
                self.mark()
                return
            except KafkaException:  # no leader yet
                assert time.monotonic() < give_up
                time.sleep(0.1)

    def delete(self) -> None:
        """Remove the topics."""
        admin = AdminClient({"bootstrap.servers": self.servers})
        for future in admin.delete_topics([self.prefix + topic.name for topic in CATALOGUE]).values():
            future.result(30)

    def mark(self) -> None:
        """From now on tell only of records that come later."""
        with self._reader() as reader:
            self._begin = {(topic.name, p): end for topic in RAW for p, end in self._ends(reader, topic.name).items()}

    def records(self, topic: str) -> list[Message]:
        """The records of a topic, partition by partition."""
        with self._reader() as reader:
            ends = self._ends(reader, topic)
            begin = {p: self._begin.get((topic, p), 0) for p in ends}
            reader.assign([TopicPartition(self.prefix + topic, p, begin[p]) for p in ends])
            found: list[Message] = []
            give_up = time.monotonic() + 20
            while len(found) < sum(ends.values()) - sum(begin.values()) and time.monotonic() < give_up:
                found += [message for message in reader.consume(1000, timeout=0.1) if message.error() is None]
        return sorted(found, key=lambda message: (message.partition() or 0, message.offset() or 0))

    def values(self, topic: str) -> list[bytes | None]:
        """The values of a topic, sorted, for partitions have no order among them."""
        return sorted((message.value() for message in self.records(topic)), key=lambda value: value or b"")

    def end(self, topic: str, partition: int) -> int:
        """The offset of the next record of a partition."""
        with self._reader() as reader:
            return self._ends(reader, topic)[partition]

    def _ends(self, reader: Consumer, topic: str) -> dict[int, int]:
        places = [TopicPartition(self.prefix + topic, p) for p in range(PARTITIONS)]
        return {place.partition: reader.get_watermark_offsets(place, timeout=10)[1] for place in places}

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Consumer]:
        conf = {"bootstrap.servers": self.servers, "group.id": self.prefix, "enable.auto.commit": False, "log_level": 0}
        reader = Consumer({**conf, "auto.offset.reset": "earliest"})
        try:
            yield reader
        finally:
            reader.close()


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that listens in this process, and a client for it."""

    receiver: HttpReceiver
    client: aiohttp.ClientSession
    url: str

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, Any]:
        """Status, content (JSON when it is) and headers of an answer. Underscores of header names become dashes."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            body = io.BytesIO(body)  # without aiohttp's warning about large bodies
            given.setdefault("Content-Type", "application/octet-stream")
        async with self.client.request(method, self.url + path, data=body, headers=given) as answer:
            content = await answer.read()
            with contextlib.suppress(orjson.JSONDecodeError):  # nothing, several results, or no JSON at all
                content = orjson.loads(content)
            return answer.status, content, answer.headers

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Status and content of the answer to a POST."""
        status, content, _ = await self.call("POST", path, body, **headers)
        return status, content

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Status and content of the answer to a GET."""
        status, content, _ = await self.call("GET", path, **headers)
        return status, content


@asynccontextmanager
async def running(servers: str, prefix: str, folder: Path, reuse: bool = True, **settings: Any) -> AsyncIterator[Proxy]:
    """A proxy of these settings and the tokens in the folder's `tokens.json`; its client may `reuse` connections."""
    made = IngestSettings(**{"port": 0, **settings})
    tokens = TokenFile(made.tokens or folder / "tokens.json")
    async with (
        proxy(made, tokens, servers, prefix) as receiver,
        aiohttp.ClientSession(connector=_connector(reuse)) as client,
    ):
        await receiver.open()
        try:
            yield Proxy(receiver, client, f"{'https' if made.certificate else 'http'}://127.0.0.1:{receiver.port}")
        finally:
            await client.close()
            await receiver.close(1.0)


def _connector(reuse: bool) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector() if reuse else aiohttp.TCPConnector(force_close=True)


def make_certificates(folder: Path) -> None:
    """An authority (ca.pem), a server's certificate for 127.0.0.1 (server.pem), a client's (client.pem), with keys."""
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes"]
    run = [
        [*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test authority"],
        *_signed("server", "/CN=ingest.example.com", "subjectAltName=IP:127.0.0.1"),
        *_signed("client", "/CN=web-shipper", "extendedKeyUsage=clientAuth"),
    ]
    for command in run:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    for name in ("server", "client"):
        certificate = folder / f"{name}.pem"
        certificate.write_text(certificate.read_text() + (folder / f"{name}.key").read_text())


def _signed(name: str, subject: str, extension: str) -> list[list[str]]:
    ask = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr"]
    sign = ["openssl", "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"]
    return [
        [*ask, "-subj", subject, "-addext", extension],
        [*sign, "-CAcreateserial", "-copy_extensions", "copy", "-out", f"{name}.pem"],
    ]


async def raw_exchange(port: int, *pieces: bytes, pause: float = 0.0, limit: float = 20.0) -> bytes:
    """What a server sends to a client that sends these pieces and then waits for the end of the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(limit):
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(pause)
            with contextlib.suppress(ConnectionError):
                return await reader.read()
            return b""
    finally:
        writer.close()


async def until(condition: Callable[[], object], limit: float = 10.0) -> None:
    """Wait until something comes true within this loop. Raises TimeoutError."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
