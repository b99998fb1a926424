"""Answers whether everything works, and what runs here."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from agents.settings import Settings
from web import answers, rendering
from web.access import VIEWER
from web.broker import Broker
from web.replies import reply
from web.roles import Roles
from web.workers import NoWorkers, Replies, Workers

HEALTH = "/api/v1/health"
"""Path of the health check. Everybody may ask, since probes have no token; without one only the status is shown."""


@dataclass(frozen=True, slots=True)
class HealthEndpoints:
    """The handlers."""

    settings: Settings
    workers: Workers
    broker: Broker
    about: dict[str, Any]
    roles: Roles

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [web.get(HEALTH, self.health), web.get("/api/v1/about", self.describe)]

    async def health(self, request: web.Request) -> web.Response:
        """Answer 200 when Kafka answers and every partition has a count worker that answers, else 503.

        A partition that a role does not get on with is named, and no reason for 503: there is nothing else to ask.
        """
        ok, shown = await self.state()
        status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
        return reply(shown if request[VIEWER] is not None else {"status": shown["status"]}, status)

    async def state(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and the answer that says so."""
        replies, reachable = await asyncio.gather(self._asked(), self.broker.reachable())
        kafka, stalled = {"servers": self.settings.kafka, "reachable": reachable}, self.roles.stalled()
        if isinstance(replies, NoWorkers):
            return False, {
                "status": "degraded",
                "error": str(replies),
                "workers": {},
                "kafka": kafka,
                "stalled": stalled,
            }
        states = [state for answer in replies.answers for state in answer.content.values()]
        ok = bool(kafka["reachable"]) and not replies.missing
        return ok, {
            "status": "degraded" if not ok else "stalled" if stalled else "ok",
            "workers": {answer.worker: sorted(answer.partitions) for answer in replies.answers},
            "failures": replies.failures,
            "partitions": rendering.partitions(replies),
            "counted": sum(state.total for state in states),
            "late": sum(state.late for state in states),
            "newest": rendering.newest(states),
            "kafka": kafka,
            "stalled": stalled,
        }

    async def _asked(self) -> Replies[answers.State] | NoWorkers:
        try:
            return await self.workers.ask("/v1/state", answers.state)
        except NoWorkers as why:
            return why

    async def describe(self, request: web.Request) -> web.Response:
        """Answer with the version, the source of countries and networks, and the name of the viewer if one is known."""
        viewer = request[VIEWER]
        you = {"name": viewer.name, "role": viewer.role} if viewer is not None and viewer.name else None
        return reply({**self.about, "you": you})
