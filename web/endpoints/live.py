"""Streams what changes to a page, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any

from aiohttp import web

from agents.settings import Settings
from web import parameters
from web.access import Access, Denied
from web.endpoints.counts import wanted_attackers
from web.endpoints.health import HealthEndpoints
from web.endpoints.search import note, terms_of
from web.live import questions
from web.live.alerts import AlertStream
from web.live.hub import Hub, Question
from web.live.tail import Tail
from web.live.viewers import Ended, Viewer, message
from web.queries import Queries, WantedAttackers
from web.replies import Refused
from web.roles import Roles
from web.search.language import Term

MOST = 200
"""Viewers at a time."""
VIEWS = ("live", "ogres", "map", "search", "alerts", "health", "address", "event")
_COMMENT = 15.0  # seconds without anything else, after which a comment keeps the connection open
_STUCK = 30.0  # seconds that a viewer has to take what is written
_RETRY = b"retry: 2000\n\n"
_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a viewer looks at: the view, the attackers, and the search of the tail with its terms."""

    view: str
    attackers: WantedAttackers
    text: str
    terms: list[Term]

    @property
    def tails(self) -> bool:
        """Whether the view shows the newest events."""
        return self.view == "live"


class LiveEndpoint:
    """The handler, and all that its viewers share."""

    def __init__(
        self, settings: Settings, access: Access, queries: Queries, health: HealthEndpoints, roles: Roles
    ) -> None:
        self._settings, self._access, self._queries = settings, access, queries
        self._health, self._roles = health, roles
        self._hub, self._tail, self._alerts = Hub(), Tail(settings), AlertStream(settings)

    def routes(self) -> list[web.RouteDef]:
        """Return the path with its handler."""
        return [web.get("/api/v1/live", self.live)]

    async def close(self, _: web.Application) -> None:
        """End all streams; the application calls it when it stops."""
        self._hub.close()
        self._tail.close()
        self._alerts.close()

    async def live(self, request: web.Request) -> web.StreamResponse:
        """Stream events until the viewer goes, reads too slowly, or may not look any more."""
        wanted = self._wanted(request)
        if len(self._hub.viewers) >= MOST:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST} pages look already; ask again by and by", wait=5)
        if wanted.text:
            note(request)
        response, viewer = web.StreamResponse(headers=_HEADERS), Viewer()
        async with self._hub.asking(viewer, self._questions(wanted)):
            await response.prepare(request)
            if wanted.tails:
                self._tail.join(viewer, wanted.text, wanted.terms)
            self._alerts.join(viewer, request.headers.get("Last-Event-ID", ""))
            try:
                await response.write(_RETRY + message("hello", await self._hello()) + b"id: %s\n\n" % viewer.id)
                await self._stream(request, response, viewer)
            except (Ended, TimeoutError, ConnectionError):
                if request.transport is not None:
                    request.transport.abort()  # else a reader that is stuck would keep what is buffered for it
            finally:
                self._alerts.leave(viewer)
                if wanted.tails:
                    self._tail.leave(viewer, wanted.text)
        return response

    async def _stream(self, request: web.Request, response: web.StreamResponse, viewer: Viewer) -> None:
        checked = monotonic()
        while True:
            content = await viewer.take(_COMMENT) or b":\n\n"
            async with asyncio.timeout(_STUCK):
                await response.write(content)
            if monotonic() - checked > _COMMENT:
                checked = monotonic()
                self._require_access(request)

    def _require_access(self, request: web.Request) -> None:
        """Raises `Ended` when the token was revoked, or the session has expired."""
        try:
            viewer = self._access.viewer(request)
        except Denied:
            viewer = None
        if viewer is None:
            raise Ended

    def _wanted(self, request: web.Request) -> Wanted:
        """Raises BadParameter and Refused."""
        view = parameters.choice(request, "view", VIEWS)
        attackers = wanted_attackers(request, "view")
        if view != "live":
            return Wanted(view, attackers, "", [])
        text = parameters.text(request, "q")
        whole = dict(request.query)
        if whole.pop("q", None) is not None:
            attackers = wanted_attackers(request.clone(rel_url=request.rel_url.with_query(whole)), "view")
        return Wanted(view, attackers, text, terms_of(text))

    def _questions(self, wanted: Wanted) -> list[tuple[Hashable, Callable[[], Question]]]:
        keep, attackers = self._settings.keep, wanted.attackers
        window, filters = attackers.window, attackers.filters
        # A window that slides is the same question at any time.
        span = (window.since, window.until) if window.fixed else window.seconds
        rest = tuple(getattr(attackers, name) for name in ("sort", "ascending", "offset", "limit", "q", "system"))
        asked: list[tuple[Hashable, Callable[[], Question]]] = [
            (("attackers", span, filters, rest), lambda: questions.Attackers(self._queries, attackers, keep)),
            ("health", lambda: questions.State(self._state)),
        ]
        if wanted.view == "live":
            asked += [
                (("ratio", span, filters), lambda: questions.Ratio(self._queries, window, filters, keep)),
                (("series", filters), lambda: questions.Series(self._queries, filters)),
            ]
        return asked

    async def _state(self) -> dict[str, Any]:
        (_, state), roles = await asyncio.gather(self._health.state(), self._roles.state())
        short = {
            name: {key: value for key, value in role.items() if key != "partitions"}
            for name, role in roles["roles"].items()
        }
        return {**state, "received_per_second": roles.get("received_per_second"), "roles": short}

    async def _hello(self) -> dict[str, Any]:
        _, state = await self._health.state()
        return {
            "version": self._health.about["version"],
            "keep": self._settings.keep,
            "zone": self._settings.zone,
            "features": ["search", "alerts"],
            "partitions": state.get("partitions", {}).get("of", 0),
        }
