"""Answers the web role over HTTP: what this worker's partitions hold, and which worker owns the others.

Faust distributes the URL of each worker to all members of the group with the assignment. `peers.py` says where the
server listens, and whom it answers. Errors are JSON objects with the field `error`: 400 for bad parameters, 503 while
partitions move.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from mode import Service

from agents.counting import attackers, queries
from agents.counting.buckets import MINUTE
from agents.counting.partition_store import PartitionStore
from agents.counting.peers import Endpoint, guard
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import ChangelogTable
from agents.transport import BatchApp
from enrichers.database import GeoDatabaseError
from enrichers.enricher import Enricher

_LIMIT = 10_000  # rows of an answer, unless the request says another number

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server(Service):
    """Answers requests from the time the table starts until it stops."""

    def __init__(
        self, app: BatchApp, table: ChangelogTable[PartitionStore], settings: Settings, endpoint: Endpoint
    ) -> None:
        super().__init__()
        self._app, self._table = app, table
        self._endpoint, self._guard = endpoint, guard(settings)
        self._systems = _systems(settings)
        self._runner: web.AppRunner | None = None

    async def on_start(self) -> None:
        """Start to serve."""
        application = web.Application(middlewares=[self._guard, _explain])
        application.router.add_get("/v1/owners", self._owners)
        application.router.add_get("/v1/attempts", self._attempts)
        application.router.add_get("/v1/series", self._series)
        application.router.add_get("/v1/countries", self._countries)
        application.router.add_get("/v1/attackers", self._attackers)
        application.router.add_get("/v1/attackers/{address}", self._attacker)
        application.router.add_get("/v1/state", self._state)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._endpoint.socket, shutdown_timeout=1.0).start()

    async def on_stop(self) -> None:
        """Finish the requests under way and stop."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _owners(self, _: web.Request) -> web.Response:
        topic = self._table.changelog_topic.get_topic_name()
        assigned = {
            str(url): sorted(tps[topic]) for url, tps in self._app.router.tables_metadata().items() if topic in tps
        }
        if not assigned:
            return _json({"error": "not in a group yet"}, 503)
        return _json({"of": self._of(), "workers": assigned})

    async def _attempts(self, request: web.Request) -> web.Response:
        by = request.query.get("by", "service")
        if by not in queries.DIMENSIONS:
            raise ValueError(f"by: one of {', '.join(queries.DIMENSIONS)}")
        parts = self._table.store.recovered()
        rows, truncated = await queries.attempts(parts, _span(request), by, _limit(request))
        return self._answer(parts, {"rows": rows, "truncated": truncated})

    async def _attackers(self, request: web.Request) -> web.Response:
        parts = self._table.store.recovered()
        found = await attackers.attackers(parts, _span(request), _wanted(request), self._systems)
        return self._answer(parts, found)

    async def _series(self, request: web.Request) -> web.Response:
        parts = self._table.store.recovered()
        rows, truncated = await queries.series(parts, _span(request), _limit(request))
        return self._answer(parts, {"rows": rows, "truncated": truncated})

    async def _countries(self, request: web.Request) -> web.Response:
        parts = self._table.store.recovered()
        return self._answer(parts, {"rows": await attackers.countries(parts, _span(request))})

    async def _attacker(self, request: web.Request) -> web.Response:
        parts = self._table.store.recovered()
        found = await attackers.attacker(parts, _span(request), request.match_info["address"])
        return self._answer(parts, {"attacker": found})

    async def _state(self, _: web.Request) -> web.Response:
        return _json({"partitions": queries.state(self._table.store.parts.values()), "of": self._of()})

    def _answer(self, parts: list[ChangelogPartition[PartitionStore]], found: dict[str, Any]) -> web.Response:
        """Return an answer, or an error if a partition moved away while it was made."""
        if any(self._table.store.parts.get(part.partition) is not part for part in parts):
            return _json({"error": "partitions are moving"}, 503)
        return _json({"partitions": [part.partition for part in parts], "of": self._of(), **found})

    def _of(self) -> int:
        return self._table.partitions_there


@web.middleware
async def _explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer requests with bad parameters by status 400 and a sentence."""
    try:
        return await handler(request)
    except ValueError as error:
        return _json({"error": str(error)}, 400)


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def _span(request: web.Request) -> queries.Span:
    until = _number(request, "until", (int(time.time()) // MINUTE + 1) * MINUTE)
    return queries.Span(_number(request, "since", 0), until)


def _limit(request: web.Request) -> int:
    return _number(request, "limit", _LIMIT)


def _wanted(request: web.Request) -> attackers.Wanted:
    query, sort = request.query, request.query.get("sort", attackers.SORTS[0])
    if sort not in attackers.SORTS:
        raise ValueError(f"sort: one of {', '.join(attackers.SORTS)}")
    texts = {name: query.get(name, "") for name in ("service", "country", "user", "host")}
    prefix, system = query.get("q", ""), _number(request, "as", 0)
    return attackers.Wanted(_limit(request), sort, query.get("order") == "asc", **texts, prefix=prefix, system=system)


def _systems(settings: Settings) -> attackers.SystemOf:
    """The function that finds an address's autonomous system; without a database all are unknown."""
    try:
        enricher = Enricher(settings.geoip, settings.asn) if settings.asn else None
    except GeoDatabaseError:
        enricher = None
    if enricher is None:
        return lambda address: 0
    return lambda address: int(enricher.lookup(address).get("source_as_number", 0))


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{name}: a whole number, not {text!r}")
    return int(text)
