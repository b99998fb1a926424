"""Tests that large and hostile bodies are read in worker processes, in time, and delay no other sender."""

import asyncio
import contextlib
import gzip
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cramjam
import orjson
import pytest
from http_kit import LINE, Proxy, Raw, running, until

from ingest.http.decode.decompress import decompress
from ingest.http.decode.items import Items, add_json, add_lines, add_ndjson
from ingest.http.decode.objects import ObjectSplitter
from ingest.http.decode.worker_pool import WorkerPool
from ingest.http.endpoints.elastic_bulk import Action, Bulk
from ingest.http.endpoints.elastic_bulk import read as read_bulk
from ingest.http.responses import HttpError

EMPTY = gzip.compress(b"")
V2 = "application/vnd.kafka.json.v2+json"
AVRO = "application/vnd.kafka.avro.v2+json"


def items() -> Items:
    return Items("raw.events", b"192.0.2.1", [], 50_000)


def test_many_members_are_refused_and_some_are_not() -> None:
    assert decompress(EMPTY * 4_000 + gzip.compress(LINE) + EMPTY * 4_000, "gzip", 1 << 20) == LINE
    with pytest.raises(HttpError, match="more than 10000 compressed members"):
        decompress(EMPTY * 800_000, "gzip", 64 << 20)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 20_000, 300_000])
def test_members_of_any_size_are_unpacked_whole(size: int) -> None:
    parts = [os.urandom(size) for _ in range(5)]
    assert decompress(b"".join(map(gzip.compress, parts)), "gzip", 8 << 20) == b"".join(parts)
    with pytest.raises(HttpError, match="ends too early"):
        decompress(gzip.compress(parts[0]) + gzip.compress(parts[1])[:-1], "gzip", 8 << 20)
    with pytest.raises(HttpError, match="larger than"):
        decompress(b"".join(map(gzip.compress, parts)), "gzip", 5 * size - 1)


FAMILIES: dict[str, tuple[Callable[[bytes], Any], Callable[[int], bytes]]] = {
    "gzip members": (lambda body: decompress(body, "gzip", 64 << 20), lambda n: EMPTY * n),
    "gzip small members": (lambda body: decompress(body, "gzip", 64 << 20), lambda n: gzip.compress(LINE) * n),
    "zstd frames": (
        lambda body: decompress(body, "zstd", 64 << 20),
        lambda n: bytes(cramjam.zstd.compress(b"")) * 20 * n,
    ),
    "nesting": (lambda body: add_json(items(), body), lambda n: b"[" * 100 * n),
    "open strings": (lambda body: add_json(items(), body), lambda n: b'{"' * 100 * n),
    "escapes": (lambda body: add_json(items(), body), lambda n: b'{"a":"' + b"\\" * 100 * n),
    "no objects": (lambda body: add_ndjson(items(), body), lambda n: b"x\n" * n),
    "half surrogates": (lambda body: add_ndjson(items(), body), lambda n: b'{"a":"\\ud800"}\n' * n),
    "one wrong line": (lambda body: add_ndjson(items(), body), lambda n: b'{"a":"' + b"\\ud800" * 10 * n),
    "empty lines": (lambda body: add_lines(items(), body), lambda n: b"\r\n" * 100 * n),
    "no syslog": (lambda body: add_lines(items(), body), lambda n: (b"<1>1 " + b"a" * 100 + b"\n") * n),
    "actions": (lambda body: read_bulk(Bulk(items()), body, Action()), lambda n: b'{"create":{}}\n' * n),
    "objects": (lambda body: ObjectSplitter(2 << 20, 50_000).feed(body), lambda n: b"{}" * 10 * n),
    "braces": (lambda body: ObjectSplitter(2 << 20, 50_000).feed(body), lambda n: b"{" * 10 * n),
    "quotes": (lambda body: ObjectSplitter(2 << 20, 50_000).feed(body), lambda n: b'{"' + b'\\"' * 100 * n),
}


