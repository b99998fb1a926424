"""Answers with alerts, and takes what people do with them: acknowledge, close, reopen, note.

An act is a record of topic `alerts.acts`; the index role adds it to the alert's document, within some seconds. It needs
the role `act` beyond loopback (`web.access`), and a body of JSON: a form of another site cannot send one unasked.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from agents.settings import Settings
from topics.catalogue import ACTS
from topics.errors import KafkaUnavailable
from topics.kafka.publish import publish
from topics.records import acts
from topics.records.acts import Act, InvalidAct, Kind
from web import parameters
from web.access import VIEWER
from web.parameters import BadParameter
from web.replies import Refused, reply
from web.store.alerts import LEVELS, STATES, StoredAlerts, WantedAlerts
from web.windows import BadWindow, moment

audit = logging.getLogger("ogrewatch.audit")

KINDS: dict[str, Kind] = {"ack": "acknowledge", "close": "close", "reopen": "reopen", "note": "note"}
"""Acts by the last part of their path."""
_MEMBERS = {"note": "comment", "comment": "comment", "verdict": "verdict", "assignee": "assignee"}
_PATH = "/api/v1/alerts"


@dataclass(frozen=True, slots=True)
class AlertEndpoints:
    """The handlers."""

    settings: Settings
    alerts: StoredAlerts

    def routes(self) -> list[web.RouteDef]:
        """Return the paths with their handlers."""
        kinds = "|".join(KINDS)
        return [
            web.get(_PATH, self.list),
            web.get(f"{_PATH}/{{id}}", self.show),
            web.post(f"{_PATH}/{{id}}/{{act:{kinds}}}", self.act),
        ]

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of alerts, those that changed last first."""
        parameters.require_known(request, "state", "rule", "severity", "from", "to", "limit", "after")
        levels = tuple(part for part in request.query.get("severity", "").split(",") if part)
        if strange := [level for level in levels if level not in LEVELS]:
            raise BadParameter(f"severity: {strange[0][:20]!r} is none of {', '.join(LEVELS)}")
        wanted = WantedAlerts(
            parameters.choice(request, "state", STATES), parameters.text(request, "rule"), levels,
            _moment(request, "from"), _moment(request, "to"),
        )  # fmt: skip
        return reply(await self.alerts.page(wanted, parameters.limit(request, 50), _after(request)))

    async def show(self, request: web.Request) -> web.Response:
        """Answer with one alert."""
        parameters.require_known(request)
        return reply(await self._found(request))

    async def act(self, request: web.Request) -> web.Response:
        """Write down an act. Answers 202 with it: it is kept for good, and shown once index has added it."""
        parameters.require_known(request)
        said = await _body(request)
        await self._found(request)
        viewer = request[VIEWER]
        name = (viewer.name if viewer is not None else "") or "somebody at this machine"
        try:
            one = Act(
                request.match_info["id"], KINDS[request.match_info["act"]], name, time.time_ns() // 1_000_000, **said
            )
        except InvalidAct as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        topic = self.settings.prefix + ACTS.name
        try:
            await asyncio.to_thread(publish, self.settings.kafka, topic, one.alert.encode(), acts.encode(one))
        except KafkaUnavailable as error:
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, str(error), wait=2) from None
        audit.info("%s: %s alert %s", name, one.kind, one.alert)
        return reply({"id": one.alert, "act": one.kind, "by": one.by, "at": one.at}, HTTPStatus.ACCEPTED)

    async def _found(self, request: web.Request) -> Any:
        identity = request.match_info["id"]
        found = await self.alerts.get(identity) if acts.is_id(identity) else None
        if found is None:
            raise Refused(HTTPStatus.NOT_FOUND, f"there is no alert {identity[:32]!r}")
        return found


async def _body(request: web.Request) -> dict[str, str]:
    """The arguments of an act. Raises Refused."""
    if request.content_type != "application/json":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "an act is sent as application/json")
    raw = await request.read()
    try:
        found = orjson.loads(raw) if raw else {}
    except orjson.JSONDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, f"no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Refused(HTTPStatus.BAD_REQUEST, "the body is a JSON object of texts")
    if strange := found.keys() - _MEMBERS:
        raise Refused(HTTPStatus.BAD_REQUEST, f"no member {sorted(strange)[0][:40]!r}; there are {', '.join(_MEMBERS)}")
    return {_MEMBERS[name]: value for name, value in found.items() if value}


def _moment(request: web.Request, name: str) -> float | None:
    text = request.query.get(name, "")
    try:
        return moment(text) if text else None
    except BadWindow as error:
        raise BadParameter(f"{name}: {error}") from None


def _after(request: web.Request) -> list[Any] | None:
    """Where the page before has ended, as its answer said: a number and a text. Raises BadParameter."""
    text = request.query.get("after", "")
    if not text:
        return None
    try:
        match orjson.loads(text):
            case [int() as at, str() as identity] if acts.is_id(identity):
                return [at, identity]
    except orjson.JSONDecodeError:
        pass
    raise BadParameter("after: give what the answer before had as `after`, as JSON")
