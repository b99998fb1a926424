"""Builds and runs the web role: the page at `/`, the API at `/api/v1`, Prometheus metrics at `/metrics`.

It keeps no state, so that any number of web processes may run, and be started and stopped at any time.
"""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agents.counting.peers import PURPOSE
from agents.metrics import REGISTRY
from agents.settings import Settings
from enrichers.database import GeoDatabaseError
from enrichers.enricher import Enricher
from topics.catalogue import RAW
from topics.health import Health
from web import files
from web.access import CHALLENGE, VIEWER, Access, Denied, tls_of
from web.broker import Broker
from web.compression import compressed
from web.endpoints.address import AddressEndpoint
from web.endpoints.alerts import AlertEndpoints
from web.endpoints.counts import CountEndpoints
from web.endpoints.events import EXPLAIN, EventEndpoints
from web.endpoints.health import HEALTH, HealthEndpoints
from web.endpoints.live import LiveEndpoint
from web.endpoints.operations import OperationsEndpoints
from web.endpoints.rules import RuleEndpoints
from web.endpoints.search import SearchEndpoints
from web.lineage.explain import Explainer
from web.login import PATHS, Login
from web.looks import Looks
from web.metrics import REQUESTS, SECONDS
from web.parameters import BadParameter
from web.queries import Queries, SystemOf, Unanswerable
from web.replies import Refused, error, refusal
from web.roles import Roles
from web.store.alerts import StoredAlerts
from web.store.attempts import StoredAttempts
from web.store.client import Store
from web.store.events import StoredEvents
from web.workers import NoWorkers, Workers

_log = logging.getLogger("ogrewatch.web")

_LARGEST = 64 << 10  # bytes of a request
_GRACE = 5.0  # seconds that unfinished requests have when the process is told to stop
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Server": "ogrewatch",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(settings: Settings, looks: Looks | None = None) -> web.Application:
    """Build the web role as an aiohttp application. It opens no connection before it starts. Raises `BadSettings`.

    `looks` finds out what the paths /ledger and /coverage show.
    """
    access = Access(settings)
    workers, store = Workers(settings.query_urls, key=settings.key(PURPOSE)), Store(settings)
    enricher = _enricher(settings)

    async def connect(_: web.Application) -> AsyncIterator[None]:
        async with workers.connected(), store.connected():
            yield

    app = web.Application(middlewares=[_measured, compressed, _explained, _guard(access)], client_max_size=_LARGEST)
    app.cleanup_ctx.append(connect)
    app.on_response_prepare.append(_secure)
    broker = Broker(settings.kafka, settings.prefix + RAW[0].name)
    attempts, events = StoredAttempts(store), StoredEvents(store)
    queries = Queries(settings, workers, attempts, _systems(settings, enricher))
    app.add_routes(CountEndpoints(queries).routes())
    roles = Roles(settings)
    health = HealthEndpoints(settings, workers, broker, _about(settings, enricher), roles)
    live = LiveEndpoint(settings, access, queries, health, roles)
    app.on_shutdown.append(live.close)
    app.add_routes(AddressEndpoint(queries, attempts, events).routes())
    app.add_routes(OperationsEndpoints(events, roles, looks).routes())
    app.add_routes([*health.routes(), *live.routes(), *SearchEndpoints(events).routes()])
    app.add_routes(EventEndpoints(settings, events, Explainer(settings)).routes())
    app.add_routes(AlertEndpoints(settings, StoredAlerts(store, settings.namespace)).routes())
    app.add_routes(RuleEndpoints(settings).routes())
    app.add_routes(Login(access).routes())
    app.add_routes([web.get("/metrics", _metrics), *files.routes()])
    return app


