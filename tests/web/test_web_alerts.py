"""The API of alerts on a real Elasticsearch and Kafka: pages of them, single ones, and what people do with them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from workers_kit import Client

from agents.settings import Settings
from sinks.elasticsearch.alerts import AlertSink, News
from topics.catalogue import ACTS, RULES
from topics.kafka.admin import create_topics
from topics.kafka.publish import publish
from topics.kafka.reader import Reader
from topics.records import rules
from topics.records.acts import decode
from web.application import make_app

IDS = [f"{number:032x}" for number in range(5)]
LEVELS = ["high", "medium", "high", "low", "medium"]
PATH = "/api/v1/alerts"


def document(number: int) -> dict[str, Any]:
    about = {"level": LEVELS[number], "rule": f"rule_{number % 2}", "revision": 1, "count": number + 1}
    return {
        "@timestamp": f"2026-11-24T10:0{number}:00.000Z", "message": "<b>who</b>",
        "event": {"kind": "alert", "id": IDS[number]}, "rule": {"id": f"id-{number}"}, "ogrewatch": {"alert": about},
    }  # fmt: skip


@pytest.fixture
def site(kafka: str, elasticsearch_url: str, unique: str) -> Settings:
    create_topics(kafka, prefix=f"{unique}.", partitions=1, replication=1)
    return Settings(kafka=kafka, elasticsearch=elasticsearch_url, prefix=f"{unique}.", namespace=unique)


@asynccontextmanager
async def answering(site: Settings, **more: Any) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(site.model_copy(update=more)))) as client:
        yield client


async def stored(site: Settings) -> None:
    sink = AlertSink(site.elasticsearch, site.namespace)
    assert not await sink.write({IDS[number]: News([document(number)]) for number in range(5)})
    await sink.refresh()
    await sink.close()


async def get(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_alerts_are_found_by_state_rule_level_and_time_in_pages(site: Settings) -> None:
    async with answering(site) as client:
        assert (await get(client, PATH))["alerts"] == []
        await stored(site)
        first = await get(client, f"{PATH}?limit=3")
        assert [one["id"] for one in first["alerts"]] == [IDS[4], IDS[3], IDS[2]]
        assert (first["total"], first["alerts"][0]["message"]) == (5, "<b>who</b>")
        at, identity = first["after"]
        second = await get(client, f'{PATH}?limit=3&after=[{at},"{identity}"]')
        assert [one["id"] for one in second["alerts"]] == [IDS[1], IDS[0]]
        for query, places in (
            ("severity=high", [2, 0]), ("severity=high,low", [3, 2, 0]), ("rule=rule_1", [3, 1]), ("rule=id-4", [4]),
            ("state=open&severity=medium", [4, 1]), ("state=closed", []), ("state=all&from=2026-11-24T10:03", [4, 3]),
            ("from=2026-11-24T10:01&to=2026-11-24T10:03", [2, 1]),
        ):  # fmt: skip
            found = await get(client, f"{PATH}?{query}")
            assert [IDS.index(one["id"]) for one in found["alerts"]] == places, query


async def test_wrong_parameters_are_refused(site: Settings) -> None:
    wrong = ("state=new", "severity=huge", "limit=0", "from=yesterday", "after=1", "after=[1,2]", "window=5m",
             "after=[1,%22*%22]", "state=open&state=closed")  # fmt: skip
    async with answering(site) as client:
        for query in wrong:
            assert "error" in await get(client, f"{PATH}?{query}", 400)


async def test_an_act_is_written_down(site: Settings) -> None:
    async with answering(site) as client:
        await stored(site)
        assert (await get(client, f"{PATH}/{IDS[1]}"))["ogrewatch"]["alert"]["status"] == "open"
        async with client.post(f"{PATH}/{IDS[1]}/ack", json={"note": "mine", "assignee": "ann"}) as response:
            assert response.status == 202, await response.text()
        async with client.post(f"{PATH}/{IDS[1]}/close", json={"verdict": "benign"}) as response:
            assert (response.status, (await response.json())["act"]) == (202, "close")
    with Reader(site.kafka) as reader:
        topic = site.prefix + ACTS.name
        found = [(message.key(), decode(message.value())) for message in reader.read(topic, reader.bounds(topic))]
    assert [(act.kind, act.comment, act.assignee, act.verdict) for _, act in found] == [
        ("acknowledge", "mine", "ann", ""), ("close", "", "", "benign"),
    ]  # fmt: skip
    assert {key for key, _ in found} == {IDS[1].encode()}


async def test_what_is_no_act_is_refused(site: Settings) -> None:
    async with answering(site) as client:
        await stored(site)
        url = f"{PATH}/{IDS[0]}"
        for path, options, status in (
            (f"{url}/ack", {"data": "note=x"}, 415),
            (f"{url}/ack", {"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
            (f"{url}/ack", {"json": {"verdict": "benign"}}, 400),
            (f"{url}/close", {"json": {"verdict": "guilty"}}, 400),
            (f"{url}/note", {"json": {}}, 400),
            (f"{url}/note", {"json": {"note": 7}}, 400),
            (f"{url}/note", {"json": {"by": "root", "note": "x"}}, 400),
            (f"{url}/note", {"json": {"note": "x" * 5000}}, 400),
            (f"{url}/delete", {"json": {}}, 404),
            (f"{PATH}/{'f' * 32}/ack", {"json": {}}, 404),
            (f"{PATH}/..%2f/ack", {"json": {}}, 404),
            (f"{url}/ack", {"json": {}, "headers": {"Origin": "https://evil.example"}}, 403),
            (f"{url}/ack", {"json": {}, "headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
        ):
            async with client.post(path, **options) as response:
                assert response.status == status, (path, options, await response.text())


async def test_beyond_loopback_whoever_may_look_may_not_act(site: Settings) -> None:
    async with (
        answering(site, web_host="0.0.0.0", web_hosts="127.0.0.1", web_insecure=True) as client,
        client.post(f"{PATH}/{IDS[0]}/ack", json={}) as response,
    ):
        assert response.status == 403


async def test_the_rules_in_force_and_silences_are_shown(site: Settings) -> None:
    async with answering(site) as client:
        found = await get(client, "/api/v1/rules")
        assert found["version"] == "packaged"
        assert {"ssh_guessing", "guessed_in"} <= {one["name"] for one in found["rules"]}
        mine = (
            "title: Mine\nname: mine\nid: 6f0d4f4e-0002-4000-8000-0000000000aa\nauthor: Ann\nlicense: DRL-1.1\n"
            "logsource: {product: ogrewatch}\ndetection: {a: {user.name: root}, condition: a}\n"
        )
        files = rules.RuleFiles({"mine.yml": mine, "bad.yml": "title: x"}, pack=False, by="ann")
        publish(site.kafka, site.prefix + RULES.name, rules.KEY, rules.encode(files))
        silence = rules.Silence("s1", "mine", 4_102_444_800_000, {}, "ann", "maintenance", 1)
        publish(site.kafka, site.prefix + RULES.name, silence.key, rules.encode(silence))
        found = await get(client, "/api/v1/rules")
    assert [(one["name"], one["author"], one["license"]) for one in found["rules"]] == [("mine", "Ann", "DRL-1.1")]
    assert (found["version"], found["applied_by"], len(found["refused"])) == (files.version, "ann", 1)
    assert [one["reason"] for one in found["silences"]] == ["maintenance"]


async def test_servers_that_are_away_are_a_503_with_a_sentence(site: Settings) -> None:
    async with answering(site, elasticsearch="http://127.0.0.1:9", kafka="127.0.0.1:9") as client:
        assert "error" in await get(client, PATH, 503)
