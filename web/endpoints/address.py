"""Answers with everything about one address: counts, and from what is stored its users, hosts, events and successes."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any

from aiohttp import web

from web import parameters, rendering
from web.queries import Queries, WantedAttackers
from web.replies import error, reply
from web.search.language import Term
from web.store.attempts import Filters, StoredAttempts
from web.store.client import StoreAway
from web.store.events import StoredEvents, Wanted
from web.windows import Window

_KEPT, _ENTRIES = 5.0, 200  # seconds for which what is stored of an address serves all, and of how many
_EVENTS, _NAMES, _NEIGHBOURS = 20, 20, 10
_SUCCESSES = 3  # whose consequences are shown, the latest
_AFTER = 15 * 60  # seconds
_CONSEQUENCES = 50  # events after a success

Json = dict[str, Any]


@dataclass(slots=True)
class AddressEndpoint:
    """The handler."""

    queries: Queries
    attempts: StoredAttempts
    events: StoredEvents
    _known: dict[tuple[str, int, bool], tuple[float, Json]] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        """Return the path with its handler."""
        return [web.get("/api/v1/attackers/{address}", self.attacker)]

    async def attacker(self, request: web.Request) -> web.Response:
        """Answer with all about one address. 404 only when every partition answers and none has counted it."""
        parameters.require_known(request, "window", "from", "to")
        window, address = parameters.window(request, "24h"), parameters.address(request)
        found = await self.queries.attacker(window, address)
        if found is None:
            return error(HTTPStatus.NOT_FOUND, f"nothing is known of {address} in this window")
        network, stored = await asyncio.gather(self._network(window, address), self._stored(window, address))
        return reply({**found, "network": network, **stored})

    async def _network(self, window: Window, address: str) -> Json:
        """The other attackers of the same network: /24 of IPv4, and of IPv6 the same first four groups."""
        prefix = _prefix(address)
        if not prefix or window.seconds > parameters.DAY:
            return {"prefix": prefix, "total": 0, "attackers": []}
        wanted = WantedAttackers(window, limit=_NEIGHBOURS + 1, q=prefix)
        found = await self.queries.attackers(wanted)
        others = [row for row in found["attackers"] if row["address"] != address]
        alone = len(others) == len(found["attackers"])
        return {"prefix": prefix, "total": found["total"] - (not alone), "attackers": others[:_NEIGHBOURS]}

    async def _stored(self, window: Window, address: str) -> Json:
        """What Elasticsearch knows, of the last five seconds; empty lists and the reason when it is away."""
        key = address, window.since if window.fixed else window.seconds, window.fixed
        at, found = self._known.get(key, (float("-inf"), {}))
        if time.monotonic() - at < _KEPT:
            return found
        try:
            found = await self._look(window, address)
        except StoreAway as why:
            return {"by_user": [], "by_host": [], "events": [], "after_success": [], "store_error": str(why)}
        if len(self._known) >= _ENTRIES:
            self._known.clear()
        self._known[key] = time.monotonic(), found
        return found

    async def _look(self, window: Window, address: str) -> Json:
        filters, terms = Filters(address=address), [_address(address)]
        users, hosts, newest, successes = await asyncio.gather(
            self.attempts.by(window, "user", _NAMES, filters),
            self.attempts.by(window, "host", _NAMES, filters),
            self.events.page(Wanted(terms, window.since, window.until), _EVENTS, False, None),
            self.events.page(
                Wanted([*terms, _SUCCESS, _ATTEMPT], window.since, window.until), _SUCCESSES, False, None
            ),
        )  # fmt: skip
        after = await asyncio.gather(*(self._after(event) for event in successes["events"]))
        named = {
            f"by_{name}": [{"name": row, **rendering.counts(counts)} for row, counts in found.rows[:_NAMES]]
            for name, found in (("user", users), ("host", hosts))
        }
        return {**named, "events": newest["events"], "after_success": list(after), "store_error": None}

    async def _after(self, event: Json) -> Json:
        """What the user did next on that host."""
        host, user = event.get("host", {}).get("hostname", ""), event.get("user", {}).get("name", "")
        begin = datetime.fromisoformat(event["@timestamp"])
        end = begin + timedelta(seconds=_AFTER)
        shown = {"id": event["id"], "at": event["@timestamp"], "user": user, "host": host}
        shown["service"] = event.get("ogrewatch", {}).get("service", "")
        if not host or not user:
            return {**shown, "events": [], "total": 0}
        found = await self.events.of_user(host, user, begin.timestamp(), end.timestamp(), _CONSEQUENCES + 1)
        others = [one for one in found["events"] if one["id"] != event["id"]]
        return {**shown, "events": others[:_CONSEQUENCES], "total": max(0, found["total"] - 1)}


_SUCCESS = Term("is", "success", "event.outcome", "keyword")
_ATTEMPT = Term(">", 0, "ogrewatch.attempt", "long")


def _address(text: str) -> Term:
    try:
        return Term("network", str(ip_address(text)), "source.ip", "ip")
    except ValueError:
        return Term("is", text, "source.address", "keyword")


def _prefix(text: str) -> str:
    """The beginning that addresses of the same network share; "" for what is no address."""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if address.version == 4:
        return text.rpartition(".")[0] + "."
    return ":".join(text.split(":")[:4]) + ":" if text.count(":") >= 4 and "::" not in text[:20] else ""
