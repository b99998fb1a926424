"""Answers requests for counts of login attempts: ratios, series, attackers and places."""

from dataclasses import dataclass

from aiohttp import web

from web import merge, parameters
from web.parameters import MOST, BadParameter
from web.queries import Queries, WantedAttackers
from web.replies import reply
from web.store.attempts import FIELDS, Filters
from web.windows import MINUTE

_WINDOW = ("window", "from", "to")
_LARGEST_SYSTEM = 4_294_967_295  # RFC 6793
_STEP = {"m": MINUTE, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class CountEndpoints:
    """The handlers. The application answers what they raise with 400 or 503."""

    queries: Queries

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [
            web.get("/api/v1/auth/ratio", self.ratio),
            web.get("/api/v1/auth/series", self.series),
            web.get("/api/v1/auth/places", self.places),
            web.get("/api/v1/attackers", self.attackers),
        ]

    async def ratio(self, request: web.Request) -> web.Response:
        """Answer with successful and failed logins by service, address, user, host or country."""
        parameters.require_known(request, *_WINDOW, "by", "limit", *FIELDS)
        by, limit = parameters.choice(request, "by", tuple(FIELDS)), parameters.limit(request, 100)
        return reply(await self.queries.ratio(parameters.window(request, "5m"), by, limit, filters(request)))

    async def series(self, request: web.Request) -> web.Response:
        """Answer with successful and failed logins by service and minute, or a longer step."""
        parameters.require_known(request, *_WINDOW, "by", "step", *FIELDS)
        parameters.choice(request, "by", ("service",))
        window = parameters.window(request, "1h")
        return reply(await self.queries.series(window, _step(request), filters(request)))

    async def places(self, request: web.Request) -> web.Response:
        """Answer with attempts by country or city."""
        parameters.require_known(request, *_WINDOW, "by", "limit")
        by, limit = parameters.choice(request, "by", ("country", "city")), parameters.limit(request, 300)
        return reply(await self.queries.places(parameters.window(request, "1h"), by, limit))

    async def attackers(self, request: web.Request) -> web.Response:
        """Answer with the addresses that failed: first those that got in by guessing, then in the order asked for."""
        return reply(await self.queries.attackers(wanted_attackers(request)))


def wanted_attackers(request: web.Request, *more: str) -> WantedAttackers:
    """Which attackers a request asks for; `more` are further parameters that it may have. Raises BadParameter."""
    names = ("sort", "order", "offset", "limit", "service", "country", "as", "user", "host", "q")
    parameters.require_known(request, *_WINDOW, *names, *more)
    sort = parameters.choice(request, "sort", merge.SORTS)
    order = parameters.choice(request, "order", ("asc", "desc") if sort == "address" else ("desc", "asc"))
    return WantedAttackers(
        parameters.window(request, "1h"),
        sort,
        order == "asc",
        parameters.number(request, "offset", 0, 0, parameters.DEEPEST - 1),
        parameters.limit(request, 50, MOST),
        filters(request),
        parameters.text(request, "q"),
        _system(request),
    )


def filters(request: web.Request) -> Filters:
    """The filters of a request. Raises BadParameter."""
    return Filters(**{name: parameters.text(request, name) for name in FIELDS})


def _system(request: web.Request) -> int:
    """An AS number, as 64500 or AS64500; 0 for any."""
    text = request.query.get("as", "0").upper().removeprefix("AS")
    if not (text.isascii() and text.isdigit() and len(text) < 11 and int(text) <= _LARGEST_SYSTEM):
        raise BadParameter(f"as: {text[:20]!r} is no number of an autonomous system, such as 64500")
    return int(text)


def _step(request: web.Request) -> int:
    text = request.query.get("step", "1m")
    number, unit = text[:-1], text[-1:]
    if unit not in _STEP or not (number.isascii() and number.isdigit() and 1 <= len(number) < 5 and int(number)):
        raise BadParameter(f"step: {text[:20]!r} is no whole number of minutes, hours or days such as 1m, 5m or 1h")
    return int(number) * _STEP[unit]
