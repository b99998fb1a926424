"""Tests that any request gets an answer other than 500, and that the proxy holds no memory afterwards.

`OGREWATCH_FUZZ_BODIES=100000 pytest -s tests/ingest/test_http_fuzz.py -k many` is the long run.
"""

import asyncio
import gc
import gzip
import os
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cramjam
import orjson
import pytest
from http_kit import Proxy, Raw, raw_exchange, running
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = [
    "/events",
    "/lines",
    "/custom/app",
    "/_bulk",
    "/logs/_bulk",
    "/topics/raw.events",
    "/topics/raw.syslog/partitions/0",
    "/v3/clusters/{cluster}/topics/raw.events/records",
    "/v3/clusters/{cluster}/topics/raw.events/records:batch",
    "/_index_template/x",
]
TYPES = [
    "",
    "application/json",
    "application/x-ndjson",
    "text/plain",
    "application/vnd.kafka.json.v2+json",
    "application/vnd.kafka.binary.v2+json",
]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "zstd": lambda body: bytes(cramjam.zstd.compress(body)),
    "deflate": bytes,  # nothing that unpacks
}

FIELDS = ("value", "key", "partition", "partition_id", "headers", "timestamp", "id")
WORDS = st.sampled_from(
    [*FIELDS, "records", "entries", "type", "data", "name", "index", "create", "_index", "hostname", "JSON", "YWI="]
)
TEXTS = WORDS | st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
RECORD = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES))
CONTENTS = st.one_of(
    VALUES,
    st.fixed_dictionaries({"records": st.lists(RECORD, max_size=4)}),
    st.fixed_dictionaries({"entries": st.lists(RECORD, max_size=4)}),
)
ODD = st.sampled_from([b"NaN", b'"\\ud800"', b"-1e999", b"9" * 30, b'{"value":"\\udcff"}', b'{"a":1,"a":{}}'])
JSON = st.lists(CONTENTS.map(orjson.dumps) | ODD, min_size=1, max_size=4).map(b"\n".join)
BODIES = st.binary(max_size=60) | JSON | st.tuples(JSON, st.integers(0, 80)).map(lambda cut: cut[0][: cut[1]])

RAW_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Length", "Transfer-Encoding", "Content-Encoding", "Expect", "Authorization", "Host"]),
        st.sampled_from(["5", "-1", "chunked", "gzip", "100-continue", "Basic x", "\xff", "x" * 9000, ""]),
    ),
    max_size=4,
)
TARGETS = st.sampled_from(
    [
        "/events",
        "/topics/%00",
        "/topics/%ff/partitions/9",
        "//",
        "/_bulk?filter_path=%zz",
        "*",
        "/v3/clusters/%F0/topics/a/records",
    ]
)


class Worn:
    """One proxy for all examples, in a loop of its own: hypothesis calls examples one by one, and is not async."""

    def __init__(self, raw: Raw, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._context = running(raw.servers, raw.prefix, folder, reuse=False, body_timeout=1.0, idle_timeout=0.5)
        self.proxy = self.run(self._context.__aenter__())

    def run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self._context.__aexit__(None, None, None))
        self._loop.close()


@pytest.fixture(scope="module")
def worn(raw_topics: Raw, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worn]:
    """The one proxy."""
    made = Worn(raw_topics, tmp_path_factory.mktemp("fuzz"))
    yield made
    made.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(PATHS), st.sampled_from(TYPES), st.sampled_from(sorted(PACKERS)), BODIES, st.sampled_from(["", "k"])
)
def test_any_body_is_answered(worn: Worn, path: str, content_type: str, encoding: str, body: bytes, key: str) -> None:
    service = worn.proxy.receiver.context
    named = {"Content_Type": content_type, "Content_Encoding": encoding, "Idempotency_Key": key}
    headers = {name: value for name, value in named.items() if value}
    target = path.format(cluster=service.cluster.identity)
    status, _ = worn.run(worn.proxy.post(target, PACKERS[encoding](body), **headers))
    assert status in {200, 207, 400, 413, 415, 422}
    assert service.budget.held == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(TARGETS, RAW_HEADERS, st.binary(max_size=20), st.booleans())
def test_any_head_is_answered(
    worn: Worn,
    caplog: pytest.LogCaptureFixture,
    target: str,
    head: list[tuple[str, str]],
    rest: bytes,
    closing: bool,
) -> None:
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in head)]
    request = "\r\n".join([*lines, "Connection: close" if closing else "X: y", "", ""]).encode("latin-1") + rest
    answer = worn.run(raw_exchange(worn.proxy.receiver.port, request, limit=10))
    statuses = {line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")}
    assert not {status for status in statuses if status.startswith(b"5")}
    assert caplog.records == []
    assert worn.run(worn.proxy.get("/status"))[0] == 200


SEED, NUMBER = int(os.environ.get("OGREWATCH_FUZZ_SEED", "1")), int(os.environ.get("OGREWATCH_FUZZ_BODIES", "2000"))
CONCURRENT = 8
AVRO_SCHEMA = orjson.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "R", "string"]}]})
WHOLE = [
    b'{"hostname":"web-01","summary":"x","n":1}',
    b'[{"a":1},{"b":[1,2,{"c":null}]}]',
    b'{"a":1}\n{"b":"\\ud800"}\n\n',
    b'{"create":{"_index":"logs"}}\n{"message":"x"}\n{"delete":{"_id":"1"}}\n',
    b'{"records":[{"key":"aG9zdA==","value":"bGluZQ==","partition":1},{"value":null}]}',
    b'{"records":[{"value":{"hostname":"h"},"headers":[{"name":"n","value":"YQ=="}],"timestamp":"2026-05-01"}]}',
    b'{"value":{"type":"JSON","data":{"a":1}}}{"value":{"type":"BINARY","data":"YQ=="}}',
    b'{"entries":[{"id":"1","value":{"type":"STRING","data":"x"}},{"id":"2","partition_id":2}]}',
    orjson.dumps({"value_schema": AVRO_SCHEMA.decode(), "records": [{"value": {"a": {"R": {"a": None}}}}]}),
    orjson.dumps({"value": {"type": "AVRO", "schema": AVRO_SCHEMA.decode(), "data": {"a": {"string": "x"}}}}),
    b"<38>Aug  4 15:01:25 web-01 sshd[57911]: Invalid user admin from 192.0.2.7 port 50412\r\n",
]
TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b":",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"null",
    b"1e999",
    b"-0",
    b"9" * 400,
]
FUZZ_TYPES = [*TYPES, "application/vnd.kafka.avro.v2+json", "application/vnd.elasticsearch+x-ndjson"]


