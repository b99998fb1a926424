"""Tests `_bulk` as Elasticsearch's clients and MozDef's senders use it, and what shippers ask before they send."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk
from http_kit import Proxy, Raw

TYPE = "application/x-ndjson"


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[AsyncElasticsearch]:
    """Elasticsearch's own client, which speaks to nothing that it takes for another product."""
    async with AsyncElasticsearch(proxy.url) as made:
        yield made


async def test_the_official_client_writes(client: AsyncElasticsearch, raw: Raw) -> None:
    assert (await client.info())["version"]["number"].startswith("8.")
    assert await client.ping()
    documents = ({"_op_type": "create", "_index": "logs-app-default", "n": n} for n in range(1200))
    assert await async_bulk(client, documents) == (1200, [])
    assert raw.values("raw.events") == sorted(b'{"n":%d}' % n for n in range(1200))


async def test_the_official_client_is_told_item_by_item(client: AsyncElasticsearch, raw: Raw) -> None:
    actions: list[dict[str, Any]] = [
        {"_op_type": "index", "_index": "a", "n": 1},
        {"_op_type": "delete", "_index": "a", "_id": "1"},
        {"_op_type": "update", "_index": "a", "_id": "1", "doc": {}},
        {"_op_type": "index", "_index": "a", "n": 2},
    ]
    done, errors = await async_bulk(client, actions, raise_on_error=False)
    assert isinstance(errors, list)
    assert (done, [(*error, *(item["status"] for item in error.values())) for error in errors]) == (
        2,
        [("delete", 400), ("update", 400)],
    )
    assert raw.values("raw.events") == [b'{"n":1}', b'{"n":2}']


async def test_documents_stay_the_bytes_that_came(proxy: Proxy, raw: Raw) -> None:
    body = b'{"create":{"_index":"logs"}}\n{"a": 1.10, "host":{"name":"web-01"}}\r\n{"index":{}}\n\n{"index":{"b":2}}\n'
    status, answer = await proxy.post("/logs-x/_bulk", body, Content_Type=TYPE)
    assert (status, answer["errors"]) == (200, False)
    one, two = answer["items"]
    assert (one["create"]["_index"], one["create"]["status"]) == ("logs", 201)
    assert two["index"]["_index"] == "logs-x"
    found = {record.value(): record for record in raw.records("raw.events")}
    assert found.keys() == {b'{"a": 1.10, "host":{"name":"web-01"}}', b'{"index":{"b":2}}'}
    record = found[b'{"a": 1.10, "host":{"name":"web-01"}}']
    assert record.key() == b"web-01"
    assert one["create"]["_id"] == f"raw.events-{record.partition()}-{record.offset()}"


async def test_a_filtered_answer_is_short_and_begins_as_shippers_look_for_it(proxy: Proxy) -> None:
    path = "/_bulk?filter_path=errors,items.*.error,items.*.status"
    body = b'{"create":{"_index":"a"}}\n{"n":1}\n' * 2
    async with proxy.client.post(proxy.url + path, data=body, headers={"Content-Type": TYPE}) as answer:
        text = await answer.text()
    assert text.partition(",")[2] == '"errors":false,"items":[{"create":{"status":201}},{"create":{"status":201}}]}'


async def test_items_that_are_no_documents_are_told_in_their_order(proxy: Proxy, raw: Raw) -> None:
    body = b'{"create":{}}\noops\n{"create":{}}\n[1]\n{"index":null}\n{"n":1}\n{"create":{}}\n'
    status, answer = await proxy.post("/_bulk", body, Content_Type=TYPE)
    assert (status, answer["errors"]) == (200, True)
    assert [next(iter(item.values()))["status"] for item in answer["items"]] == [400, 400, 201, 400]
    error = answer["items"][0]["create"]["error"]
    assert error["type"] == "illegal_argument_exception"
    assert error["reason"].endswith("at line 2 column 1 (byte 14)")
    assert raw.values("raw.events") == [b'{"n":1}']


async def test_mozdefs_senders_need_no_actions(proxy: Proxy, raw: Raw) -> None:
    status, answer = await proxy.post("/_bulk", b'{"index":{"_index":"events"}}\n{"n":1}\n{"n":2}\n{"create":7}')
    assert (status, answer["errors"], len(answer["items"])) == (200, False, 3)
    assert (await proxy.post("/_bulk", b' [{"n":3}, {"n":4}]'))[0] == 200
    assert raw.values("raw.events") == [b'{"create":7}', b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}']


async def test_mozdefs_senders_are_told_by_the_status(proxy: Proxy) -> None:
    status, answer = await proxy.post("/_bulk", b'[{"n":1}, 2]')
    assert (status, [item["index"]["status"] for item in answer["items"]]) == (207, [201, 400])
    assert (await proxy.post("/_bulk", b"oops\nmore"))[0] == 400
    assert (await proxy.post("/_bulk", b"[1, oops]"))[0] == 400


@pytest.mark.parametrize("body", [b"", b"\n", b"[]"])
async def test_an_empty_body_is_an_error_as_elasticsearch_words_it(proxy: Proxy, body: bytes) -> None:
    status, answer, headers = await proxy.call("POST", "/_bulk", body, Content_Type=TYPE)
    assert (status, answer["status"], headers["X-Elastic-Product"]) == (400, 400, "Elasticsearch")
    assert answer["error"]["root_cause"] == [{k: v for k, v in answer["error"].items() if k != "root_cause"}]


async def test_what_shippers_ask_before_they_send(proxy: Proxy) -> None:
    status, answer, headers = await proxy.call("GET", "/")
    assert (status, answer["tagline"], headers["X-Elastic-Product"]) == (200, "You Know, for Search", "Elasticsearch")
    assert (await proxy.call("HEAD", "/"))[:2] == (200, b"")
    assert (await proxy.get("/_license"))[1]["license"]["status"] == "active"
    assert (await proxy.get("/_xpack"))[1]["features"]["ilm"]["available"] is True
    assert (await proxy.get("/_cluster/health"))[1]["status"] == "green"
    assert (await proxy.get("/_nodes/http"))[1]["nodes"] == {}
    for path in ("/_refresh", "/logs-app-default/_refresh"):
        assert (await proxy.post(path, b""))[1]["_shards"]["failed"] == 0
    for path in (
        "_index_template",
        "_ilm/policy",
        "_component_template",
        "_template",
        "_ingest/pipeline",
        "_data_stream",
    ):
        assert (await proxy.call("HEAD", f"/{path}/filebeat"))[0] == 200
        assert (await proxy.get(f"/{path}/filebeat"))[0] == 200
        assert (await proxy.call("PUT", f"/{path}/filebeat", b"{}"))[1] == {"acknowledged": True}
    assert (await proxy.call("HEAD", "/_alias/filebeat"))[0] == 404


async def test_an_index_that_is_no_text_is_told_as_far_as_it_is(proxy: Proxy) -> None:
    status, answer = await proxy.post("/_bulk", b'{"create":{"_index":"a\\ud800"}}\n{"n":1}\n', Content_Type=TYPE)
    assert (status, answer["items"][0]["create"]["_index"]) == (200, "a?")


async def test_the_clients_own_content_type_is_taken(proxy: Proxy, raw: Raw) -> None:
    content_type = "application/vnd.elasticsearch+x-ndjson; compatible-with=8"
    assert (await proxy.post("/_bulk", b'{"create":{}}\n{"n":1}\n', Content_Type=content_type))[0] == 200
    assert (await proxy.post("/_bulk", b"<a/>", Content_Type="text/xml"))[0] == 415
    assert orjson.loads(raw.values("raw.events")[0] or b"") == {"n": 1}
