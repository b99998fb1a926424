"""Servers that speak the count workers' protocol, each with the answers a test writes down for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from agents.settings import Settings
from stack.ports import HOST, free_port
from web.application import make_app

NOON = 1_764_072_000
"""A whole minute, epoch seconds."""

Client = TestClient[web.Request, web.Application]


def attacker(address: str, failures: int = 1, successes: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of /v1/attackers."""
    row = {
        "address": address,
        "country": "NL",
        "failures": failures,
        "successes": successes,
        "users": ["root", "admin"],
        "user_count": 2,
        "users_more": False,
        "hosts": ["web1"],
        "host_count": 1,
        "hosts_more": False,
        "first_seen": NOON + 1.25,
        "last_seen": NOON + 100.5,
    }
    return row | changes


def state(offset: int, recovered: bool = True, newest: float | None = None) -> dict[str, Any]:
    """A partition of /v1/state."""
    return {"offset": offset, "total": offset, "late": 1, "recovered": recovered, "newest": newest}


@dataclass
class Worker:
    """What one worker says. `bodies` are by path; bytes go out as they are, a number is a status without a body."""

    partitions: list[int]
    of: int = 4
    rows: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    attackers: list[dict[str, Any]] = field(default_factory=list)
    minutes: dict[str, list[list[int]]] = field(default_factory=dict)
    series: dict[str, list[list[int]]] = field(default_factory=dict)
    countries: dict[str, tuple[int, int, int, int, int]] = field(default_factory=dict)
    offset: int = 100
    newest: float | None = None
    truncated: bool = False
    delay: float = 0.0
    bodies: dict[str, bytes | int] = field(default_factory=dict)
    owners: dict[str, list[int]] | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.add_routes([web.get("/v1/{path:.*}", self._answer)])
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v1/")
        self.asked.append(request.path_qs)
        if path != "owners":
            await asyncio.sleep(self.delay)
        body = self.bodies.get(path)
        if isinstance(body, int):
            return web.Response(status=body)
        return web.Response(body=body if body is not None else orjson.dumps(self._body(path)))

    def _body(self, path: str) -> dict[str, Any]:
        if path == "owners":
            return {"of": self.of, "workers": self.owners if self.owners is not None else {self.url: self.partitions}}
        if path == "state":
            return {
                "partitions": {str(p): state(self.offset, newest=self.newest) for p in self.partitions},
                "of": self.of,
            }
        return {"partitions": self.partitions, "of": self.of, **self._rows(path)}

    def _rows(self, path: str) -> dict[str, Any]:
        if path == "attempts":
            names = ("success", "failure", "unknown")
            return {
                "rows": {k: dict(zip(names, v, strict=True)) for k, v in self.rows.items()},
                "truncated": self.truncated,
            }
        if path == "series":
            return {"rows": self.series, "truncated": False}
        if path == "countries":
            numbers = ("success", "failure", "unknown", "addresses", "broke_in")
            return {"rows": {code: dict(zip(numbers, row, strict=True)) for code, row in self.countries.items()}}
        if path == "attackers":
            return {"attackers": self.attackers}
        address = path.removeprefix("attackers/")
        row = next((row for row in self.attackers if row["address"] == address), None)
        return {"attacker": row and row | {"minutes": self.minutes.get(address, [])}}


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    """Run servers; those without `owners` of their own name all of them."""
    async with AsyncExitStack() as stack:
        for worker in workers:
            server = await stack.enter_async_context(TestServer(worker.app(), host=HOST))
            worker.url = str(server.make_url("")).rstrip("/")
        everybody = {worker.url: worker.partitions for worker in workers}
        for worker in workers:
            worker.owners = everybody if worker.owners is None else worker.owners
        yield


def settings(*seeds: str, **changes: Any) -> Settings:
    """Settings of a web role whose Kafka and Elasticsearch are away."""
    away = f"{HOST}:{free_port()}"
    values = {"kafka": away, "elasticsearch": f"http://{away}", "query_url": ",".join(seeds)}
    return Settings(**{**values, **changes})


@asynccontextmanager
async def page(*workers: Worker, **changes: Any) -> AsyncIterator[Client]:
    """Run the web role over these workers, the first of them its seed."""
    async with (
        running(*workers),
        TestClient(TestServer(make_app(settings(workers[0].url, **changes)), host=HOST)) as client,
    ):
        yield client
