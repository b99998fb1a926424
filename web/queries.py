"""Answers questions about login attempts as JSON objects: from the count workers, or from what is stored.

The count workers answer for windows that they keep (`source: live`). For longer ones, and for filters and groups that
they do not count by, Elasticsearch does (`source: stored`).
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import time
from typing import Any
from urllib.parse import quote

from agents.settings import Settings
from enrichers.countries import countries
from web import answers, merge, rendering
from web.merge import Counts
from web.parameters import DEEPEST, MOST
from web.store.attempts import Filters, StoredAttempts
from web.windows import Window
from web.workers import NoWorkers, Workers

Json = dict[str, Any]
SystemOf = Callable[[str], Json | None]
"""Returns the autonomous system of an address: its `number` and `name`; None when it is unknown."""

_LIVE_GROUPS = ("service", "address", "user", "country")  # what the count workers tell apart
_STORED = {"source": "stored", "partitions": {"of": 0, "missing": []}}
_OUTCOMES = ("success", "failure", "unknown")
_SERVICES = 40  # of a series
_ANY = Filters()
_POINTS = 1_500  # of a series, at most


class Unanswerable(ValueError):
    """The question cannot be answered as it was asked. The text names the parameter."""


@dataclass(frozen=True, slots=True)
class WantedAttackers:
    """Which attackers are asked for; `q` is the beginning of an address, `system` an AS number, 0 for any."""

    window: Window
    sort: str = merge.SORTS[0]
    ascending: bool = False
    offset: int = 0
    limit: int = 50
    filters: Filters = _ANY
    q: str = ""
    system: int = 0


class Queries:
    """Asks workers and store. Methods raise `NoWorkers`, `StoreAway` and `Unanswerable`."""

    def __init__(self, settings: Settings, workers: Workers, stored: StoredAttempts, system_of: SystemOf) -> None:
        self._settings, self._workers, self._stored, self._system_of = settings, workers, stored, system_of

    async def ratio(self, window: Window, by: str, limit: int, filters: Filters = _ANY) -> Json:
        """Successful and failed logins by service, address, user, host or country, most first."""
        only = filters.service if by == "service" and filters == Filters(service=filters.service) else ""
        if self._is_live(window) and by in _LIVE_GROUPS and (only or not filters):
            return await self._live_ratio(window, by, limit, only)
        found = await self._stored.by(window, by, limit, filters)
        whole = sum((row for _, row in found.rows), Counts())
        shown = _ratio(window, by, found.rows[:limit], whole)
        return shown | _STORED | {"truncated": found.truncated, "complete": found.complete}

    async def series(self, window: Window, step: int, filters: Filters = _ANY) -> Json:
        """Successful and failed logins by service and step of so many seconds, a multiple of a minute."""
        if (window.until - window.since) // step > _POINTS:
            raise Unanswerable(f"step: {step} s makes more than {_POINTS} points of this window")
        only = filters.service if filters == Filters(service=filters.service) else ""
        if not self._is_live(window) or (filters and not only):
            rows, complete = await self._stored.series(window, step, filters)
            return _series(window, step, rows) | _STORED | {"complete": complete}
        asked = {**_span(window), "limit": 10_000 if only else _SERVICES}
        replies = await self._workers.ask("/v1/series", answers.series, asked)
        rows = merge.add_series(replies.contents)
        chosen = {name: row for name, row in rows.items() if not only or name == only}
        return _series(window, step, chosen) | _live(rendering.partitions(replies))

    async def attackers(self, wanted: WantedAttackers) -> Json:
        """The addresses that failed, those that got in by guessing first."""
        window, part = wanted.window, slice(wanted.offset, wanted.offset + wanted.limit)
        if part.stop > DEEPEST:
            raise Unanswerable(f"offset: with limit it goes beyond {DEEPEST}")
        if self._is_live(window):
            found, about = await self._live_attackers(wanted, part)
        elif wanted.q or wanted.system:
            raise Unanswerable("q, as: only for windows that the count workers keep")
        else:
            found, complete = await self._stored.attackers(window, wanted.filters, wanted.sort, wanted.ascending, part)
            about = _STORED | {"complete": complete}
        rows = [rendering.attacker(row, window) | {"as": self._system_of(row.address)} for row in found.rows]
        totals = {"total": found.total, "broke_in_total": found.broke_in_total}
        return {"window": window.shown(), "attackers": rows, "offset": wanted.offset, **totals, **about}

    async def attacker(self, window: Window, address: str) -> Json | None:
        """One address with its minutes; None when every partition answers and none has counted it."""
        if not self._is_live(window):
            whole = Filters(address=address)
            found, complete = await self._stored.attackers(window, whole, merge.SORTS[0], False, slice(0, 1))
            rows = [row for row in found.rows if row.address == address]
            about: Json = _STORED | {"complete": complete}
        else:
            path = f"/v1/attackers/{quote(address, safe='')}"
            replies = await self._workers.ask(path, answers.attacker, _span(window))
            rows, about = [row for row in replies.contents if row is not None], _live(rendering.partitions(replies))
            if not rows and replies.missing:
                listed = ", ".join(map(str, replies.missing))
                raise NoWorkers(f"{address} is not in the partitions that answer; missing: {listed}.")
        if not rows:
            return None
        shown = rendering.attacker_detail(merge.add_attacker(rows), window) | {"as": self._system_of(address)}
        return {"window": window.shown(), "attacker": shown, **about}

    async def places(self, window: Window, by: str, limit: int) -> Json:
        """Attempts by country or city, most failures first, and those of addresses without a place."""
        if self._is_live(window) and by == "country":
            replies = await self._workers.ask("/v1/countries", answers.countries, _span(window))
            rows = [
                rendering.place(code, row, _centre(code)) for code, row in merge.add_places(replies.contents).items()
            ]
            about = _live(rendering.partitions(replies))
        else:
            found, complete = await self._stored.places(window, by)
            rows = [_stored_place(row) for row in found]
            about = _STORED | {"complete": complete}
        rows.sort(key=lambda row: (-row["broke_in"], -row["failures"], row["country"] or ""))
        known, unknown = [row for row in rows if row["country"]], [row for row in rows if not row["country"]]
        nowhere = rendering.no_place(unknown)
        return {
            "window": window.shown(), "by": by, "places": known[:limit], "unknown": nowhere,
            "truncated": len(known) > limit, **about,
        }  # fmt: skip

    async def _live_ratio(self, window: Window, by: str, limit: int, only: str) -> Json:
        asked: Json = dict(_span(window))
        if by == "country":
            replies = await self._workers.ask("/v1/countries", answers.countries, asked)
            found = merge.add_places(replies.contents)
            rows = [(code or "unknown", Counts(row.success, row.failure, row.unknown)) for code, row in found.items()]
            rows.sort(key=lambda row: (-row[1].attempts, row[0]))
            return _ratio(window, by, rows[:limit], _whole(rows)) | _live(rendering.partitions(replies)) | {
                "truncated": len(rows) > limit
            }  # fmt: skip
        counted = await self._workers.ask("/v1/attempts", answers.attempts, asked | {"by": by})
        rows = [row for row in merge.add_attempts(counted.contents) if not only or row[0] == only]
        cut = len(rows) > limit or any(part.truncated for part in counted.contents)
        shown = _ratio(window, by, rows[:limit], _whole(rows)) | _live(rendering.partitions(counted))
        return shown | {"truncated": cut}

    async def _live_attackers(self, wanted: WantedAttackers, part: slice) -> tuple[answers.Attackers, Json]:
        # At least MOST of each worker, since several may count one address, which is then to be added up.
        filters = {name: text for name, text in asdict(wanted.filters).items() if text and name != "address"}
        asked: Json = {**_span(wanted.window), "limit": max(MOST, part.stop), **filters}
        asked |= {"sort": wanted.sort, "order": "asc" if wanted.ascending else "desc"}
        asked |= {"q": wanted.q} if wanted.q else {}
        asked |= {"as": wanted.system} if wanted.system else {}
        replies = await self._workers.ask("/v1/attackers", answers.attackers, asked)
        found = merge.rank_attackers(replies.contents, part, wanted.sort, wanted.ascending)
        return found, _live(rendering.partitions(replies))

    def _is_live(self, window: Window) -> bool:
        return window.is_live(time(), self._settings.keep)


def _span(window: Window) -> Json:
    return {"since": window.since, "until": window.until}


def _live(partitions: Json) -> Json:
    return {"source": "live", "partitions": partitions, "complete": not partitions["missing"]}


def _whole(rows: list[tuple[str, Counts]]) -> Counts:
    return sum((row for _, row in rows), Counts())


def _ratio(window: Window, by: str, rows: list[tuple[str, Counts]], whole: Counts) -> Json:
    shown = [{"name": name, **rendering.counts(row)} for name, row in rows]
    return {"window": window.shown(), "by": by, "rows": shown, "total": rendering.counts(whole)}


def _series(window: Window, step: int, rows: dict[str, dict[int, Counts]]) -> Json:
    """Lists of equal length: the starts of the steps, and the counts of each service in them."""
    begin = window.since // step * step
    times = range(begin, window.until, step)
    shown = {}
    for name, minutes in sorted(rows.items(), key=lambda row: -sum(counts.attempts for counts in row[1].values())):
        sums = [Counts()] * len(times)
        for at, counts in minutes.items():
            if 0 <= (place := (at - begin) // step) < len(sums):
                sums[place] += counts
        shown[name] = {
            outcome: [getattr(one, outcome) for one in sums] for outcome in ("success", "failure", "unknown")
        }
    return {"window": window.shown(), "step": step, "by": "service", "times": rendering.times(times), "rows": shown}


def _centre(code: str) -> tuple[float, float] | None:
    country = countries().get(code)
    return (country.longitude, country.latitude) if country is not None else None


def _stored_place(row: Json) -> Json:
    counts: Counts = row["counts"]
    place = answers.Place(counts.success, counts.failure, counts.unknown, row["addresses"], row["broke_in"])
    centre = (row["lon"], row["lat"]) if row["lon"] is not None and row["city"] else _centre(row["country"])
    return rendering.place(row["country"], place, centre) | {"city": row["city"]}
