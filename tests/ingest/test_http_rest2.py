"""Tests version 2 of the Confluent REST Proxy as its clients use it."""

import base64

import orjson
import pytest
from http_kit import PARTITIONS, Proxy, Raw

JSON = "application/vnd.kafka.json.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"
AVRO = "application/vnd.kafka.avro.v2+json"
TYPE = "application/vnd.kafka.v2+json"
EVENT = {
    "type": "record",
    "name": "Event",
    "fields": [
        {"name": "hostname", "type": "string"},
        {"name": "user", "type": ["null", "string"], "default": None},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "raw", "type": "bytes"},
    ],
}


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()


async def test_json_records_come_back_with_their_places_in_order(proxy: Proxy, raw: Raw) -> None:
    records = [{"key": {"k": n % 5}, "value": {"n": n}} for n in range(50)]
    status, answer, headers = await proxy.call(
        "POST", "/topics/raw.events", orjson.dumps({"records": records}), Content_Type=JSON
    )
    assert (status, headers["Content-Type"]) == (200, TYPE)
    assert (answer["key_schema_id"], answer["value_schema_id"]) == (None, None)
    there = {(record.partition(), record.offset()): record for record in raw.records("raw.events")}
    for given, offset in zip(records, answer["offsets"], strict=True):
        assert (offset["error_code"], offset["error"]) == (None, None)
        record = there[offset["partition"], offset["offset"]]
        assert (record.key(), record.value()) == (orjson.dumps(given["key"]), orjson.dumps(given["value"]))


async def test_binary_records_partitions_headers_and_times(proxy: Proxy, raw: Raw) -> None:
    value = bytes(range(256))
    given = [
        {"key": b64(b"k"), "value": b64(value), "partition": 2},
        {"value": None, "key": b64(b"gone"), "partition": 2},
        {"value": b64(b"x"), "partition": 2, "timestamp": 1_700_000_000_123},
        {"value": b64(b"y"), "partition": 2, "timestamp": "2026-01-02T03:04:05.678+01:00"},
        {"value": b64(b"z"), "partition": 2, "headers": [{"name": "a", "value": b64(b"b")}, {"name": "none"}]},
    ]
    status, answer = await proxy.post("/topics/raw.syslog", orjson.dumps({"records": given}), Content_Type=BINARY)
    begin = raw.records("raw.syslog")[0].offset() or 0
    assert (status, [offset["offset"] for offset in answer["offsets"]]) == (200, [begin + n for n in range(5)])
    found = raw.records("raw.syslog")
    assert [record.value() for record in found] == [value, None, b"x", b"y", b"z"]
    assert [record.partition() for record in found] == [2] * 5
    claimed = [dict(found[n].headers() or [])["ogrewatch.timestamp"] for n in (2, 3)]
    assert claimed == [b"1700000000123", b"1767319445678"]
    assert [header[0] for header in found[4].headers() or []] == ["ogrewatch.sender", "ogrewatch.endpoint", "a", "none"]


async def test_a_record_without_a_key_gets_its_host(proxy: Proxy, raw: Raw) -> None:
    body = orjson.dumps({"records": [{"value": {"hostname": "web-01"}}, {"value": {"a": 1}}]})
    assert (await proxy.post("/topics/raw.events", body, Content_Type=JSON))[0] == 200
    assert {record.key() for record in raw.records("raw.events")} == {b"web-01", b"127.0.0.1"}


async def test_one_partition_by_its_path(proxy: Proxy, raw: Raw) -> None:
    body = b'{"records":[{"value":1},{"value":2,"partition":0}]}'
    status, answer = await proxy.post("/topics/raw.events/partitions/1", body, Content_Type=JSON)
    assert (status, [offset["partition"] for offset in answer["offsets"]]) == (200, [1, 1])
    known = {"beginning_offset": 0, "end_offset": raw.end("raw.events", 1)}
    assert await proxy.get("/topics/raw.events/partitions/1/offsets") == (200, known)


