"""Answers requests for live counts in JSON; `docs/queries.md` describes paths, parameters and answers."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web

from agents.settings import Settings
from ingest.tokens import hidden
from web import answers, merge, parameters, rendering
from web.access import VIEWER
from web.broker import Broker
from web.workers import NoWorkers, Workers

HEALTH = "/api/v1/health"
"""Path of the health check. Everybody may ask, since probes have no token; without one only the status is shown."""


@dataclass(frozen=True, slots=True)
class Api:
    """The handlers of all paths. The application answers BadParameter with 400 and NoWorkers with 503."""

    settings: Settings
    workers: Workers
    broker: Broker
    about: dict[str, Any]

    def routes(self) -> list[web.RouteDef]:
        """Return the paths of the API with their handlers."""
        return [
            web.get("/api/v1/auth/ratio", self.ratio),
            web.get("/api/v1/attackers", self.attackers),
            web.get("/api/v1/attackers/{address}", self.attacker),
            web.get(HEALTH, self.health),
            web.get("/api/v1/about", self.describe),
        ]

    async def ratio(self, request: web.Request) -> web.Response:
        """Answer with successful and failed logins by service, address or user."""
        parameters.require_known(request, "window", "by", "limit")
        window, by = parameters.window(request, "5m", self.settings.keep), parameters.by(request)
        limit = parameters.limit(request, 100)
        asked = {"since": window.since, "until": window.until, "by": by}
        replies = await self.workers.ask("/v1/attempts", answers.attempts, asked)
        rows = merge.add_attempts(replies.contents)
        return reply(
            {
                "window": window.shown(),
                "by": by,
                "rows": [{"name": name, **rendering.counts(row)} for name, row in rows[:limit]],
                "total": rendering.counts(sum((row for _, row in rows), merge.Counts())),
                "truncated": len(rows) > limit or any(part.truncated for part in replies.contents),
                "partitions": rendering.partitions(replies),
            }
        )

    async def attackers(self, request: web.Request) -> web.Response:
        """Answer with the addresses that failed: first those that got in by guessing, then those that failed most."""
        parameters.require_known(request, "window", "limit")
        window, limit = parameters.window(request, "1h", self.settings.keep), parameters.limit(request, 50)
        # Whatever the limit here, since several workers may count one address, which is then to be added up.
        asked = {"since": window.since, "until": window.until, "limit": parameters.MOST}
        replies = await self.workers.ask("/v1/attackers", answers.attackers, asked)
        found = merge.rank_attackers(replies.contents, limit)
        return reply(
            {
                "window": window.shown(),
                "attackers": [rendering.attacker(row) for row in found.rows],
                "total": found.total,
                "broke_in_total": found.broke_in_total,
                "partitions": rendering.partitions(replies),
            }
        )

    async def attacker(self, request: web.Request) -> web.Response:
        """Answer with all about one address. 404 only when every partition answers and none has counted it."""
        parameters.require_known(request, "window")
        window, address = parameters.window(request, "24h", self.settings.keep), parameters.address(request)
        asked = {"since": window.since, "until": window.until}
        replies = await self.workers.ask(f"/v1/attackers/{quote(address, safe='')}", answers.attacker, asked)
        if rows := [row for row in replies.contents if row is not None]:
            shown = {"window": window.shown(), "attacker": rendering.attacker_detail(merge.add_attacker(rows))}
            return reply(shown | {"partitions": rendering.partitions(replies)})
        if replies.missing:
            raise NoWorkers(f"{address} is not in the partitions that answer; missing: {_listed(replies.missing)}.")
        return error(HTTPStatus.NOT_FOUND, f"nothing is known of {address} in this window")

    async def health(self, request: web.Request) -> web.Response:
        """Answer 200 when Kafka answers and every partition has a count worker that answers, else 503."""
        asking = asyncio.create_task(self.workers.ask("/v1/state", answers.state))
        kafka = {"servers": self.settings.kafka, "reachable": await self.broker.reachable()}
        try:
            replies = await asking
        except NoWorkers as why:
            return _health(request, False, {"error": str(why), "workers": {}, "kafka": kafka})
        states = [state for answer in replies.answers for state in answer.content.values()]
        shown = {
            "workers": {answer.worker: sorted(answer.partitions) for answer in replies.answers},
            "failures": replies.failures,
            "partitions": rendering.partitions(replies),
            "counted": sum(state.total for state in states),
            "late": sum(state.late for state in states),
            "newest": rendering.newest(states),
            "kafka": kafka,
        }
        return _health(request, bool(kafka["reachable"]) and not replies.missing, shown)

    async def describe(self, request: web.Request) -> web.Response:
        """Answer with the version, the source of countries and networks, and the name of the viewer if one is known."""
        viewer = request[VIEWER]
        you = {"name": viewer.name, "role": viewer.role} if viewer is not None and viewer.name else None
        return reply({**self.about, "you": you})


def reply(content: Any, status: int = HTTPStatus.OK) -> web.Response:
    """Make a JSON response."""
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


def error(status: int, text: str) -> web.Response:
    """Make a response that explains in `error` why a request failed; tokens in the text are hidden."""
    return reply({"error": hidden(text)}, status)


def _health(request: web.Request, ok: bool, shown: dict[str, Any]) -> web.Response:
    status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
    told = shown if request[VIEWER] is not None else {}
    return reply({"status": "ok" if ok else "degraded", **told}, status)


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))
