"""Tests version 3 of the Confluent REST Proxy: single records, streams and batches."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import orjson
import pytest
from http_kit import PARTITIONS, Proxy, Raw, until


async def records_url(proxy: Proxy, topic: str = "raw.events") -> str:
    _, clusters = await proxy.get("/v3/clusters")
    return f"/v3/clusters/{clusters['data'][0]['cluster_id']}/topics/{topic}/records"


async def send(proxy: Proxy, body: Any, topic: str = "raw.events") -> tuple[int, list[dict[str, Any]]]:
    url = proxy.url + await records_url(proxy, topic)
    async with proxy.client.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
        return answer.status, [orjson.loads(line) for line in (await answer.read()).splitlines()]


async def test_records_of_every_kind(proxy: Proxy, raw: Raw) -> None:
    body = (
        b'{"value":{"type":"JSON","data":{"hostname":"h", "n":1}}}\n'
        b'{"key":{"type":"STRING","data":"k"},"value":{"type":"STRING","data":"\xc3\xa9 } { \\" "},"partition_id":1}'
        b'{"key":{"type":"BINARY","data":"a2V5"},"value":{"type":"BINARY","data":"/w=="},"partition_id":1,'
        b'"timestamp":"2026-01-02T03:04:05.678Z","headers":[{"name":"a","value":"Yg=="}]} \r\n'
        b'{"key":{"type":"STRING","data":"k"},"value":null,"partition_id":1}'
    )
    status, answers = await send(proxy, body)
    assert (status, [answer["error_code"] for answer in answers]) == (200, [200] * 4)
    one, two, _, four = answers
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one["timestamp"])
    assert one["value"] == {"type": "JSON", "size": 22}
    assert "key" not in one
    assert (two["topic_name"], two["partition_id"], two["offset"]) == ("raw.events", 1, two["offset"])
    assert (two["key"], two["value"]) == ({"type": "STRING", "size": 1}, {"type": "STRING", "size": 9})
    assert "value" not in four
    there = {(record.partition(), record.offset()): record for record in raw.records("raw.events")}
    found = [there[answer["partition_id"], answer["offset"]] for answer in answers]
    assert [(record.key(), record.value()) for record in found] == [
        (b"h", b'{"hostname":"h","n":1}'),
        (b"k", 'é } { " '.encode()),
        (b"key", b"\xff"),
        (b"k", None),
    ]
    assert ("a", b"b") in (found[2].headers() or [])
    assert ("ogrewatch.timestamp", b"1767323045678") in (found[2].headers() or [])
    moments = [int(datetime.fromisoformat(answer["timestamp"]).timestamp() * 1000) for answer in answers]
    assert moments == [record.timestamp()[1] for record in found]  # the broker's own


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b'{"value":{"type":"JSON","data":{}},"headers":[{"name":"ogrewatch.identity","value":"YQ=="}]}', 422),
        (b'{"value":{"type":"AVRO","data":1}}', 422),
        (b'{"value":{"type":"AVRO","schema_id":7,"data":1}}', 422),
        (b'{"value":{"type":"AVRO","schema":"oops","data":1}}', 422),
        (b'{"value":{"type":"AVRO","schema":"\\"int\\"","data":"x"}}', 422),
        (b'{"value":{"data":1}}', 422),
        (b'{"value":{"type":"BINARY","data":"?"}}', 400),
        (b'{"value":{"type":"STRING","data":7}}', 400),
        (b'{"value":7}', 400),
        (b'{"value":{"type":"JSON","data":1},"partition_id":3}', 422),
        (b'{"value":oops}', 400),
        (b'{"value":{"type":"JSON","data":"\\ud800"}}', 400),
    ],
)
async def test_a_bad_record_is_told_in_its_place(proxy: Proxy, raw: Raw, record: bytes, code: int) -> None:
    good = b'{"value":{"type":"STRING","data":"x"}}'
    status, answers = await send(proxy, good + record + good)
    assert (status, [answer["error_code"] for answer in answers]) == (200, [200, code, 200])
    assert sorted(answers[1]) == ["error_code", "message"]
    assert raw.values("raw.events") == [b"x", b"x"]


async def test_avro_is_checked_and_stored_as_json(proxy: Proxy, raw: Raw) -> None:
    status, first = await send(proxy, b'{"value":{"type":"AVRO","schema":"\\"int\\"","data":7}}')
    identity = first[0]["value"]["schema_id"]
    assert (status, first[0]["value"]) == (200, {"type": "AVRO", "schema_id": identity, "size": 1})
    _, second = await send(proxy, b'{"value":{"type":"AVRO","schema_id":%d,"data":8}}' % identity)
    assert second[0]["error_code"] == 200
    assert raw.values("raw.events") == [b"7", b"8"]


async def test_a_stream_is_answered_while_it_comes(proxy: Proxy, raw: Raw) -> None:
    """The second record is only sent when the first was answered."""
    answered = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b'{"value":{"type":"STRING","data":"fir'
        yield b'st"}}'
        await answered.wait()
        yield b'{"value":{"type":"STRING","data":"second"}} \n'

    url = proxy.url + await records_url(proxy)
    async with proxy.client.post(url, data=body()) as answer:
        first = orjson.loads(await answer.content.readline())
        assert raw.values("raw.events") == [b"first"]
        answered.set()
        second = orjson.loads(await answer.content.readline())
        assert await answer.content.read() == b""
    assert [first["error_code"], second["error_code"]] == [200, 200]
    assert raw.values("raw.events") == [b"first", b"second"]


async def test_a_stream_that_is_no_json_ends_with_the_place(proxy: Proxy, raw: Raw) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"value":{"type":"STRING","data":"first"}}'
        yield b"\n  oops"
        yield b'{"value":{"type":"STRING","data":"lost"}}'

    status, answers = await send(proxy, body())
    assert (status, answers[0]["error_code"]) == (200, 200)
    assert answers[1] == {"error_code": 400, "message": "no JSON object at line 2 column 3 (byte 45)"}
    assert len(answers) == 2
    assert raw.values("raw.events") == [b"first"]


async def test_a_batch_tells_by_id(proxy: Proxy, raw: Raw) -> None:
    value = {"type": "BINARY", "data": base64.b64encode(b"x").decode()}
    entries = [{"id": "one", "value": value}, {"id": "é" * 80, "value": {"type": "?"}}, {"id": "3", "value": value}]
    url = await records_url(proxy) + ":batch"
    entries[1]["value"] = {"type": "?", "data": 1}
    status, answer = await proxy.post(url, orjson.dumps({"entries": entries}))
    assert status == 207
    assert [success["id"] for success in answer["successes"]] == ["one", "3"]
    assert sorted(answer["failures"][0]) == ["error_code", "id", "message"]
    assert answer["failures"][0]["id"] == "é" * 80
    assert raw.values("raw.events") == [b"x", b"x"]


@pytest.mark.parametrize(
    "entries",
    [
        b"[]",
        b'{"entries":[]}',
        b'{"entries":[{"id":"1"},{"id":"1"}]}',
        b'{"entries":[{"id":1}]}',
        b'{"entries":[{"id":""}]}',
        b'{"entries":[{}]}',
        b'{"entries":[7]}',
        orjson.dumps({"entries": [{"id": "x" * 81}]}),
    ],
)
async def test_a_batch_without_ids_of_its_own_is_refused(proxy: Proxy, raw: Raw, entries: bytes) -> None:
    status, answer = await proxy.post(await records_url(proxy) + ":batch", entries)
    assert (status, answer["error_code"]) == (422, 422)
    assert raw.values("raw.events") == []


async def test_other_clusters_and_topics_are_not_found(proxy: Proxy) -> None:
    body = b'{"value":{"type":"STRING","data":"x"}}'
    status, answer = await proxy.post(await records_url(proxy, "events.web"), body)
    assert (status, answer["error_code"]) == (404, 40403)
    status, answer = await proxy.post("/v3/clusters/other/topics/raw.events/records", body)
    assert (status, answer["error_code"]) == (404, 404)


@pytest.mark.parametrize("body", [b"", b"oops", b'{"value":', b"[]"])
async def test_a_whole_body_without_records_is_refused(proxy: Proxy, body: bytes) -> None:
    status, answer = await proxy.post(await records_url(proxy), body)
    assert (status, answer["error_code"]) == (422 if not body else 400, 422 if not body else 400)


async def test_what_can_be_read(proxy: Proxy) -> None:
    _, clusters = await proxy.get("/v3/clusters")
    (cluster,) = clusters["data"]
    path = f"/v3/clusters/{cluster['cluster_id']}"
    assert await proxy.get(path) == (200, cluster)
    _, topics = await proxy.get(f"{path}/topics")
    assert [topic["topic_name"] for topic in topics["data"]] == ["raw.syslog", "raw.events"]
    _, topic = await proxy.get(f"{path}/topics/raw.events")
    assert (topic["partitions_count"], topic["replication_factor"]) == (PARTITIONS, 1)
    assert (await proxy.get(f"{path}/topics/alerts"))[1]["error_code"] == 40403
    assert (await proxy.get("/v3/clusters/other"))[0] == 404


async def test_a_client_that_goes_in_the_middle_of_a_stream_is_no_error(
    proxy: Proxy, raw: Raw, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {await records_url(proxy)} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    record = b'{"value":{"type":"STRING","data":"x"}}'
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.receiver.port)
        writer.write(head + b"%x\r\n%s\r\n" % (len(record), record))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"%x\r\n%s\r\n" % (len(record), record))
        writer.transport.abort()
    await until(lambda: proxy.receiver.idle)
    assert raw.values("raw.events")[:3] == [b"x"] * 3
    assert caplog.records == []
