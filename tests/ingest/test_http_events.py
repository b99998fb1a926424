"""Tests MozDef's endpoints, plain lines and compressed bodies: the answers, and the records in Kafka."""

import gzip
import zlib
from typing import Any

import cramjam
import orjson
import pytest
from http_kit import LINE, Proxy, Raw

from topics.catalogue import MAX_RECORD

CURL = b'{"category":"demo","hostname":"localhost","severity":"INFO","summary":"This is a test"}'
FORM = "application/x-www-form-urlencoded"  # what curl -d says


async def test_an_event_is_stored_as_it_came_under_its_host(proxy: Proxy, raw: Raw) -> None:
    assert await proxy.post("/events", CURL, Content_Type=FORM) == (200, {"accepted": 1})
    (record,) = raw.records("raw.events")
    assert (record.key(), record.value()) == (b"localhost", CURL)
    assert record.headers() == [("ogrewatch.sender", b"127.0.0.1"), ("ogrewatch.endpoint", b"/events")]


@pytest.mark.parametrize("path", ["/events", "/nxlog", "/cef", "/custom/my-app.2"])
async def test_every_endpoint_takes_post_and_put_and_is_named(proxy: Proxy, raw: Raw, path: str) -> None:
    for method in ("POST", "PUT"):
        status, content, _ = await proxy.call(method, path, b'{"summary":"x"}')
        assert (status, content) == (200, {"accepted": 1})
    for record in raw.records("raw.events"):
        assert ("ogrewatch.endpoint", path.encode()) in (record.headers() or [])
        assert record.key() == b"127.0.0.1"  # no host is named: the sender stands for it


async def test_lines_go_to_the_topic_of_lines(proxy: Proxy, raw: Raw) -> None:
    body = LINE + b"\r\n\n \n\xff\xfe no text\n" + LINE.replace(b"web-01", b"db-01")
    assert await proxy.post("/events", body, Content_Type="text/plain; charset=utf-8") == (200, {"accepted": 3})
    assert await proxy.post("/lines", b"one line") == (200, {"accepted": 1})
    found = {(record.key(), record.value()) for record in raw.records("raw.syslog")}
    assert found == {
        (b"web-01", LINE),
        (b"127.0.0.1", b"\xff\xfe no text"),
        (b"db-01", LINE.replace(b"web-01", b"db-01")),
        (b"127.0.0.1", b"one line"),
    }


async def test_a_hosts_lines_keep_their_order(proxy: Proxy, raw: Raw) -> None:
    lines = [LINE.replace(b"57911", b"%d" % number) for number in range(2000)]
    assert await proxy.post("/lines", b"\n".join(lines)) == (200, {"accepted": 2000})
    assert [record.value() for record in raw.records("raw.syslog")] == lines


async def test_ndjson_is_taken_apart_byte_for_byte(proxy: Proxy, raw: Raw) -> None:
    lines = [b'{"a": 1.10, "big": 123456789012345678901234567890}', b'{"b":"\xc3\xa9\\u00e9"}', b'{"a":1,"a":2}']
    for content_type in ("application/x-ndjson", "application/json", FORM):
        assert await proxy.post("/events", b"\n".join(lines) + b"\r\n", Content_Type=content_type) == (
            200,
            {"accepted": 3},
        )
    assert raw.values("raw.events") == sorted(lines * 3)


async def test_an_array_is_taken_apart(proxy: Proxy, raw: Raw) -> None:
    status, content = await proxy.post("/events", b'[{"a": 1},\n 7, {"b": 2}]')
    assert (status, content["accepted"], content["failed"]) == (207, 2, 1)
    assert content["items"] == [{"item": 2, "status": 400, "error": "an event is a JSON object"}]
    assert raw.values("raw.events") == [b'{"a":1}', b'{"b":2}']


async def test_good_lines_are_kept_and_bad_ones_told_by_their_place(proxy: Proxy, raw: Raw) -> None:
    body = '{"é":1}\n{"é":x}\n\n[1]\n{"b":2}\n{"c":"'.encode() + b"\xff"
    status, content = await proxy.post("/events", body, Content_Type="application/x-ndjson")
    assert (status, content["accepted"], content["failed"]) == (207, 2, 3)
    places = [(item["item"], item["line"], item["column"], item["offset"]) for item in content["items"]]
    assert places == [(2, 2, 6, 15), (4, 4, 1, 19), (6, 6, 7, 37)]
    assert body[15:16] == b"x"
    assert body[37:] == b"\xff"
    assert raw.values("raw.events") == [b'{"b":2}', '{"é":1}'.encode()]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a":1,\n "b":oops}', (2, 6, 13)),
        (b'{"a":"\xff"}', (1, 7, 6)),
        (b"a=b&c=d", (1, 1, 0)),
        (b'"text"', (1, 1, 0)),
        (b'{"a":1} {"b":2}', (1, 9, 8)),
    ],
)
async def test_what_is_no_event_is_refused_with_its_place(
    proxy: Proxy, body: bytes, place: tuple[int, int, int]
) -> None:
    status, content = await proxy.post("/events", body)
    assert (status, (content["line"], content["column"], content["offset"])) == (400, place)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"[]"])
async def test_an_empty_body_is_refused(proxy: Proxy, body: bytes) -> None:
    assert (await proxy.post("/events", body))[0] == 400
    assert (await proxy.post("/lines", b"\n \n"))[0] == 400