def _fuzzed(draw: random.Random) -> bytes:
    """A body that begins as a whole one, or several, and is cut, joined, repeated, and has bytes changed."""
    body = b"".join(draw.choices(WHOLE, k=draw.choice((1, 1, 1, 2, 5))))
    for _ in range(draw.choice((0, 1, 1, 2, 4, 16))):
        at = draw.randrange(len(body) + 1)
        match draw.randrange(5):
            case 0:
                body = body[:at]
            case 1:
                body = body[:at] + draw.choice(TOKENS) * draw.choice((1, 1, 2, 50, 2000)) + body[at:]
            case 2:
                end = min(len(body), at + draw.choice((1, 10, 100)))
                body = body[:at] + body[at:end] * draw.choice((0, 2, 100)) + body[end:]
            case 3:
                body = body[:at] + draw.randbytes(draw.choice((1, 1, 8))) + body[at + 1 :]
            case 4:
                body = body * draw.choice((1, 2, 20)) if len(body) < 20_000 else body
    return body


def _packed(draw: random.Random, body: bytes) -> tuple[bytes, str]:
    """The body as it is sent, and its encoding: often right, in several members, broken, or not what it says."""
    encoding = draw.choice(("", "", "", "gzip", "zstd", "deflate", "identity", "br"))
    packed = PACKERS.get(encoding, bytes)(body)
    if encoding and draw.random() < 0.3:
        packed *= draw.choice((2, 50))
    if encoding and draw.random() < 0.3:
        at = draw.randrange(len(packed) + 1)
        packed = packed[:at] + draw.randbytes(draw.choice((0, 1, 4))) + packed[at + draw.choice((0, 1, 1000)) :]
    return packed, encoding


@dataclass
class Seen:
    """What the answers to many bodies were."""

    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)


async def _send_some(proxy: Proxy, seen: Seen, first: int) -> None:
    for number in range(first, NUMBER, CONCURRENT):
        draw = random.Random(f"{SEED} {number}")
        body, encoding = _packed(draw, _fuzzed(draw))
        named = {"Content_Type": draw.choice(FUZZ_TYPES), "Content_Encoding": encoding}
        path = draw.choice(PATHS).format(cluster=proxy.receiver.context.cluster.identity)
        begin = time.perf_counter()
        status, _ = await proxy.post(path, body, **{name: value for name, value in named.items() if value})
        seen.times.append(time.perf_counter() - begin)
        seen.statuses[status] += 1
        assert status in {200, 207, 400, 413, 415, 422}, f"OGREWATCH_FUZZ_SEED={SEED}, body {number}: {status}"


def _memory(pid: int | str, what: str = "VmHWM") -> int:
    """MiB of memory that a process has had at most, or has (`VmRSS`)."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) >> 10 if found else 0


def _forget_most() -> None:
    """Forget what this process had at most in the tests before."""
    Path("/proc/self/clear_refs").write_text("5")


async def test_many_bodies_are_answered_in_time(raw: Raw, tmp_path: Path) -> None:
    _forget_most()
    seen, before = Seen(), _memory("self", "VmRSS")
    async with running(raw.servers, raw.prefix, tmp_path) as proxy:
        async with asyncio.TaskGroup() as group:
            for first in range(CONCURRENT):
                group.create_task(_send_some(proxy, seen, first))
        service = proxy.receiver.context
        workers = {worker.pid: _memory(worker.pid) for worker in service.workers._all}
        assert (service.budget.held, service.delivery.pending_records) == (0, 0)
    gc.collect()
    most, grown, slowest = _memory("self"), _memory("self", "VmRSS") - before, max(seen.times)
    typical, p99 = (statistics.quantiles(seen.times, n=100)[at] * 1e3 for at in (49, 98))
    print(f"{NUMBER} bodies: {typical:.1f} ms, p99 {p99:.1f} ms, slowest {slowest:.2f} s; {dict(seen.statuses)}")
    print(f"MiB: proxy and senders {most} at most, {grown} more in the end; workers at most {list(workers.values())}")
    assert len(workers) <= 2
    assert max(workers.values(), default=0) < 500
    assert most - before < 700
    assert grown < 200
    assert sum(seen.statuses[status] for status in (200, 207)) > NUMBER // 10
