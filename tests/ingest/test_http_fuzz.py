"""Whatever comes: an answer, never a 500, and nothing held afterwards."""

import asyncio
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cramjam
import orjson
import pytest
from http_kit import Raw, raw_exchange, running
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

RAW_HEADS = st.lists(
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
        self._context = running(raw.servers, raw.prefix, folder, reuse=False, body_timeout=0.2, idle_timeout=0.5)
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
    service = worn.proxy.way.service
    named = {"Content_Type": content_type, "Content_Encoding": encoding, "Idempotency_Key": key}
    headers = {name: value for name, value in named.items() if value}
    target = path.format(cluster=service.cluster.identity)
    status, _ = worn.run(worn.proxy.post(target, PACKERS[encoding](body), **headers))
    assert status in {200, 207, 400, 413, 415, 422}
    assert service.room.held == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(TARGETS, RAW_HEADS, st.binary(max_size=20), st.booleans())
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
    answer = worn.run(raw_exchange(worn.proxy.way.port, request, limit=10))
    statuses = {line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")}
    assert not {status for status in statuses if status.startswith(b"5")}
    assert caplog.records == []
    assert worn.run(worn.proxy.get("/status"))[0] == 200
