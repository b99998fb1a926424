"""A web role whose API answers what a test writes down, in the form of `docs/queries.md`, with the page's own files.

Authentication, headers, compression and files are those of the real role; only `/api/v1/` is answered here, so that a
test of the page can show every state of every view at once, with any content.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from workers_kit import Client, settings

from stack.ports import HOST
from web.application import make_app

MINUTE = 60
HOSTILE = "<img src=x onerror=document.title='bad'>\u202e\x1b[31m" + "W" * 300
"""What somebody may put into any field of a log: markup, a change of direction, a terminal's escape, and length."""
HARD = "\u202e\x1b[31m</script><script>document.title='bad'</script>"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = dict[str, Any]


def iso(at: float) -> str:
    """Epoch seconds as the API writes them."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def attacker(address: str, failures: int = 1, successes: int = 0, **changes: Any) -> Body:
    """A row of /attackers."""
    now = time.time()
    row = {
        "address": address, "country": "NL", "failures": failures, "successes": successes,
        "users": ["root", "admin"], "user_count": 2, "users_more": False,
        "hosts": ["web1"], "host_count": 1, "hosts_more": False,
        "first_seen": iso(now - 900), "last_seen": iso(now - 60), "broke_in": successes > 0 and failures >= 5,
        "as": {"number": 64500, "name": "Example Hosting"}, "services": {"sshd": failures},
        "last_success": iso(now - 60) if successes else None, "rate": [0] * 55 + [failures // 5] * 5,
    }  # fmt: skip
    return row | changes


def crowd(count: int, seed: int = 1) -> list[Body]:
    """That many addresses of documentation networks, each with its own number of failures, country and time."""
    chance, now = random.Random(seed), time.time()
    return [
        attacker(
            f"2001:db8:{n // 256:x}::{n % 256:x}", int(2400 / (1 + chance.random() * n)) + 1,
            country=chance.choice(["CN", "US", "RU", "BR", "DE", "IN", "VN", "NL", ""]),
            last_seen=iso(now - chance.random() * 3500),
        )
        for n in range(count)
    ]  # fmt: skip


@dataclass
class Scene:
    """What the API answers. `answers` are by path below /api/v1/: JSON, a status, or a function of the request.

    `events` are those of the stream, `about` is what is known of each address besides its numbers.
    """

    attackers: list[Body] = field(default_factory=list)
    services: dict[str, tuple[int, int]] = field(default_factory=lambda: {"sshd": (12, 340), "ldap": (440, 60)})
    missing: list[int] = field(default_factory=list)
    newest: float | None = field(default_factory=time.time)
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    delay: dict[str, float] = field(default_factory=dict)
    events: list[tuple[str, Any]] = field(default_factory=list)
    about: Body = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a path of the API."""
        path = request.path.removeprefix("/api/v1/")
        self.asked.append(request.path_qs)
        await asyncio.sleep(self.delay.get(path, 0))
        found = self.answers.get(path, getattr(self, "_" + path.replace("/", "_"), None))
        if path.startswith("attackers/"):
            found = self.answers.get("attacker", self._attacker)
        if callable(found):
            found = found(request)
        if isinstance(found, Awaitable):
            found = await found
        if isinstance(found, web.StreamResponse):
            return found
        if found is None:
            return reply({"error": f"{request.method} {request.path}: Not Found"}, 404)
        return reply({"error": f"refused with {found}"}, found) if isinstance(found, int) else reply(found)

    def _envelope(self) -> Body:
        now = time.time()
        window = {"seconds": 3600, "since": iso(now - 3600), "until": iso(now)}
        return {"window": window, "partitions": {"of": 4, "missing": self.missing}, "source": "live"}

    def _auth_ratio(self, request: web.Request) -> Body:
        by = request.query.get("by", "service")
        rows = [counts(name, *pair) for name, pair in self.names(by).items()]
        total = counts("", sum(row["success"] for row in rows), sum(row["failure"] for row in rows))
        del total["name"]
        return self._envelope() | {"by": by, "rows": rows, "total": total, "truncated": False}

    def names(self, by: str) -> dict[str, tuple[int, int]]:
        """Successes and failures by the names of one kind."""
        if by == "service":
            return self.services
        found: dict[str, tuple[int, int]] = {}
        for row in self.attackers[:200]:
            key = str({"user": row["users"][0], "host": row["hosts"][0], "country": row["country"]}[by])
            good, bad = found.get(key, (0, 0))
            found[key] = (good + row["successes"], bad + row["failures"])
        return dict(sorted(found.items(), key=lambda item: -sum(item[1]))[:8])

    def _auth_series(self, _: web.Request) -> Body:
        chance, now = random.Random(7), int(time.time()) // MINUTE * MINUTE
        times = [now - MINUTE * back for back in range(60, -1, -1)]
        rows = {
            name: {
                "success": [int(good / 30 * chance.random()) for _ in times],
                "failure": [int(bad / 30 * chance.random()) for _ in times],
            }
            for name, (good, bad) in self.services.items()
        }
        return self._envelope() | {"step": MINUTE, "times": [iso(at) for at in times], "rows": rows}

    def _attackers(self, request: web.Request) -> Body:
        asked = request.query
        rows = [row for row in self.attackers if row["address"].startswith(asked.get("q", ""))]
        for name in ("country",):
            rows = [row for row in rows if row[name] == asked.get(name, row[name])]
        sort = {"last_seen": "last_seen", "users": "user_count", "hosts": "host_count"}.get(
            asked.get("sort", ""), "failures"
        )
        rows.sort(key=lambda row: row[sort], reverse=asked.get("order") != "asc")
        rows.sort(key=lambda row: not row["broke_in"])
        offset, limit = int(asked.get("offset", 0)), int(asked.get("limit", 50))
        totals = {"total": len(rows), "broke_in_total": sum(row["broke_in"] for row in rows)}
        return self._envelope() | {"attackers": rows[offset : offset + limit], **totals}

    def _attacker(self, request: web.Request) -> Any:
        address = request.path.rpartition("/")[2]
        row = next((row for row in self.attackers if row["address"] == address), None)
        if row is None:
            return reply({"error": f"nothing is known of {address} in this window"}, 404)
        now = int(time.time()) // MINUTE * MINUTE
        tries = [
            {"minute": iso(now - MINUTE * back), "successes": 0, "failures": row["failures"] // 5}
            for back in range(6, 1, -1)
        ]
        last = {"minute": iso(now - MINUTE), "successes": row["successes"], "failures": 0}
        return (
            self._envelope()
            | self.about
            | {"attacker": row | {"minutes": [*tries, last] if row["successes"] else tries}}
        )

    def _health(self, _: web.Request) -> Any:
        body = {
            "status": "degraded" if self.missing else "ok",
            "workers": {"http://127.0.0.1:6066": [0, 1, 2, 3]},
            "failures": {},
            "partitions": {"of": 4, "missing": self.missing},
            "counted": 0 if self.newest is None else 1353,
            "late": 0,
            "newest": None if self.newest is None else iso(self.newest),
            "kafka": {"servers": "127.0.0.1:9092", "reachable": True},
            "stalled": {},
        }
        return reply(body, 503 if self.missing else 200)

    def _about(self, request: web.Request) -> Body:
        geoip = {"attribution": "DB-IP", "link": "https://db-ip.com", "built": "2026-10-01"}
        return {"version": "0.0.0", "geoip": geoip, "you": None}

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if not self.events:
            return reply({"error": "GET /api/v1/live: Not Found"}, 404)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent = 0
        while True:
            for name, data in self.events[sent:]:
                if name == "end":
                    return response
                await response.write(b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data)))
            sent = len(self.events)
            await asyncio.sleep(0.05)


def counts(name: str, success: int, failure: int) -> Body:
    """A row of /auth/ratio."""
    attempts = success + failure
    row = {"name": name, "attempts": attempts, "success": success, "failure": failure, "unknown": 0}
    return row | {"ratio": success / attempts if attempts else None}


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def make_standin(scene: Scene, **changes: Any) -> web.Application:
    """The web role, with the API of the scene."""

    @web.middleware
    async def instead(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        return await (scene.answer(request) if request.path.startswith("/api/v1/") else handler(request))

    app = make_app(settings("http://127.0.0.1:1", **changes))
    app.middlewares.append(instead)
    return app


@asynccontextmanager
async def standin(scene: Scene, **changes: Any) -> AsyncIterator[Client]:
    """Run it."""
    async with TestClient(TestServer(make_standin(scene, **changes), host=HOST)) as client:
        yield client
