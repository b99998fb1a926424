"""Answers how the installation works: the ledger, the roles, and which lines no stream understood."""

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aiohttp import web

from web import parameters
from web.endpoints.search import wanted_events
from web.looks import LookFailed, Looks
from web.replies import Refused, reply
from web.roles import Roles
from web.store.events import StoredEvents
from web.windows import iso

_KEPT = 5.0  # seconds for which one look at the ledger serves all
_DEADLINE = 10.0  # seconds of one look
_SAMPLE, _SHAPES = 1_000, 20  # newest lines that shapes are made of, and shapes shown

Json = dict[str, Any]


@dataclass(slots=True)
class OperationsEndpoints:
    """The handlers. Without `looks` there is no ledger."""

    events: StoredEvents
    roles: Roles
    looks: Looks | None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ledgers: dict[int, tuple[float, Json]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [
            web.get("/api/v1/ledger", self.ledger),
            web.get("/api/v1/roles", self.show_roles),
            web.get("/api/v1/coverage", self.coverage),
        ]

    async def ledger(self, request: web.Request) -> web.Response:
        """Answer with the sums of the ledger, as of the last five seconds."""
        parameters.require_known(request, "since")
        seconds = parameters.seconds(request, "since", "24h")
        async with self._lock:
            at, found = self._ledgers.get(seconds, (float("-inf"), {}))
            if time.monotonic() - at > _KEPT:
                found = await self._look(seconds)
                self._ledgers = {seconds: (time.monotonic(), found)}
        return reply(found)

    async def show_roles(self, request: web.Request) -> web.Response:
        """Answer with lag and rate of each role, by partition."""
        parameters.require_known(request)
        found = await self.roles.state()
        return reply(found, HTTPStatus.SERVICE_UNAVAILABLE if "error" in found else HTTPStatus.OK)

    async def coverage(self, request: web.Request) -> web.Response:
        """Answer with the share of lines that no stream understood, by program, and their commonest shapes."""
        parameters.require_known(request, "window", "from", "to")
        found = await self.events.unparsed(wanted_events(request), _SAMPLE)
        messages = [(str(one.get("process", {}).get("name", "")), str(one["message"])) for one in found.pop("messages")]
        shapes = self._needed().shapes(messages, _SHAPES)
        share = round(found["unparsed"] / found["lines"], 6) if found["lines"] else None
        return reply({**found, "share": share, "sampled": len(messages), "shapes": shapes})

    async def _look(self, seconds: int) -> Json:
        looks, since = self._needed(), int((time.time() - seconds) * 1000)
        try:
            async with asyncio.timeout(_DEADLINE):
                found = await asyncio.to_thread(looks.ledger, since)
        except LookFailed as why:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(why), wait=5) from None
        except TimeoutError:
            text = f"the ledger is not ready after {_DEADLINE:.0f} seconds"
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, text, wait=5) from None
        return {"looked": iso(time.time()), **found}

    def _needed(self) -> Looks:
        if self.looks is None:
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, "this process was started without a ledger")
        return self.looks
