"""Runs a RabbitMQ as Debian ships it, on loopback, in a folder of the test; publishes and counts messages."""

import asyncio
import base64
import hashlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aio_pika
import orjson
from lacking import lacking

from stack.cache import cache_dir
from stack.ports import HOST, free_port

QUEUE = "eventtask"
USER, PASSWORD = "bridge", "not/so:secret@"
CERTIFIED = "web-shipper"  # who logs in with a certificate


def unpacked() -> Path:
    """Where `scripts/fetch-rabbitmq` put it."""
    folder = cache_dir() / "rabbitmq"
    if not (folder / "complete").exists():
        lacking("RabbitMQ is missing: scripts/fetch-rabbitmq unpacks it (Debian)")
    return folder


@dataclass(slots=True)
class Rabbit:
    """One RabbitMQ node with a mapper of Erlang's ports of its own; its data survives `stop` and `kill`.

    With certificates in the folder (server.pem, ca.pem) it also listens for TLS, and demands a client's certificate.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    _mapper_port: int = field(default_factory=free_port)
    _node_port: int = field(default_factory=free_port)
    _mapper: subprocess.Popen[bytes] | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Without a password."""
        return f"amqp://{USER}@{HOST}:{self.port}/"

    def start(self) -> None:
        """Start it, and wait until it takes connections. Raises AssertionError when it does not."""
        erlang = unpacked() / "usr" / "lib" / "erlang"
        self._configure()
        environment = {**os.environ, **self._environment(erlang)}
        if self._mapper is None:
            (epmd,) = erlang.glob("erts-*/bin/epmd")
            self._mapper = subprocess.Popen(
                [epmd], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        (server,) = unpacked().glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [server], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 40
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it in good order, as for an upgrade."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It neither answers nor hangs up, until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a `pause`."""
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End all that was started."""
        self.kill()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def _answers(self) -> bool:
        """Whether it speaks AMQP. That a connection is taken says little: another program's may have that port."""
        try:
            with socket.create_connection((HOST, self.port), timeout=2) as probe:
                probe.sendall(b"AMQP\0\0\x09\x01")
                return probe.recv(1) == b"\x01"
        except OSError:
            return False

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._signal(number)
            self._process.wait(30)
            self._process = None

    def _signal(self, number: int) -> None:
        """To the script that started it, which knows what to do with a SIGTERM; anything else to all of it."""
        assert self._process is not None
        if number == signal.SIGTERM:
            self._process.terminate()
        else:
            os.killpg(self._process.pid, number)

    def _environment(self, erlang: Path) -> dict[str, str]:
        folder = self.folder
        return {
            "HOME": str(folder),
            "PATH": f"{erlang / 'bin'}:{os.environ['PATH']}",
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_DIST_PORT": str(self._node_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1 +sbwt none",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }

    def _configure(self) -> None:
        lines = [f"listeners.tcp.1 = {HOST}:{self.port}", f"load_definitions = {self.folder / 'definitions.json'}"]
        if (self.folder / "server.pem").exists():
            lines += [f"listeners.ssl.1 = {HOST}:{self.tls_port}", "auth_mechanisms.1 = PLAIN"]
            lines += ["auth_mechanisms.2 = EXTERNAL", "ssl_cert_login_from = common_name"]
            files = {"cacertfile": "ca.pem", "certfile": "server.pem", "keyfile": "server.key"}
            lines += [f"ssl_options.{name} = {self.folder / file}" for name, file in files.items()]
            lines += ["ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true"]
        (self.folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
        (self.folder / "enabled_plugins").write_text("[rabbitmq_auth_mechanism_ssl].\n")
        (self.folder / "definitions.json").write_bytes(orjson.dumps(_definitions()))


def _definitions() -> dict[str, object]:
    salted = b"salt" + hashlib.sha256(b"salt" + PASSWORD.encode()).digest()
    users = {USER: base64.b64encode(salted).decode(), CERTIFIED: ""}
    may = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": "/"}],
        "users": [
            {"name": name, "password_hash": hashed, "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""}
            for name, hashed in users.items()
        ],
        "permissions": [{"user": name, **may} for name in users],
    }


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher's channel, on a connection that confirms."""

    channel: aio_pika.abc.AbstractChannel
    exchange: aio_pika.abc.AbstractExchange

    async def publish(self, bodies: Iterable[bytes], **properties: Any) -> None:
        """Publish persistent messages, and return when the broker has confirmed them all."""
        given = {"delivery_mode": aio_pika.DeliveryMode.PERSISTENT, **properties}
        messages = [aio_pika.Message(body, **given) for body in bodies]
        await asyncio.gather(*(self.exchange.publish(message, QUEUE) for message in messages))

    async def waiting(self) -> int:
        """How many messages are ready in the queue: delivered to nobody, or given back."""
        queue = await self.channel.declare_queue(QUEUE, durable=True, passive=True)
        return queue.declaration_result.message_count or 0


@asynccontextmanager
async def publisher(rabbit: Rabbit) -> AsyncIterator[Publisher]:
    """One that has declared exchange and queue, as any publisher may."""
    async with connected(rabbit) as channel:
        exchange = await channel.declare_exchange(QUEUE, aio_pika.ExchangeType.DIRECT, durable=True)
        await (await channel.declare_queue(QUEUE, durable=True)).bind(exchange, QUEUE)
        yield Publisher(channel, exchange)


@asynccontextmanager
async def connected(rabbit: Rabbit) -> AsyncIterator[aio_pika.abc.AbstractChannel]:
    """A channel of somebody who may do everything."""
    connection = await aio_pika.connect(rabbit.url.replace("@", f":{quote(PASSWORD, safe='')}@"))
    async with connection, connection.channel() as channel:
        yield channel
