"""Measures what the HTTP proxy costs, beside a bare aiohttp handler that only reads and answers.

Topics of its own are made on the Kafka of the settings, and removed afterwards.
"""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from agents.settings import Settings
from operations.bench.errors import BenchError
from operations.bench.resource_usage import TICK, cpu_seconds
from operations.bench.sandbox import sandbox
from operations.process import command_line
from stack.ports import HOST, free_port

_VARIANTS = 20  # different requests, made before the measurement and sent in turn
_BARE = """
import sys
from aiohttp import web
async def answer(request):
    await request.read()
    return web.json_response({"accepted": 1})
application = web.Application(client_max_size=1 << 26)
for path in ("/events", "/lines", "/_bulk"):
    application.router.add_post(path, answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A number of requests with `batch` logs each, over so many connections."""

    name: str
    path: str
    batch: int
    connections: int
    requests: int


CASES = (
    Case("events, 500 a request", "/events", 500, 8, 400),
    Case("lines, 500 a request", "/lines", 500, 8, 400),
    Case("_bulk, 500 a request", "/_bulk", 500, 8, 400),
    Case("events, one a request", "/events", 1, 64, 12_000),
)


def measure() -> dict[str, dict[str, dict[str, float]]]:
    """Figures by server (`proxy`, `bare`) and case. Raises `BenchError` when a request is not accepted."""
    with sandbox(Settings()) as made:
        time.sleep(1)  # until every broker knows the topics
        return {
            "proxy": _measured(command_line("ingest", "http", "--port"), made.environment),
            # Five times as many, because CPU time is counted in hundredths of a second.
            "bare": _measured([sys.executable, "-c", _BARE], made.environment, times=5),
        }


def _measured(arguments: list[str], environment: dict[str, str], times: int = 1) -> dict[str, dict[str, float]]:
    port = free_port()
    process = subprocess.Popen([*arguments, str(port)], env=environment, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_wait(port))
        return {case.name: _run(case, port, process.pid, case.requests * times) for case in CASES}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _run(case: Case, port: int, pid: int, requests: int) -> dict[str, float]:
    asyncio.run(_send(case, port, requests // 10))  # warm
    used, begin = cpu_seconds(pid), time.monotonic()
    asyncio.run(_send(case, port, requests))
    seconds, wall = cpu_seconds(pid) - used, time.monotonic() - begin
    logs = requests * case.batch
    return {
        "logs_per_second": round(logs / wall),
        "requests_per_second": round(requests / wall),
        "logs_per_cpu_second": round(logs / max(seconds, TICK)),
        "requests_per_cpu_second": round(requests / max(seconds, TICK)),
    }


async def _send(case: Case, port: int, number: int) -> None:
    ready = [_request(case, variant) for variant in range(_VARIANTS)]
    left = iter(range(number))
    await asyncio.gather(*(_client(port, ready, left) for _ in range(case.connections)))


async def _client(port: int, ready: list[bytes], left: Iterator[int]) -> None:
    """Send requests over one connection, with as little HTTP code as possible, since the client is not measured."""
    reader, writer = await asyncio.open_connection(HOST, port, limit=1 << 22)
    for number in left:
        writer.write(ready[number % _VARIANTS])
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise BenchError(f"the answer was {head[:200]!r}")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    writer.close()


def _request(case: Case, variant: int) -> bytes:
    logs = [_log(case.path, variant * case.batch + number) for number in range(case.batch)]
    body = b"\n".join(logs) + (b"\n" if case.batch > 1 else b"")
    content_type = (
        "text/plain" if case.path == "/lines" else "application/x-ndjson" if case.batch > 1 else "application/json"
    )
    head = (
        f"POST {case.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    )
    return head.encode() + b"\r\n\r\n" + body


def _log(path: str, number: int) -> bytes:
    host, summary = (
        f"web-{number % 50:02}",
        f"Failed password for invalid user admin from 81.2.69.142 port {number} ssh2",
    )
    if path == "/lines":
        return f"<38>Aug  4 15:01:25 {host} sshd[57911]: {summary}".encode()
    event: dict[str, Any] = {"category": "authentication", "hostname": host, "severity": "INFO", "summary": summary}
    event |= {"processname": "sshd", "processid": "57911", "timestamp": "2026-08-04T15:01:25Z", "tags": ["ssh"]}
    event["details"] = {"sourceipaddress": "81.2.69.142", "number": number}
    action = b'{"create":{"_index":"logs-sshd-default"}}\n' if path == "/_bulk" else b""
    return action + orjson.dumps(event)


async def _wait(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.1)
