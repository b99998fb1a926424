"""Tests what is refused early: sizes, rates, slow clients, memory; and idempotency keys that are used again."""

import asyncio
import gzip
import io
from pathlib import Path
from typing import Any

import cramjam
import pytest
from http_kit import LINE, Proxy, Raw, raw_exchange, running, until

HEAD = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"


@pytest.fixture
def limited(raw: Raw, tmp_path: Path) -> Any:
    """A proxy with these settings."""
    return lambda **settings: running(raw.servers, raw.prefix, tmp_path, **settings)


async def test_a_body_over_the_limit_is_refused(limited: Any, raw: Raw) -> None:
    async with limited(max_body=1000, max_unpacked=5000) as proxy:
        assert (await proxy.post("/lines", b"x" * 1000))[0] == 200
        status, answer = await proxy.post("/lines", b"x" * 1001)
        assert (status, answer["error"]) == (413, "the body is larger than 1000 bytes")
        chunked = b"POST /lines HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        piece = b"200\r\n" + b"x" * 512 + b"\r\n"
        assert b" 413 " in await raw_exchange(proxy.receiver.port, chunked, piece, piece, b"0\r\n\r\n")
        assert proxy.receiver.context.budget.held == 0
    assert raw.values("raw.syslog") == [b"x" * 1000]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_a_bomb_is_refused(limited: Any, encoding: str) -> None:
    body = b"x" * 200_000_000 if encoding == "zstd" else b"x" * 20_000_000
    pack = {"gzip": gzip.compress, "deflate": lambda b: gzip.zlib.compress(b), "zstd": cramjam.zstd.compress}  # type: ignore[attr-defined]
    packed = bytes(pack[encoding](body))
    async with limited(max_unpacked=1_000_000) as proxy:
        status, answer = await proxy.post("/lines", packed, Content_Encoding=encoding)
        assert (status, answer["error"]) == (413, "the unpacked body is larger than 1000000 bytes")
        assert proxy.receiver.context.budget.held == 0


async def test_too_many_records_are_refused_whole(limited: Any, raw: Raw) -> None:
    async with limited(max_records=3) as proxy:
        assert (await proxy.post("/lines", b"a\nb\nc\n"))[0] == 200
        assert (await proxy.post("/lines", b"a\nb\nc\nd"))[0] == 413
        assert (await proxy.post("/events", b"1\n2\n3\n4", Content_Type="application/x-ndjson"))[0] == 400
        records = b'{"records":[' + b",".join([b'{"value":1}'] * 4) + b"]}"
        content_type = "application/vnd.kafka.json.v2+json"
        assert (await proxy.post("/topics/raw.events", records, Content_Type=content_type))[0] == 413
    assert raw.values("raw.syslog") == [b"a", b"b", b"c"]
    assert raw.values("raw.events") == []


async def test_a_body_that_would_grow_in_memory_is_refused(proxy: Proxy) -> None:
    many = gzip.compress(b"[" + b"{}," * 2_100_000 + b"{}]", 1)
    v2 = "application/vnd.kafka.json.v2+json"
    for path, content_type in (("/events", ""), ("/_bulk", ""), ("/topics/raw.events", v2)):
        headers = {"Content_Encoding": "gzip", **({"Content_Type": content_type} if content_type else {})}
        status, answer = await proxy.post(path, many, **headers)
        assert (status, "2000000 JSON values" in str(answer)) == (413, True)
    newlines = gzip.compress(b"\n" * 1_100_000)
    for path in ("/lines", "/_bulk"):
        assert (await proxy.post(path, newlines, Content_Encoding="gzip"))[0] == 413


async def test_a_body_that_does_not_come_is_given_up(limited: Any) -> None:
    async with limited(body_timeout=0.3) as proxy:
        answer = await raw_exchange(proxy.receiver.port, HEAD + b"Connection: close\r\n\r\n" + b"{")
        assert b" 408 " in answer.partition(b"\r\n")[0]
        assert proxy.receiver.context.budget.held == 0


async def test_a_head_that_does_not_come_is_given_up(limited: Any) -> None:
    async with limited(idle_timeout=0.3) as proxy:
        assert await raw_exchange(proxy.receiver.port, HEAD, limit=5) == b""
        assert await raw_exchange(proxy.receiver.port, b"", limit=5) == b""
        slowly = [bytes([byte]) for byte in HEAD[:20]]
        assert await raw_exchange(proxy.receiver.port, *slowly, pause=0.05, limit=5) == b""