def cost(read: Callable[[bytes], Any], body: bytes) -> float:
    """The least seconds of the processor that reading takes, of three times."""
    found = []
    for _ in range(3):
        begin = time.process_time()
        with contextlib.suppress(HttpError):
            read(body)
        found.append(time.process_time() - begin)
    return min(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_four_times_the_body_takes_four_times_the_time(family: str) -> None:
    read, make = FAMILIES[family]
    assert cost(read, make(8_000)) < 10 * cost(read, make(2_000)) + 0.05


async def test_a_worker_that_takes_too_long_is_ended() -> None:
    workers = WorkerPool(1, 2.0)
    try:
        with pytest.raises(HttpError, match="too long"):
            await workers.run("a", time.sleep, 60)
        assert await workers.run("a", len, b"xyz") == 3
    finally:
        await workers.close()


async def test_a_worker_that_takes_too_much_memory_says_so() -> None:
    workers = WorkerPool(1, 60.0)
    try:
        with pytest.raises(HttpError, match="too much memory"):
            await workers.run("a", bytearray, 8 << 30)
        assert await workers.run("a", len, b"xyz") == 3
    finally:
        await workers.close()


async def test_a_worker_that_dies_is_replaced() -> None:
    workers = WorkerPool(1, 60.0)
    try:
        pid = await workers.run("a", os.getpid)
        asked = asyncio.create_task(workers.run("a", time.sleep, 60))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(HttpError, match="has ended"):
            await asked
        assert await workers.run("a", os.getpid) != pid
    finally:
        await workers.close()


def test_workers_end_with_the_proxy() -> None:
    said = """
import asyncio, os
from ingest.http.decode.worker_pool import WorkerPool
async def main():
    print(await WorkerPool(1, 60.0).run("a", os.getpid), flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    asyncio.run(until(lambda: _has_ended(pid), 60))


def _has_ended(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


async def test_senders_take_turns() -> None:
    """One sender's many bodies leave room for another's."""
    workers = WorkerPool(2, 60.0)
    try:
        await asyncio.gather(*(workers.run(name, len, b"") for name in "ab"))
        many = [asyncio.create_task(workers.run("many", time.sleep, 0.4)) for _ in range(8)]
        await asyncio.sleep(0)
        await workers.run("one", len, b"")
        assert sum(task.done() for task in many) <= 4
        await asyncio.gather(*many)
        assert not workers._senders
    finally:
        await workers.close()


def _avro(depth: int) -> bytes:
    """A small request whose schema has defaults that have defaults: each level twice the one below."""
    schema: dict[str, Any] = {"type": "record", "name": f"R{depth}", "fields": [{"name": "x", "type": ["null"]}]}
    for level in reversed(range(depth)):
        fields = [{"name": "a", "type": schema, "default": {}}, {"name": "b", "type": f"R{level + 1}", "default": {}}]
        schema = {"type": "record", "name": f"R{level}", "fields": fields}
    return orjson.dumps({"value_schema": orjson.dumps(schema).decode(), "records": [{"value": {}}]})


GZIP, ZSTD = {"Content_Encoding": "gzip"}, {"Content_Encoding": "zstd"}
MANY = gzip.compress(b'{"records":[' + b"{}," * 1_500_000 + b"{}]}", 1)
HOSTILE: list[tuple[str, bytes, dict[str, str]]] = [
    ("/lines", EMPTY * 800_000, GZIP),
    ("/events", gzip.compress(b"[" + b'{"a":"bbbb"},' * 600_000 + b"{}]", 1), GZIP),
    ("/topics/raw.events", MANY, {**GZIP, "Content_Type": V2}),
    ("/_bulk", gzip.compress(b"\n" * 60_000_000, 1), GZIP),
    ("/events", bytes(cramjam.zstd.compress(b" " * (64 << 20))), ZSTD),
    ("/events", b'{"a":"\\ud800"}\n' * 49_000, {"Content_Type": "application/x-ndjson"}),
    ("/topics/raw.events", _avro(24), {"Content_Type": AVRO}),
]


async def _latencies(proxy: Proxy, enough: Callable[[int], bool]) -> list[float]:
    found: list[float] = []
    while not enough(len(found)):
        begin = time.perf_counter()
        assert (await proxy.post("/lines", LINE))[0] == 200
        found.append(time.perf_counter() - begin)
        await asyncio.sleep(0.005)
    return found


async def test_small_bodies_do_not_wait_for_hostile_ones(raw: Raw, tmp_path: Path) -> None:
    async with running(raw.servers, raw.prefix, tmp_path, body_timeout=4.0) as proxy:
        quiet = await _latencies(proxy, lambda n: n >= 300)
        at_work = asyncio.gather(*(proxy.post(path, body, **headers) for path, body, headers in HOSTILE * 2))
        busy = await _latencies(proxy, lambda n: at_work.done() and n >= 300)
        statuses = {status for status, _ in await at_work}
        assert statuses <= {200, 400, 413, 422}
        assert proxy.receiver.context.budget.held == 0
    before, after = (statistics.quantiles(found, n=100)[98] for found in (quiet, busy))
    print(f"p99 of small posts {before * 1e3:.1f} ms, beside hostile ones {after * 1e3:.1f} ms, of {len(busy)}")
    assert after < 20 * before + 0.3
    assert max(busy) < 2.0 + 20 * max(quiet)
