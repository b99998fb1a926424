"""Answers searches for events: pages of them, facets, histograms, and files of them."""

import csv
import io
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from web import parameters
from web.access import VIEWER
from web.metrics import SEARCHES
from web.parameters import BadParameter
from web.replies import Refused, reply
from web.search.fields import UnknownField, field_of
from web.search.language import BadSearch, Term, parse
from web.store.events import StoredEvents, Wanted
from web.windows import BadWindow, moment

audit = logging.getLogger("ogrewatch.audit")
"""Says who has looked for what. It is printed whatever the level of other records."""
audit.setLevel(logging.INFO)

EXPORTED = 10_000
"""Events of a file, at most."""
_SPAN = ("q", "window", "from", "to")
_FACETS = ("event.dataset", "host.hostname", "user.name", "source.geo.country_iso_code", "event.outcome")
_MOST_FIELDS = 20
_COLUMNS = ("@timestamp", "event.dataset", "host.hostname", "user.name", "source.ip", "event.outcome", "message")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet calculate


@dataclass(frozen=True, slots=True)
class SearchEndpoints:
    """The handlers."""

    events: StoredEvents

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        return [
            web.get("/api/v1/events", self.search),
            web.get("/api/v1/events/facets", self.facets),
            web.get("/api/v1/events/histogram", self.histogram),
        ]

    async def search(self, request: web.Request) -> web.Response:
        """Answer with a page of events, or with a file of them."""
        parameters.require_known(request, *_SPAN, "sort", "after", "limit", "format", "columns")
        form = parameters.choice(request, "format", ("json", "ndjson", "csv"))
        oldest = parameters.choice(request, "sort", ("newest", "oldest")) == "oldest"
        limit = parameters.limit(request, 50, parameters.MOST if form == "json" else EXPORTED)
        columns, wanted, after = _fields(request, "columns", _COLUMNS), wanted_events(request), _after(request)
        note(request)
        found = await self.events.page(wanted, limit, oldest, after)
        if form != "json":
            return _file(found["events"], form, columns)
        if not found["events"] and after is None and len(wanted.terms) > 1:
            found["without"] = await self.events.without(wanted)
        return reply(found)

    async def facets(self, request: web.Request) -> web.Response:
        """Answer with the commonest values of fields."""
        parameters.require_known(request, *_SPAN, "fields")
        return reply(await self.events.facets(wanted_events(request), _fields(request, "fields", _FACETS)))

    async def histogram(self, request: web.Request) -> web.Response:
        """Answer with the number of events by time."""
        parameters.require_known(request, *_SPAN, "buckets")
        number, wanted = parameters.number(request, "buckets", 120, 1, 500), wanted_events(request)
        return reply(await self.events.histogram(wanted, wanted.until or time.time(), number))


def terms_of(text: str) -> list[Term]:
    """The terms of a search. Raises Refused with the place of the mistake."""
    try:
        return parse(text)
    except BadSearch as error:
        more = {"column": error.column, "length": error.length}
        raise Refused(HTTPStatus.BAD_REQUEST, f"q, column {error.column}: {error}", more) from None


def wanted_events(request: web.Request) -> Wanted:
    """The search and the time that a request asks for, a day by default. Raises BadParameter and Refused."""
    window, query = parameters.window(request, "24h"), request.query
    terms = terms_of(request.query.get("q", ""))
    if not window.fixed:
        return Wanted(terms, time.time() - window.seconds)
    return Wanted(terms, _exact(query["from"]), _exact(query["to"]) if "to" in query else None)


def note(request: web.Request) -> None:
    """Write into the log who looks for what."""
    viewer = request[VIEWER]
    SEARCHES.inc()
    name = viewer.name if viewer is not None and viewer.name else "nobody in particular"
    audit.info("%s looks at %s from %s", name, request.path_qs, request.remote)


def _exact(text: str) -> float:
    """A time that `parameters.window` has accepted."""
    try:
        return moment(text)
    except BadWindow as error:
        raise BadParameter(f"from, to: {error}") from None


def _after(request: web.Request) -> list[Any] | None:
    """Where the page before has ended, as its answer said it."""
    if (text := request.query.get("after")) is None:
        return None
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, list) or len(found) != 3 or not all(isinstance(one, int | str | None) for one in found):
        raise BadParameter("after: give what the answer before had as `after`, as JSON")
    return found


def _fields(request: web.Request, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """Fields, comma separated, by their short or full names; `message` and the like have no facets."""
    text = parameters.text(request, name)
    if not text:
        return default
    try:
        found = [field_of(part.strip()) for part in text.split(",")]
    except UnknownField as error:
        raise BadParameter(f"{name}: {error}") from None
    if len(found) > _MOST_FIELDS:
        raise BadParameter(f"{name}: at most {_MOST_FIELDS}")
    if name == "fields" and (bad := [full for full, kind in found if kind in ("text", "flattened", "geo_point")]):
        raise BadParameter(f"{name}: {bad[0]} has no facets")
    return tuple(full for full, _ in found)


def _file(events: list[dict[str, Any]], form: str, columns: Iterable[str]) -> web.Response:
    name = {"Content-Disposition": f'attachment; filename="events.{form}"'}
    if form == "ndjson":
        body = b"".join(orjson.dumps(event) + b"\n" for event in events)
        return web.Response(body=body, headers=name, content_type="application/x-ndjson")
    columns, text = tuple(columns), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("id", *columns))
    writer.writerows((event["id"], *(_cell(event, column) for column in columns)) for event in events)
    return web.Response(body=text.getvalue().encode(), headers=name, content_type="text/csv", charset="utf-8")


def _cell(event: dict[str, Any], column: str) -> str:
    """A value as text; one that a spreadsheet would calculate has a quote before it."""
    value: Any = event
    for part in column.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"'{text}" if text.startswith(_FORMULA) else text