async def test_a_client_that_asks_first_is_answered_first(limited: Any) -> None:
    async with limited(max_body=1500) as proxy:
        ask = HEAD + b"Expect: 100-continue\r\nConnection: close\r\n"
        answer = await raw_exchange(proxy.receiver.port, ask + b"\r\n", b'{"a":"' + b"x" * 992 + b'"}', pause=0.2)
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
        answer = await raw_exchange(proxy.receiver.port, ask.replace(b"1000", b"2000") + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 413 ")


async def test_memory_is_shared_and_given_back(limited: Any) -> None:
    async with limited(max_held=1500) as proxy:
        held = asyncio.create_task(raw_exchange(proxy.receiver.port, HEAD + b"\r\n" + b"x" * 900, limit=5))
        await until(lambda: proxy.receiver.context.budget.held == 900)
        status, _, headers = await proxy.call("POST", "/lines", b"x" * 1000)
        assert (status, headers["Retry-After"]) == (429, "1")
        held.cancel()
        await until(lambda: proxy.receiver.context.budget.held == 0)
        assert (await proxy.post("/lines", b"x" * 1000))[0] == 200


async def test_connections_are_limited(limited: Any) -> None:
    async with limited(max_connections=2) as proxy:
        open_ones = [await asyncio.open_connection("127.0.0.1", proxy.receiver.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        assert await raw_exchange(proxy.receiver.port, b"GET /status HTTP/1.1\r\n\r\n", limit=5) == b""
        for _, writer in open_ones:
            writer.close()
        await asyncio.sleep(0.05)
        assert (await proxy.get("/status"))[0] == 200


async def test_a_client_over_its_rate_is_told_when_to_come_again(limited: Any) -> None:
    async with limited(rate=0.1, burst=10) as proxy:
        assert (await proxy.post("/lines", b"x\n" * 15))[0] == 200  # a full bucket owes the rest
        status, _, headers = await proxy.call("POST", "/lines", b"x\n" * 5)
        assert status == 429
        assert 80 <= int(headers["Retry-After"]) <= 100  # five owed and five more, less the time since
        _, answer = await proxy.post("/_bulk", b'{"create":{}}\n{}\n')
        assert answer["error"]["type"] == "es_rejected_execution_exception"


async def test_a_producer_that_is_full_is_told(limited: Any) -> None:
    async with limited() as proxy:
        proxy.receiver.context.delivery.max_records = 3
        answers = await asyncio.gather(*(proxy.post("/lines", b"x\n" * 3) for _ in range(20)))
        statuses = {status for status, _ in answers}
        assert 200 in statuses
        assert statuses <= {200, 429}
        assert (await proxy.post("/lines", b"x\n" * 10))[0] == 200  # larger than the bound itself: alone


async def test_a_key_that_comes_again_has_the_first_answer(proxy: Proxy, raw: Raw) -> None:
    body = b'{"records":[{"value":1},{"value":2}]}'
    content_type = "application/vnd.kafka.json.v2+json"
    answers = [
        await proxy.call("POST", "/topics/raw.events", body, Content_Type=content_type, Idempotency_Key="k")
        for _ in range(3)
    ]
    assert [answer[1] for answer in answers] == [answers[0][1]] * 3
    assert [answer[2].get("Idempotency-Replayed") for answer in answers] == [None, "true", "true"]
    assert raw.values("raw.events") == [b"1", b"2"]
    other = await proxy.post("/topics/raw.events", body + b" ", Content_Type=content_type, Idempotency_Key="k")
    assert (other[0], other[1]["error_code"]) == (422, 422)
    assert (await proxy.post("/lines", body, Idempotency_Key="k"))[0] == 422
    assert (await proxy.post("/lines", body, Idempotency_Key="k" * 256))[0] == 400


async def test_keys_at_the_same_time_are_one_request(proxy: Proxy, raw: Raw) -> None:
    answers = await asyncio.gather(*(proxy.post("/lines", LINE, Idempotency_Key="same") for _ in range(10)))
    assert answers == [(200, {"accepted": 1})] * 10
    assert raw.values("raw.syslog") == [LINE]


async def test_a_stream_with_a_key_is_answered_whole(proxy: Proxy, raw: Raw) -> None:
    _, clusters = await proxy.get("/v3/clusters")
    path = f"/v3/clusters/{clusters['data'][0]['cluster_id']}/topics/raw.events/records"

    async def repeat() -> Any:
        pieces = io.BytesIO(b'{"value":{"type":"STRING","data":"x"}}\n' * 2)
        async with proxy.client.post(
            proxy.url + path, data=_chunks(pieces), headers={"Idempotency-Key": "stream"}
        ) as answer:
            return await answer.text()

    assert await repeat() == await repeat()
    assert raw.values("raw.events") == [b"x", b"x"]


async def _chunks(source: io.BytesIO) -> Any:
    while piece := source.read(7):
        yield piece