@pytest.mark.parametrize(
    ("path", "content_type", "body", "status", "code"),
    [
        ("raw.events", BINARY, b'{"records":[{"value":"no base64!"}]}', 400, 400),
        ("raw.events", BINARY, b'{"records":[{"value":7}]}', 400, 400),
        ("raw.events", JSON, b'{"records":[]}', 422, 422),
        ("raw.events", JSON, b'{"record":[{"value":1}]}', 422, 422),
        ("raw.events", JSON, b"[1]", 422, 422),
        ("raw.events", JSON, b'{"records":[7]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"partition":3}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"partition":true}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"timestamp":-1}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"timestamp":"soon"}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"headers":[{"name":"Ogrewatch.sender"}]}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1,"headers":[{"name":"a","value":"?"}]}]}', 422, 422),
        ("raw.events", JSON, b'{"records":[{"value":1}', 400, 400),
        ("raw.events", JSON, b'{"records":[{"value":"\\ud800"}]}', 400, 400),
        ("raw.events", JSON, b'{"records":[{"value":NaN}]}', 400, 400),
        ("raw.events", "application/json", b'{"records":[{"value":1}]}', 415, 415),
        ("raw.events", AVRO, b'{"records":[{"value":1}]}', 422, 42202),
        ("raw.events", AVRO, b'{"records":[{"key":1}],"value_schema":"\\"int\\""}', 422, 42201),
        ("raw.events", AVRO, b'{"records":[{"value":1}],"value_schema":"{"}', 422, 42205),
        ("raw.events", AVRO, b'{"records":[{"value":1}],"value_schema":"{\\"type\\":\\"nothing\\"}"}', 422, 42205),
        ("raw.events", AVRO, b'{"records":[{"value":1}],"value_schema_id":7}', 408, 40801),
        ("raw.events", AVRO, b'{"records":[{"value":"x"}],"value_schema":"\\"int\\""}', 422, 42203),
        ("events.web", JSON, b'{"records":[{"value":1}]}', 404, 40401),
        ("deadletter", JSON, b'{"records":[{"value":1}]}', 404, 40401),
        ("nothing", JSON, b'{"records":[{"value":1}]}', 404, 40401),
        ("raw.events/partitions/3", JSON, b'{"records":[{"value":1}]}', 404, 40402),
        ("raw.events/partitions/x", JSON, b'{"records":[{"value":1}]}', 404, 404),
    ],
)
async def test_errors_have_confluents_shape(
    proxy: Proxy, path: str, content_type: str, body: bytes, status: int, code: int
) -> None:
    answered, answer, headers = await proxy.call("POST", f"/topics/{path}", body, Content_Type=content_type)
    assert (answered, answer["error_code"], headers["Content-Type"]) == (status, code, TYPE)
    assert sorted(answer) == ["error_code", "message"]


async def test_what_can_be_read(proxy: Proxy) -> None:
    assert await proxy.get("/topics") == (200, ["raw.syslog", "raw.events"])
    _, topic = await proxy.get("/topics/raw.events")
    replicas = [{"broker": 1, "leader": True, "in_sync": True}]
    partitions = [{"partition": n, "leader": 1, "replicas": replicas} for n in range(PARTITIONS)]
    assert topic == {"name": "raw.events", "configs": {}, "partitions": partitions}
    assert await proxy.get("/topics/raw.events/partitions") == (200, partitions)
    assert await proxy.get("/topics/raw.events/partitions/2") == (200, partitions[2])
    assert await proxy.get("/brokers") == (200, {"brokers": [1]})
    assert (await proxy.get("/topics/raw.events/partitions/9"))[1]["error_code"] == 40402
    assert (await proxy.get("/topics/deadletter"))[1]["error_code"] == 40401


async def test_avro_is_checked_and_stored_as_json(proxy: Proxy, raw: Raw) -> None:
    value = {"hostname": "web-01", "user": {"string": "root"}, "at": 1_767_319_445_678, "raw": "\u00ff"}
    body = {"value_schema": orjson.dumps(EVENT).decode(), "records": [{"value": value}]}
    status, answer = await proxy.post("/topics/raw.events", orjson.dumps(body), Content_Type=AVRO)
    assert (status, answer["key_schema_id"]) == (200, None)
    again = {"value_schema_id": answer["value_schema_id"], "records": [{"value": {**value, "user": None}}]}
    assert (await proxy.post("/topics/raw.events", orjson.dumps(again), Content_Type=AVRO))[0] == 200
    stored = {"hostname": "web-01", "user": "root", "at": "2026-01-02T02:04:05.678000+00:00", "raw": "\xff"}
    found = raw.records("raw.events")
    assert [orjson.loads(record.value() or b"") for record in found] == [stored, {**stored, "user": None}]
    assert {record.key() for record in found} == {b"web-01"}
