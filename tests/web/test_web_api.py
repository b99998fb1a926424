"""The API over count workers that answer well, late, wrongly, twice or not at all."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient, TestServer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from workers_kit import NOON, Client, Worker, attacker, page, running, settings

from stack.ports import HOST, free_port
from web.application import make_app
from web.files import STATIC

RATIO = "/api/v1/auth/ratio"
ATTACKERS = "/api/v1/attackers"
SERIES = "/api/v1/auth/series"
PLACES = "/api/v1/auth/places"
HEALTH = "/api/v1/health"


async def get(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def test_attempts_are_added_up_over_all_workers() -> None:
    one = Worker([0, 2], rows={"sshd": (12, 300, 1), "web": (7, 0, 0)})
    other = Worker([1, 3], rows={"sshd": (0, 40, 0)})
    async with page(one, other) as client:
        said = await get(client, f"{RATIO}?window=5m&by=service")
    assert said["rows"] == [
        {"name": "sshd", "attempts": 353, "success": 12, "failure": 340, "unknown": 1, "ratio": 0.034091},
        {"name": "web", "attempts": 7, "success": 7, "failure": 0, "unknown": 0, "ratio": 1.0},
    ]
    assert said["total"] == {"attempts": 360, "success": 19, "failure": 340, "unknown": 1, "ratio": 0.052925}
    assert (said["by"], said["window"]["seconds"], said["truncated"]) == ("service", 300, False)
    assert said["partitions"] == {"of": 4, "missing": []}


async def test_workers_are_asked_for_whole_minutes_up_to_the_present_one() -> None:
    worker = Worker([0, 1, 2, 3])
    async with page(worker) as client:
        await get(client, f"{RATIO}?window=5m&by=user")
    asked = dict(pair.split("=") for pair in worker.asked[-1].partition("?")[2].split("&"))
    since, until = int(asked["since"]), int(asked["until"])
    assert asked["by"] == "user"
    assert since % 60 == until % 60 == 0
    assert until - since == 360
    assert 0 < until - time.time() < 62


async def test_a_limit_cuts_rows_and_not_the_total() -> None:
    worker = Worker([0, 1, 2, 3], rows={"a": (1, 0, 0), "b": (2, 0, 0), "c": (3, 0, 0)})
    async with page(worker) as client:
        said = await get(client, f"{RATIO}?by=user&limit=2")
        whole = await get(client, f"{RATIO}?by=user&limit=3")
    assert [row["name"] for row in said["rows"]] == ["c", "b"]
    assert (said["total"]["attempts"], said["truncated"], whole["truncated"]) == (6, True, False)


async def test_what_a_worker_cut_is_told() -> None:
    async with page(Worker([0, 1, 2, 3], rows={"a": (1, 0, 0)}, truncated=True)) as client:
        assert (await get(client, f"{RATIO}?by=user"))["truncated"]


async def test_attackers_of_all_workers_are_ranked_together() -> None:
    one = Worker([0, 1], attackers=[attacker("203.0.113.1", 9), attacker("203.0.113.2", 1, 1)])
    other = Worker([2, 3], attackers=[attacker("2001:db8::3", 5)])
    async with page(one, other) as client:
        said = await get(client, f"{ATTACKERS}?window=1h&limit=2")
    assert (said["total"], said["broke_in_total"]) == (3, 0)
    assert [row["address"] for row in said["attackers"]] == ["203.0.113.1", "2001:db8::3"]
    assert said["attackers"][0] == {
        "address": "203.0.113.1", "country": "NL", "failures": 9, "successes": 0, "users": ["root", "admin"],
        "user_count": 2, "users_more": False, "hosts": ["web1"], "host_count": 1, "hosts_more": False,
        "first_seen": "2025-11-25T12:00:01.250Z", "last_seen": "2025-11-25T12:01:40.500Z", "last_success": None,
        "services": {}, "rate": [], "as": None, "broke_in": False,
    }  # fmt: skip


async def test_who_got_in_is_first_among_many_louder_ones() -> None:
    loud = [attacker(f"2001:db8::{n:x}", 100 + n) for n in range(10_000)]
    one = Worker([0, 1], attackers=loud[:5_000])
    other = Worker([2, 3], attackers=[*loud[5_000:], attacker("203.0.113.9", 6, 1)])
    async with page(one, other) as client:
        said = await get(client, f"{ATTACKERS}?limit=50")
    assert (said["attackers"][0]["address"], said["attackers"][0]["broke_in"]) == ("203.0.113.9", True)
    assert (len(said["attackers"]), said["total"], said["broke_in_total"]) == (50, 10_001, 1)


async def test_one_attacker_comes_with_minutes() -> None:
    worker = Worker([2, 3], attackers=[attacker("2001:db8::3", 5)], minutes={"2001:db8::3": [[NOON, 1, 5]]})
    async with page(Worker([0, 1]), worker) as client:
        said = await get(client, f"{ATTACKERS}/2001:db8::3")
        escaped = await get(client, f"{ATTACKERS}/2001%3Adb8%3A%3A3")
    assert said["attacker"]["minutes"] == [{"minute": "2025-11-25T12:00:00Z", "successes": 1, "failures": 5}]
    assert escaped["attacker"] == said["attacker"]
    assert said["window"]["seconds"] == 86_400


async def test_an_address_is_unknown_only_when_every_partition_says_so() -> None:
    async with page(Worker([0, 1]), Worker([2, 3])) as client:
        said = await get(client, f"{ATTACKERS}/203.0.113.9", 404)
    assert said == {"error": "nothing is known of 203.0.113.9 in this window"}
    async with page(Worker([0, 1])) as client:
        said = await get(client, f"{ATTACKERS}/203.0.113.9", 503)
    assert said["error"].endswith("missing: 2, 3.")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{RATIO}?window=x", "window: 'x' is no length of time such as 90s, 5m, 1h or 24h"),
        (f"{RATIO}?window=", "window: '' is no"),
        (f"{ATTACKERS}?window=367d", "window: 367d is longer than 366 days"),
        (f"{ATTACKERS}?to=2026-05-01", "from: is missing where to is given"),
        (f"{ATTACKERS}?from=yesterday", "from, to: 'yesterday' is no time such as 2026-05-01T12:00:00Z"),
        (f"{ATTACKERS}?from=2026-05-02&to=2026-05-01", "from, to: '2026-05-01' is not after '2026-05-02'"),
        (f"{ATTACKERS}?from=2026-05-01&window=1h", "window: give it, or from and to, not both"),
        (f"{ATTACKERS}?sort=color", "sort: 'color' is none of broke_in, failures, successes,"),
        (f"{ATTACKERS}?order=up", "order: 'up' is none of desc, asc"),
        (f"{ATTACKERS}?offset=9999&limit=2", "offset: with limit it goes beyond 10000"),
        (f"{ATTACKERS}?as=x", "as: 'X' is no number of an autonomous system, such as 64500"),
        (f"{ATTACKERS}?user=%00", "user: at most 1024 printable characters"),
        (f"{SERIES}?step=90s", "step: '90s' is no whole number of minutes, hours or days"),
        (f"{SERIES}?window=30d", "step: 60 s makes more than 1500 points of this window"),
        (f"{SERIES}?by=user", "by: 'user' is none of service"),
        (f"{RATIO}?by=color", "by: 'color' is none of service, address, user, host, country"),
        (f"{ATTACKERS}?limit=0", "limit: '0' is no number from 1 to 1000"),
        (f"{ATTACKERS}?limit=1001", "limit: '1001' is no"),
        (f"{ATTACKERS}?limit=-1", "limit: '-1' is no"),
        (f"{ATTACKERS}?limit=%C2%B2", "limit: '²' is no"),
        (f"{ATTACKERS}?windw=24h", "'windw': no such parameter here; there are window, from, to, sort,"),
        (f"{RATIO}?window=5m&By=user", "'By': no such parameter here; there are window, from, to, by, limit"),
        (f"{ATTACKERS}/203.0.113.9?limit=5", "'limit': no such parameter here; there are window, from, to"),
        (f"{ATTACKERS}?limit=5&limit=6", "'limit' is given twice"),
        (f"{ATTACKERS}/{'a' * 256}", "address: 'aaa"),
        (f"{ATTACKERS}/%00", "address: '\\x00' is neither"),
    ],
)
async def test_a_bad_parameter_is_named(path: str, text: str) -> None:
    worker = Worker([0, 1, 2, 3])
    async with page(worker) as client:
        said = await get(client, path, 400)
    assert said["error"].startswith(text)
    assert worker.asked == []


async def test_counts_are_kept_as_long_as_the_settings_say() -> None:
    async with page(Worker([0, 1, 2, 3]), keep=3600.0) as client:
        assert (await get(client, f"{RATIO}?window=1h"))["source"] == "live"
        said = await get(client, f"{RATIO}?window=61m", 503)
    assert said["error"] == "Elasticsearch does not answer (Connection refused). Is it running?"


async def test_workers_are_asked_for_the_order_and_the_filters() -> None:
    worker = Worker([0, 1, 2, 3], attackers=[attacker("203.0.113.1", 9), attacker("203.0.113.2", 8)])
    async with page(worker) as client:
        path = (
            f"{ATTACKERS}?sort=failures&order=asc&offset=1&limit=1&service=sshd&country=NL&as=AS64500&user=root&q=203."
        )
        said = await get(client, path)
    assert [row["address"] for row in said["attackers"]] == ["203.0.113.1"]
    assert (said["total"], said["offset"], said["source"], said["complete"]) == (2, 1, "live", True)
    asked = dict(pair.split("=") for pair in worker.asked[-1].partition("?")[2].split("&")[2:])
    assert asked == {
        "limit": "1000", "service": "sshd", "user": "root", "country": "NL", "sort": "failures", "order": "asc",
        "q": "203.", "as": "64500",
    }  # fmt: skip


async def test_a_row_has_the_last_hour_by_the_minute_and_its_services() -> None:
    now = int(time.time()) // 60 * 60
    row = attacker(
        "203.0.113.1", 9, 1, services={"sshd": 9}, last_success=NOON + 2.5, minutes=[[now - 60, 1, 4], [now, 0, 5]]
    )
    async with page(Worker([0, 1, 2, 3], attackers=[row])) as client:
        shown = (await get(client, ATTACKERS))["attackers"][0]
        short = (await get(client, f"{ATTACKERS}?window=5m"))["attackers"][0]
    assert (shown["services"], shown["last_success"]) == ({"sshd": 9}, "2025-11-25T12:00:02.500Z")
    assert (len(shown["rate"]), sum(shown["rate"]), len(short["rate"])) == (60, 9, 6)


async def test_minutes_of_all_workers_are_added_up() -> None:
    now = int(time.time()) // 60 * 60
    one = Worker([0, 1], series={"sshd": [[now - 120, 1, 5, 0], [now, 0, 2, 1]]})
    other = Worker([2, 3], series={"sshd": [[now, 1, 1, 0]], "web": [[now - 60, 9, 0, 0]]})
    async with page(one, other) as client:
        said = await get(client, f"{SERIES}?window=5m&step=1m")
        coarse = await get(client, f"{SERIES}?window=5m&step=1h")
        alone = await get(client, f"{SERIES}?window=5m&service=web")
    assert (said["step"], len(said["times"]), said["source"]) == (60, 6, "live")
    assert said["rows"]["sshd"] == {
        "success": [0, 0, 0, 1, 0, 1],
        "failure": [0, 0, 0, 5, 0, 3],
        "unknown": [0] * 5 + [1],
    }
    assert sum(coarse["rows"]["sshd"]["failure"]) == 8
    assert list(alone["rows"]) == ["web"]


async def test_countries_are_places_and_what_has_none_is_shown() -> None:
    one = Worker([0, 1], countries={"NL": (1, 9, 0, 2, 1), "": (0, 4, 0, 3, 0)})
    other = Worker([2, 3], countries={"NL": (0, 1, 0, 1, 0), "CN": (0, 99, 1, 7, 0)})
    async with page(one, other) as client:
        said = await get(client, PLACES)
        ratio = await get(client, f"{RATIO}?by=country")
    assert [(row["country"], row["failures"], row["broke_in"]) for row in said["places"]] == [
        ("NL", 10, 1),
        ("CN", 99, 0),
    ]
    assert (said["places"][0]["lon"], said["places"][0]["lat"]) == (5.6, 52.2)
    assert said["unknown"] == {"addresses": 3, "failures": 4, "successes": 0, "unknown": 0, "broke_in": 0}
    assert [row["name"] for row in ratio["rows"]] == ["CN", "NL", "unknown"]


async def test_what_workers_do_not_count_by_is_asked_of_elasticsearch() -> None:
    async with page(Worker([0, 1, 2, 3])) as client:
        for path in (f"{RATIO}?by=host", f"{RATIO}?user=root", f"{SERIES}?country=NL", f"{ATTACKERS}?window=7d"):
            assert "Elasticsearch" in (await get(client, path, 503))["error"], path
        assert "q, as" in (await get(client, f"{ATTACKERS}?window=7d&q=203.", 400))["error"]


async def test_a_late_worker_is_not_waited_for() -> None:
    prompt, late = Worker([0, 1], rows={"sshd": (1, 2, 0)}), Worker([2, 3], rows={"sshd": (9, 9, 0)}, delay=5)
    async with page(prompt, late) as client:
        begin = time.monotonic()
        said = await get(client, RATIO)
        assert time.monotonic() - begin < 2
    assert said["rows"][0]["attempts"] == 3
    assert said["partitions"] == {"of": 4, "missing": [2, 3]}


@pytest.mark.parametrize(
    "body",
    [
        500,
        b'{"partitions": [2, 3], "of": 4, "rows": {"sshd": {"succ',
        b"",
        b"[]",
        b'{"of": 4, "rows": {}, "truncated": false}',
        b'{"partitions": [], "of": 0, "rows": {}, "truncated": false}',
        b'{"partitions": 2, "of": 4, "rows": {}, "truncated": false}',
        b'{"partitions": [2, 3], "of": 4, "rows": [], "truncated": false}',
        b'{"partitions": [2, 3], "of": 4, "rows": {"sshd": {"success": null}}, "truncated": false}',
        b'{"partitions": [2, 3], "of": 4, "rows": {"sshd": 5}, "truncated": false}',
    ],
)
async def test_a_worker_that_fails_is_left_out_and_its_partitions_are_named(body: bytes | int) -> None:
    good, bad = Worker([0, 1], rows={"sshd": (1, 2, 0)}), Worker([2, 3], bodies={"attempts": body})
    async with page(good, bad) as client:
        said = await get(client, RATIO)
    assert said["total"]["attempts"] == 3
    assert said["partitions"] == {"of": 4, "missing": [2, 3]}


async def test_an_answer_that_breaks_off_is_left_out() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n" + b'{"partitions": [2, 3], ')
        writer.close()

    async with await asyncio.start_server(break_off, HOST, 0) as server:
        broken = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        good = Worker([0, 1], rows={"sshd": (1, 2, 0)})
        good.owners = {broken: [2, 3]}
        async with page(good) as client:
            good.owners[good.url] = [0, 1]
            said = await get(client, RATIO)
    assert (said["total"]["attempts"], said["partitions"]["missing"]) == (3, [2, 3])


async def test_of_two_that_claim_a_partition_the_one_further_on_counts() -> None:
    stale = Worker([0, 1], rows={"sshd": (1, 1, 0)}, offset=10)
    fresh = Worker([0, 1, 2, 3], rows={"sshd": (5, 5, 0)}, offset=20)
    async with page(stale, fresh) as client:
        said = await get(client, RATIO)
    assert said["total"]["attempts"] == 10
    assert said["partitions"]["missing"] == []


async def test_what_only_a_stale_answer_spoke_of_is_missing() -> None:
    stale = Worker([0, 1], rows={"sshd": (1, 1, 0)}, offset=10)
    fresh = Worker([1, 2], rows={"sshd": (5, 5, 0)}, offset=20)
    async with page(stale, fresh) as client:
        said = await get(client, RATIO)
    assert said["total"]["attempts"] == 10
    assert said["partitions"]["missing"] == [0, 3]


async def test_a_worker_that_recovers_counts_for_what_it_has() -> None:
    async with page(Worker([0], rows={"sshd": (1, 1, 0)}), Worker([])) as client:
        said = await get(client, RATIO)
    assert said["partitions"]["missing"] == [1, 2, 3]


async def test_a_worker_that_does_not_know_its_group_yet_is_not_followed() -> None:
    async with page(Worker([], of=0)) as client:
        assert "malformed" in (await get(client, RATIO, 503))["error"]


@pytest.fixture
def hanging() -> Iterator[socket.socket]:
    """What takes connections and never says anything."""
    with socket.create_server((HOST, 0)) as server:
        yield server


async def test_a_seed_that_hangs_holds_up_nobody(hanging: socket.socket) -> None:
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 1, 0)})
    async with running(worker):
        seeds = settings(f"http://{HOST}:{hanging.getsockname()[1]}", worker.url)
        async with TestClient(TestServer(make_app(seeds), host=HOST)) as client:
            begin = time.monotonic()
            assert (await get(client, RATIO))["total"]["attempts"] == 2
            assert time.monotonic() - begin < 0.8


async def test_the_next_seed_answers_when_the_first_is_away() -> None:
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 1, 0)})
    async with running(worker):
        seeds = settings(f"http://{HOST}:{free_port()}", f" {worker.url}/ ")
        async with TestClient(TestServer(make_app(seeds), host=HOST)) as client:
            assert (await get(client, RATIO))["total"]["attempts"] == 2


async def test_workers_known_from_before_answer_when_the_seed_goes() -> None:
    seed, other = Worker([0, 1]), Worker([2, 3], rows={"sshd": (1, 1, 0)})
    async with page(seed, other) as client:
        await get(client, RATIO)
        seed.bodies = {"owners": 503, "attempts": 503}
        other.owners = {other.url: [2, 3]}
        said = await get(client, RATIO)
    assert (said["total"]["attempts"], said["partitions"]["missing"]) == (2, [0, 1])


async def test_no_worker_at_all_is_one_sentence() -> None:
    nobody = f"http://{HOST}:{free_port()}"
    async with TestClient(TestServer(make_app(settings(nobody)), host=HOST)) as client, client.get(RATIO) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
        said = await response.json()
    assert said["error"].startswith(f"No count worker can be asked ({nobody}: unreachable: ")
    assert said["error"].endswith("). Is `ogrewatch worker count` running?")


async def test_a_worker_outside_its_group_says_so() -> None:
    worker = Worker([0], bodies={"owners": 503})
    async with page(worker) as client:
        said = await get(client, ATTACKERS, 503)
    assert "refused: status 503" in said["error"]


async def test_owners_that_all_fail_are_no_answer() -> None:
    async with page(Worker([0], bodies={"attempts": 500})) as client:
        said = await get(client, RATIO, 503)
    assert said["error"].startswith("None of the count workers answers (")


async def test_health_is_good_when_kafka_and_all_partitions_answer(kafka: str, unique: str) -> None:
    admin, topic = AdminClient({"bootstrap.servers": kafka}), f"{unique}.raw.syslog"
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    one, other = Worker([0, 1], newest=NOON + 5), Worker([2, 3], newest=NOON + 7.5)
    try:
        async with page(one, other, kafka=kafka, prefix=f"{unique}.") as client:
            said = await get(client, HEALTH)
    finally:
        admin.delete_topics([topic])[topic].result(30)
    assert said == {
        "status": "ok",
        "workers": {one.url: [0, 1], other.url: [2, 3]},
        "failures": {},
        "partitions": {"of": 4, "missing": []},
        "counted": 400,
        "late": 4,
        "newest": "2025-11-25T12:00:07.500Z",
        "kafka": {"servers": kafka, "reachable": True},
        "stalled": {},
    }


async def test_health_tells_what_is_amiss() -> None:
    async with page(Worker([0, 1]), bad := Worker([2, 3], bodies={"state": 500})) as client:
        said = await get(client, HEALTH, 503)
        assert said["status"] == "degraded"
        assert (said["kafka"]["reachable"], said["partitions"]["missing"]) == (False, [2, 3])
        assert said["failures"] == {bad.url: "refused: status 500"}
    nobody = settings(f"http://{HOST}:{free_port()}")
    async with TestClient(TestServer(make_app(nobody), host=HOST)) as client:
        said = await get(client, HEALTH, 503)
        assert (said["status"], said["workers"]) == ("degraded", {})


async def test_a_partition_under_recovery_is_missing_in_health() -> None:
    body = b'{"partitions": {"0": {"offset": 1, "total": 1, "late": 0, "recovered": false}}, "of": 1}'
    async with page(Worker([], 1, bodies={"state": body})) as client:
        said = await get(client, HEALTH, 503)
    assert (said["partitions"], said["newest"]) == ({"of": 1, "missing": [0]}, None)


async def test_answers_carry_headers_for_browsers() -> None:
    async with page(Worker([0, 1, 2, 3])) as client:
        script = next(f"/static/{path.name}" for path in STATIC.glob("main-*.js"))
        year = "public, max-age=31536000, immutable"
        for path, kept in (
            ("/", "no-cache"),
            (script, year),
            ("/static/icon.svg", "no-cache"),
            (RATIO, "no-store"),
            ("/x", "no-store"),
        ):
            async with client.get(path) as response:
                assert response.headers["Cache-Control"] == kept, path
                assert response.headers["Content-Security-Policy"].startswith("default-src 'self'")
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "aiohttp" not in response.headers["Server"]
        async with client.get("/") as response:
            tag = response.headers["ETag"]
        async with client.get("/", headers={"If-None-Match": tag}) as response:
            assert response.status == 304


async def test_what_is_not_there_is_told_in_json() -> None:
    async with page(Worker([0, 1, 2, 3])) as client:
        assert await get(client, "/api/v2", 404) == {"error": "GET /api/v2: Not Found"}
        async with client.post(RATIO) as response:
            assert response.status == 405
            assert response.headers["Allow"] == "GET,HEAD"
            assert await response.json() == {"error": f"POST {RATIO}: Method Not Allowed"}
        assert "error" in await get(client, "/static/../application.py", 404)


async def test_the_source_of_the_geography_is_told(tmp_path: Any) -> None:
    async with page(Worker([0])) as client:
        said = await get(client, "/api/v1/about")
    assert (said["geoip"]["attribution"], said["geoip"]["link"]) == ("IP Geolocation by DB-IP", "https://db-ip.com")
    async with page(Worker([0]), geoip=tmp_path / "absent.mmdb") as client:
        assert (await get(client, "/api/v1/about"))["geoip"] is None


async def test_metrics_count_requests_by_route_and_failures_of_workers() -> None:
    async with page(Worker([0]), Worker([1], bodies={"attackers": b"{"})) as client:
        await get(client, ATTACKERS)
        await get(client, "/nowhere/at/all", 404)
        async with client.get("/metrics") as response:
            assert response.content_type == "text/plain"
            text = await response.text()
    assert 'ogrewatch_web_requests_total{route="/api/v1/attackers",status="200"}' in text
    assert 'ogrewatch_web_requests_total{route="none",status="404"}' in text
    assert 'ogrewatch_web_worker_failures_total{why="malformed"}' in text
    assert "nowhere" not in text


EVIL = "<script>alert(1)</script>\r\nSet-Cookie: a=b"
PARAMETERS = ("window", "by", "limit", "q", "sort", "user", "after", "fields", "columns", "since", "view", EVIL)


@pytest.mark.parametrize("path", [
    RATIO, SERIES, PLACES, ATTACKERS, f"{ATTACKERS}/{quote(EVIL, safe='')}", "/api/v1/live",
    "/api/v1/events", "/api/v1/events/facets", "/api/v1/events/histogram", f"/api/v1/events/{quote(EVIL, safe='')}",
    "/api/v1/deadletters", "/api/v1/ledger", "/api/v1/coverage", f"/api/v1/{quote(EVIL, safe='')}",
])  # fmt: skip
async def test_nothing_that_is_asked_comes_back_as_markup(path: str) -> None:
    async with page(Worker([0, 1, 2, 3])) as client:
        for name in PARAMETERS:
            async with client.get(path, params={name: EVIL}) as response:
                assert 400 <= response.status < 600
                assert response.content_type == "application/json"
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert "Set-Cookie" not in response.headers
                assert isinstance((await response.json())["error"], str)


async def test_hostile_names_come_back_as_they_are_in_json() -> None:
    hostile = attacker(EVIL, 9, 1, country=EVIL[:2], users=[EVIL], hosts=[EVIL], services={EVIL: 9})
    worker = Worker([0, 1, 2, 3], rows={EVIL: (1, 9, 0)}, attackers=[hostile], countries={EVIL: (0, 1, 0, 1, 0)})
    async with page(worker) as client:
        assert (await get(client, RATIO))["rows"][0]["name"] == EVIL
        row = (await get(client, ATTACKERS))["attackers"][0]
        assert (row["address"], row["users"], row["hosts"], row["services"]) == (EVIL, [EVIL], [EVIL], {EVIL: 9})
        assert (await get(client, PLACES))["places"][0]["country"] == EVIL


async def test_a_line_is_explained_by_whoever_may_look() -> None:
    async with page(Worker([0])) as client:
        async with client.post(
            "/api/v1/explain", json={"line": f"<38>Oct  1 10:00:00 web1 sshd[7]: {EVIL}"}
        ) as response:
            assert (response.status, response.content_type) == (200, "application/json")
            said = await response.json()
        assert [step["step"] for step in said["steps"]] == ["header", "stream", "attempt", "enrich", "index", "rule"]
        assert EVIL.partition("\r")[0] in said["raw"]["text"]
        sent = [(body, "application/json", 400) for body in (b"{", b"[]", b'{"line": 5}')]
        sent += [(b"x" * size, "text/plain", 413) for size in (40_000, 99_000)] + [(b"\xff\0<b>", "text/plain", 200)]
        for body, kind, status in sent:
            async with client.post("/api/v1/explain", data=body, headers={"Content-Type": kind}) as response:
                assert (response.status, response.content_type) == (status, "application/json")


async def test_elasticsearch_that_cannot_be_trusted_holds_up_no_live_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_FINGERPRINT", "ab" * 32)
    away = f"https://{HOST}:{free_port()}"
    async with page(Worker([0, 1, 2, 3], rows={"sshd": (1, 2, 0)}), elasticsearch=away) as client:
        assert (await get(client, RATIO))["total"]["attempts"] == 3
        assert "OGREWATCH_ELASTICSEARCH_FINGERPRINT" in (await get(client, "/api/v1/events", 503))["error"]