def run(settings: Settings, health: Health | None = None, looks: Looks | None = None) -> None:
    """Serve until SIGTERM or SIGINT; exits with a message and status 1 when the port is not available.

    Raises `BadSettings`.
    """
    logging.basicConfig(level=settings.log_level)
    host, port, app = settings.web_host, settings.web_port, make_app(settings, looks)
    app.cleanup_ctx.append(partial(_beating, health or Health()))
    try:
        web.run_app(
            app, host=host, port=port, ssl_context=tls_of(settings), print=None, access_log=None,
            shutdown_timeout=_GRACE,
        )  # fmt: skip
    except OSError as error:
        why = str(error.strerror).rpartition(": ")[2]  # asyncio puts the address before it
        sys.exit(f"The page cannot be served at {host}:{port} ({why}); OGREWATCH_WEB_PORT chooses another.")


async def _beating(health: Health, _: web.Application) -> AsyncIterator[None]:
    """Tell `health` that the event loop turns."""
    beating = asyncio.create_task(health.beat())
    yield
    health.stopping = True
    beating.cancel()


def _enricher(settings: Settings) -> Enricher | None:
    """What knows countries and networks; None when its databases cannot be read here."""
    try:
        return Enricher(settings.geoip, settings.asn)
    except GeoDatabaseError as error:
        _log.warning("the page cannot say whose geography it shows: %s", error)
        return None


def _about(settings: Settings, enricher: Enricher | None) -> dict[str, Any]:
    """What /api/v1/about answers; `geoip` is None when its database cannot be read here."""
    return {
        "version": version("ogrewatch"),
        "geoip": enricher.describe() if enricher is not None else None,
        "keep": settings.keep,
        "zone": settings.zone,
    }


def _systems(settings: Settings, enricher: Enricher | None) -> SystemOf:
    """The function that finds the autonomous system of an address, if there is a database of them."""
    if enricher is None or settings.asn is None:
        return lambda address: None

    def system_of(address: str) -> dict[str, Any] | None:
        found = enricher.lookup(address)
        number = found.get("source_as_number")
        return {"number": number, "name": found.get("source_as_organization_name", "")} if number else None

    return system_of


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers, and say how long the answer may be kept."""
    response.headers.update(_HEADERS)
    response.headers["Cache-Control"] = files.caching(request, response)


def _guard(access: Access) -> Middleware:
    """Make the middleware that admits or denies a request, and stores its viewer with it."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        access.require_ours(request)
        if request.path in PATHS or request.path.startswith("/static/"):
            return await handler(request)
        viewer = access.viewer(request)
        request[VIEWER] = viewer
        if viewer is None and request.path != HEALTH:
            if request.path == "/" and request.method == "GET":
                return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/login"})
            raise Denied(HTTPStatus.UNAUTHORIZED, "a token to look with is needed", CHALLENGE)
        if viewer is not None and request.path != EXPLAIN and not viewer.may(request.method):
            raise Denied(HTTPStatus.FORBIDDEN, f"{viewer.name or 'nobody'} may look, not act")
        return await handler(request)

    return guarded


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Denied as why:
        answer = error(why.status, str(why))
        answer.headers.update(why.headers)
        return answer
    except Refused as why:
        return refusal(why)
    except (BadParameter, Unanswerable) as why:
        return error(HTTPStatus.BAD_REQUEST, str(why))
    except NoWorkers as why:
        answer = error(HTTPStatus.SERVICE_UNAVAILABLE, str(why))
        answer.headers["Retry-After"] = "1"
        return answer
    except web.HTTPClientError as why:
        answer = error(why.status, f"{request.method} {request.path}: {why.reason}")
        if "Allow" in why.headers:
            answer.headers["Allow"] = why.headers["Allow"]
        return answer


@web.middleware
async def _measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    begin, status = time.monotonic(), int(HTTPStatus.INTERNAL_SERVER_ERROR)
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as other:  # such as 304
        status = other.status
        raise
    else:
        return response
    finally:
        resource = request.match_info.route.resource
        route = resource.canonical if resource else "none"  # a path of somebody's choice is no label
        REQUESTS.labels(route, str(status)).inc()
        SECONDS.labels(route).observe(time.monotonic() - begin)