async def test_all_lines_bad_is_a_bad_request(proxy: Proxy) -> None:
    status, content = await proxy.post("/events", b"{\n[\n", Content_Type="application/x-ndjson")
    assert (status, content["accepted"], content["failed"]) == (400, 0, 2)


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: list[Any] = [
    ("gzip", gzip.compress),
    ("GZIP", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
    ("deflate", zlib.compress),
    ("deflate", _raw_deflate),
    ("zstd", lambda body: bytes(cramjam.zstd.compress(body))),
    ("identity", bytes),
]


@pytest.mark.parametrize(("encoding", "pack"), PACKERS)
async def test_packed_bodies_are_unpacked(proxy: Proxy, raw: Raw, encoding: str, pack: Any) -> None:
    events = [b'{"n":%d}' % number for number in range(3000)]
    body = pack(b"\n".join(events))
    assert await proxy.post("/events", body, Content_Encoding=encoding) == (200, {"accepted": 3000})
    assert raw.values("raw.events") == sorted(events)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
async def test_what_cannot_be_unpacked_is_refused(proxy: Proxy, encoding: str) -> None:
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": lambda body: bytes(cramjam.zstd.compress(body))}
    whole = pack[encoding](b'{"a":1}' * 100)
    for body in (whole[:-6], b"\x00\x01\x02", whole + b"junk"):
        status, content = await proxy.post("/events", body, Content_Encoding=encoding)
        assert (status, "compressed" in content["error"] or "unpacked" in content["error"]) == (400, True)


async def test_other_encodings_and_types_are_told(proxy: Proxy) -> None:
    status, _, headers = await proxy.call("POST", "/events", b"{}", Content_Encoding="br")
    assert (status, headers["Accept-Encoding"]) == (415, "gzip, deflate, zstd")
    assert (await proxy.post("/events", b"<a/>", Content_Type="text/xml"))[0] == 415


async def test_unknown_paths_and_methods(proxy: Proxy) -> None:
    assert (await proxy.get("/nothing"))[0] == 404
    status, _, headers = await proxy.call("DELETE", "/events")
    assert (status, headers["Allow"]) == (405, "POST, PUT")


async def test_an_item_that_kafka_would_not_take_is_refused_alone(proxy: Proxy, raw: Raw) -> None:
    large = b'{"a":"' + b"x" * MAX_RECORD + b'"}'
    status, content = await proxy.post("/events", large + b'\n{"b":1}', Content_Type="application/x-ndjson")
    assert (status, content["items"][0]["status"], content["accepted"]) == (207, 413, 1)
    assert (await proxy.post("/events", large))[0] == 413
    assert raw.values("raw.events") == [b'{"b":1}']


async def test_the_largest_record_passes(proxy: Proxy, raw: Raw) -> None:
    line = b"x" * (MAX_RECORD - len("127.0.0.1"))
    assert await proxy.post("/lines", line) == (200, {"accepted": 1})
    assert raw.values("raw.syslog") == [line]


async def test_health_and_metrics(proxy: Proxy) -> None:
    assert await proxy.get("/status") == (200, {"status": "ok", "service": "ogrewatch"})
    assert await proxy.get("/test") == (200, b"")
    assert await proxy.get("/healthz") == (200, {"status": "ok", "kafka": "up", "pending": 0})
    await proxy.post("/events", b'{"a":1}\n{', Content_Type="application/x-ndjson")
    _, page = await proxy.get("/metrics")
    for line in (
        b'ogrewatch_ingest_records_total{result="delivered",topic="raw.events",way="http"} 1.0',
        b'ogrewatch_ingest_records_total{result="rejected",topic="raw.events",way="http"} 1.0',
        b'ogrewatch_ingest_requests_total{endpoint="/events",status="207",way="http"} 1.0',
        b'ogrewatch_ingest_kafka_up{way="http"} 1.0',
        b'ogrewatch_ingest_pending_records{way="http"} 0.0',
        b'ogrewatch_ingest_connections{way="http"} 1.0',
    ):
        assert line in page


async def test_aliases_of_the_host_are_keys(proxy: Proxy, raw: Raw) -> None:
    events: list[dict[str, Any]] = [
        {"hostname": "a"},
        {"HOST": "b"},
        {"source_host": "c"},
        {"host": "d"},
        {"host": {"name": "e", "ip": ["192.0.2.1"]}},
        {"host.name": "f"},
        {"hostname": None, "host": {"hostname": "g"}},
        {"hostname": 7, "Computer": "h"},
        {"hostname": ""},
    ]
    assert (await proxy.post("/events", orjson.dumps(events)))[0] == 200
    keys = {record.key() for record in raw.records("raw.events")}
    assert keys == {b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h", b"127.0.0.1"}


async def test_what_python_programs_write_as_json_is_taken(proxy: Proxy, raw: Raw) -> None:
    odd = [b'{"hostname":"web\\udcff","a":NaN}', b'{"n":' + b"9" * 400 + b"}", b'{"n":-Infinity}']
    assert await proxy.post("/events", b"\n".join(odd)) == (200, {"accepted": 3})
    assert await proxy.post("/events", b'[{"a":"\\ud800"}]') == (200, {"accepted": 1})
    assert (await proxy.post("/_bulk", b'{"create":{}}\n' + odd[0]))[1]["errors"] is False
    assert raw.values("raw.events") == sorted([*odd, odd[0], b'{"a": "\\ud800"}'])


async def test_json_too_deep_for_anyone_is_refused(proxy: Proxy) -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b'{"n":' + b"9" * 10_000 + b"}"):
        assert (await proxy.post("/events", body))[0] == 400
