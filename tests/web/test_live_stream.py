"""The event stream: what a page is sent at first and afterwards, and who is dropped or sent away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import ClientError
from workers_kit import Client, Worker, attacker, page, settings

from ingest.tokens import LOOK, TokenFile
from topics.avro.codec import encode
from web.endpoints import live
from web.live import alerts
from web.live.tail import RATE, Search
from web.live.viewers import LARGEST, QUEUED, Ended, Viewer, message
from web.search.language import parse

LIVE = "/api/v1/live"
NOW = int(time.time()) // 60 * 60
EVIL = "</script><img src=x onerror=alert(1)>\r\n\u2028data: forged\n\nevent: alert"


class Stream:
    """Reads events of a response."""

    def __init__(self, content: Any) -> None:
        self._content = content

    async def next(self, *names: str) -> Any:
        """The data of the next event with one of these names; fails when none comes for 20 s."""
        async with asyncio.timeout(20):
            while True:
                block = (await self._content.readuntil(b"\n\n")).decode()
                lines = dict(line.split(": ", 1) for line in block.strip("\n").split("\n") if ": " in line)
                if lines.get("event") in names:
                    assert set(lines) == {"event", "data", "id"}
                    return orjson.loads(lines["data"])


@asynccontextmanager
async def streaming(client: Client, query: str = "", **headers: str) -> AsyncIterator[Stream]:
    async with client.get(f"{LIVE}{query}", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        yield Stream(response.content)


async def test_a_page_gets_all_at_first_and_then_what_changes() -> None:
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 9, 0)}, series={"sshd": [[NOW, 1, 9, 0]]})
    worker.attackers = [attacker("203.0.113.1", 9), attacker("203.0.113.2", 8)]
    async with page(worker) as client, streaming(client, "?view=live&window=1h&limit=2") as stream:
        hello = await stream.next("hello")
        assert (hello["partitions"], hello["keep"], hello["zone"]) == (4, 86_400, "UTC")
        first = await stream.next("attackers")
        assert [row["address"] for row in first["all"]] == ["203.0.113.1", "203.0.113.2"]
        assert (first["total"], first["broke_in_total"], first["source"]) == (2, 0, "live")
        worker.attackers = [attacker("203.0.113.9", 6, 1), attacker("203.0.113.1", 9)]
        then = await stream.next("attackers")
        assert [row["address"] for row in then["put"]] == ["203.0.113.9"]
        assert (then["gone"], then["broke_in_total"]) == (["203.0.113.2"], 1)


async def test_each_view_gets_its_events() -> None:
    worker = Worker([0, 1, 2, 3], rows={"sshd": (1, 9, 0)}, series={"sshd": [[NOW, 1, 9, 0]]})
    async with page(worker) as client:
        async with streaming(client, "?view=live&service=sshd") as stream:
            found = [await stream.next("ratio", "series") for _ in range(2)]
        async with streaming(client, "?view=health") as stream:
            health = await stream.next("health")
    assert [one["by"] for one in found] == ["service", "service"]
    assert [row["name"] for one in found if "total" in one for row in one["rows"]] == ["sshd"]
    assert (health["counted"], health["kafka"]["reachable"], health["roles"]) == (400, False, {})


async def test_equal_questions_of_many_viewers_are_asked_once() -> None:
    worker = Worker([0, 1, 2, 3], attackers=[attacker("203.0.113.1", 9)])
    async with page(worker) as client:
        async with streaming(client, "?view=ogres") as one, streaming(client, "?view=ogres") as other:
            await asyncio.gather(one.next("attackers"), other.next("attackers"))
            before, begin = len([path for path in worker.asked if "attackers" in path]), time.monotonic()
            await asyncio.sleep(2.5)
            asked = len([path for path in worker.asked if "attackers" in path]) - before
        assert asked <= (time.monotonic() - begin) / 0.9 + 1
        await asyncio.sleep(0.1)
        still = len(worker.asked)
        await asyncio.sleep(2.2)
        assert len(worker.asked) == still  # nobody looks


async def test_a_worker_that_goes_is_trouble_and_not_the_end() -> None:
    worker = Worker([0, 1, 2, 3], attackers=[attacker("203.0.113.1", 9)])
    async with page(worker) as client, streaming(client, "?view=ogres") as stream:
        await stream.next("attackers")
        worker.bodies = {"attackers": 503}
        assert "count worker" in (await stream.next("trouble"))["error"]
        worker.bodies, worker.attackers = {}, [attacker("203.0.113.2", 9)]
        assert (await stream.next("attackers"))["gone"] == ["203.0.113.1"]


@pytest.mark.parametrize(
    ("query", "text", "column"),
    [
        ("?view=live&q=usr:root", "q, column 1: there is no field 'usr'", 1),
        ("?view=nothing", "view: 'nothing' is none of live, ogres", None),
        ("?windw=1h", "'windw': no such parameter here", None),
        ("?window=x", "window: 'x' is no length of time", None),
    ],
)
async def test_a_mistake_is_answered_before_the_stream_begins(query: str, text: str, column: int | None) -> None:
    async with page(Worker([0])) as client, client.get(f"{LIVE}{query}") as response:
        assert response.status == 400
        said = await response.json()
    assert said["error"].startswith(text)
    assert said.get("column") == column


async def test_too_many_viewers_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST", 1)
    async with page(Worker([0, 1, 2, 3])) as client:
        async with streaming(client), client.get(LIVE) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
        for _ in range(100):
            async with client.get(LIVE) as response:
                if response.status == 200:
                    break
            await asyncio.sleep(0.05)
        assert response.status == 200


async def test_a_token_that_is_revoked_ends_the_stream(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_COMMENT", 0.2)
    tokens = TokenFile(tmp_path / "tokens.json")
    _, shown = tokens.create("alice", (), LOOK)
    async with page(Worker([0, 1, 2, 3]), data_dir=tmp_path) as client:
        async with client.get(LIVE) as response:
            assert response.status == 401
        async with client.get(LIVE, headers={"Authorization": f"Bearer {shown}"}) as response:
            assert response.status == 200
            tokens.revoke("alice")
            with pytest.raises((ClientError, ConnectionError)):
                await asyncio.wait_for(response.content.readuntil(b"never"), 20)


async def test_a_viewer_that_does_not_read_is_dropped_and_memory_is_bounded() -> None:
    for content, number in ((b"x" * 1000, QUEUED + 1), (b"x" * 100_000, LARGEST // 100_000 + 1)):
        viewer = Viewer()
        for _ in range(number + 50):
            viewer.put(content)
        with pytest.raises(Ended):
            await viewer.take(1)


async def test_messages_wait_in_order_with_the_last_id() -> None:
    viewer = Viewer()
    viewer.put(message("one", {"a": EVIL}))
    viewer.put(message("alert", {}), b"0-7")
    viewer.put(message("two", 2))
    text = (await viewer.take(1)).decode()
    blocks = text.strip("\n").split("\n\n")
    assert [block.split("\n")[-1] for block in blocks] == ["id: 0", "id: 0-7", "id: 0-7"]
    assert orjson.loads(blocks[0].split("\n")[1].removeprefix("data: ")) == {"a": EVIL}
    assert await viewer.take(0.01) == b""


def test_ids_say_how_far_a_viewer_has_read() -> None:
    assert alerts.positions("0-15,12-3") == {0: 15, 12: 3}
    for text in ("", "0", "x", "0-15,", "0-15;1-2", "-1-2", "0-" + "9" * 30):
        assert alerts.positions(text) is None


def event(number: int, user: str = "root", text: str = "Failed password") -> bytes:
    return encode("authentication", {
        "timestamp": NOW * 1_000_000, "ogrewatch_raw_topic": "raw.syslog", "ogrewatch_raw_partition": 1,
        "ogrewatch_raw_offset": number, "user_name": user, "message": text, "event_dataset": "sshd",
    })  # fmt: skip


def look(search: Search, values: list[bytes], left: int = 1000) -> tuple[Any, int]:
    from topics.avro.codec import decode

    content, used = search.look(values, lambda place: decode(values[place])[1], left)
    return (orjson.loads(content.split(b"\n")[1].removeprefix(b"data: ")) if content else None), used


def test_the_tail_shows_the_newest_and_says_how_many_there_were() -> None:
    search, values = Search([]), [event(number, text=EVIL) for number in range(3_000)]
    shown = 0
    for tick in range(8):
        found, used = look(search, values)
        shown += len(found["rows"])
        assert used == len(found["rows"]) <= RATE / 2
        assert found["rows"] == [] or found["rows"][0]["id"] == "raw.syslog-1-2999"
        assert found["seen"] == min(tick + 1, 4) * 3_000
        assert found["shown"] <= RATE
    assert shown >= RATE
    assert look(search, [])[0]["rows"] == []


def test_the_tail_decodes_only_what_may_fit_and_no_more_than_it_may() -> None:
    values = [event(number, "alice" if number == 5 else "root") for number in range(2_000)]
    found, used = look(Search(parse("user:alice")), values)
    assert ([row["user"] for row in found["rows"]], used, found["skipped"]) == (["alice"], 1, 0)
    found, used = look(Search(parse("-user:root")), values, 300)
    assert (found["rows"], used, found["skipped"]) == ([], 300, 1_700)


def test_nothing_is_said_of_a_quiet_tail() -> None:
    assert look(Search([]), []) == (None, 0)


class Record:
    """A record of the topic of alerts."""

    def __init__(self, partition: int, offset: int, value: bytes = b'{"a": 1}') -> None:
        self._at, self._value = (partition, offset), value

    def partition(self) -> int:
        return self._at[0]

    def offset(self) -> int:
        return self._at[1]

    def key(self) -> bytes:
        return b"%d-%d" % self._at

    def value(self) -> bytes:
        return self._value


async def test_alerts_are_sent_when_they_come_and_to_those_who_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ends:
        def __init__(self, *_: Any) -> None:
            self.ends = {0: 5, 1: 0}

        def stop(self) -> None:
            """Nothing is to be done."""

    monkeypatch.setattr(alerts, "TopicEnds", Ends)
    stream, new, back = alerts.AlertStream(settings()), Viewer(), Viewer()
    stream.join(new, "")
    stream._publish([Record(0, 3), Record(0, 4), Record(0, 4), Record(0, 4, b"torn"), Record(0, 3, b"")])
    assert (new.id, await new.take(0.01)) == (b"0-5,1-0", b"")
    stream.join(back, "0-4,1-0")
    stream._publish([Record(1, 0), Record(0, 5, b"[]")])
    assert [line for line in (await new.take(1)).decode().split("\n") if line[:2] == "id"] == ["id: 0-5,1-1"]
    ids = [line for line in (await back.take(1)).decode().split("\n") if line[:2] == "id"]
    assert ids == ["id: 0-5,1-0", "id: 0-5,1-1"]
    stream.close()
