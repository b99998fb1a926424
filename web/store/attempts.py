"""Counts login attempts from documents, for windows and filters that the count workers cannot answer.

Attempts by service come from the closed minutes, all others from the events themselves: those are searchable a second
after their line came. Counts of names with few attempts are approximate where there are very many names, as
Elasticsearch's terms aggregations are. https://www.elastic.co/docs/reference/aggregations/search-aggregations-bucket-terms-aggregation
"""

from dataclasses import dataclass

from agents.counting.break_in import broke_in
from streams.common.text import is_ip
from web.answers import Attacker, Attackers
from web.merge import NAMES, Counts
from web.store.client import Body, Store, buckets, is_complete
from web.windows import Window

FIELDS = {
    "service": "ogrewatch.service",
    "address": "source.ip",
    "user": "user.name",
    "host": "host.hostname",
    "country": "source.geo.country_iso_code",
}
"""The fields by which attempts can be told apart, and filtered."""
_ADDRESSES = 5_000  # that failed most, and as many that got in, are ranked
_OF_MINUTES = "ogrewatch.auth.service"
_SERVICES = 40  # of a series
_PLACES = 10_000
_ATTEMPT = "ogrewatch.attempt"
_OUTCOMES = ("success", "failure")


@dataclass(frozen=True, slots=True)
class Filters:
    """What attempts are chosen by; empty texts are no filter."""

    service: str = ""
    address: str = ""
    user: str = ""
    host: str = ""
    country: str = ""

    def clauses(self) -> list[Body]:
        """The filters as clauses of a query."""
        given = {name: getattr(self, name) for name in FIELDS}
        return [_clause(name, text) for name, text in given.items() if text]

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in FIELDS)


@dataclass(frozen=True, slots=True)
class Found:
    """Attempts by name, most first; whether the answer is whole, and whether it was cut."""

    rows: list[tuple[str, Counts]]
    complete: bool
    truncated: bool = False


class StoredAttempts:
    """Asks `store`. Every method raises `StoreAway`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def by(self, window: Window, by: str, limit: int, filters: Filters) -> Found:
        """Attempts by service, address, user, host or country, most first, and one more than `limit`."""
        if by == "service" and not filters:
            return await self._services(window, limit)
        names: Body = {"terms": {"field": FIELDS[by], "size": limit + 1}, "aggs": _by_outcome()}
        answer = await self._store.search(self._store.events, _counted(window, filters, {"names": names}))
        rows = [(str(bucket["key"]), _counts(bucket)) for bucket in buckets(answer, "names")]
        rows.sort(key=lambda row: (-row[1].attempts, row[0]))
        return Found(rows, is_complete(answer), len(rows) > limit or _others(answer, "names"))

    async def series(self, window: Window, step: int, filters: Filters) -> tuple[dict[str, dict[int, Counts]], bool]:
        """Attempts by service and start of a step of so many seconds, and whether the answer is whole."""
        times = {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{step}s", "min_doc_count": 1}}
        index, field, sums = self._store.minutes, _OF_MINUTES, _sums()
        if filters:
            index, field, sums = self._store.events, FIELDS["service"], _by_outcome()
        names = {"terms": {"field": field, "size": _SERVICES}, "aggs": {"times": {**times, "aggs": sums}}}
        body = {"size": 0, "query": span(window), "aggs": {"names": names}}
        answer = await self._store.search(index, _counted(window, filters, {"names": names}) if filters else body)
        read = _counts if filters else _summed
        found = {
            str(name["key"]): {bucket["key"] // 1000: read(bucket) for bucket in name["times"]["buckets"]}
            for name in buckets(answer, "names")
        }
        return found, is_complete(answer)

    async def places(self, window: Window, by: str) -> tuple[list[Body], bool]:
        """Attempts by country or city: rows of `country`, `city`, `lon`, `lat`, `addresses`, `counts`, `broke_in`.

        `country` is "" where it is unknown.
        """
        body = _counted(window, Filters(), {"places": _composite(by, {**_by_outcome(), **_of_place()})})
        answer = await self._store.search(self._store.events, body)
        breaches = await self._breaches(window, by)
        rows = [_place(bucket) for bucket in buckets(answer, "places")]
        return [row | {"broke_in": breaches.get((row["country"], row["city"]), 0)} for row in rows], is_complete(answer)

    async def _breaches(self, window: Window, by: str) -> dict[tuple[str, str | None], int]:
        """How many addresses broke in, by country and city."""
        names, _, _ = await self._names(window, Filters())
        ranked = await self._ranked(window, Filters(), "failures", names) if names else []
        lucky = [row.address for row in ranked if row.broke_in]
        if not lucky:
            return {}
        body = _counted(window, Filters(), {"places": _composite(by, _number_of_addresses())})
        body["query"]["bool"]["filter"].append({"terms": {FIELDS["address"]: lucky}})
        found = buckets(await self._store.search(self._store.events, body), "places")
        return {_where(bucket): int(bucket["addresses"]["value"]) for bucket in found}

    async def attackers(
        self, window: Window, filters: Filters, sort: str, ascending: bool, part: slice
    ) -> tuple[Attackers, bool]:
        """A part of the attackers in an order, those that guessed and got in first, and whether the answer is whole."""
        names, total, complete = await self._names(window, filters)
        ranked = await self._ranked(window, filters, sort, names) if names else []
        sign = 1 if ascending else -1
        ranked.sort(key=lambda row: row.address, reverse=sort == "address" and not ascending)
        ranked.sort(key=lambda row: (not row.broke_in, 0 if sort == "address" else sign * row.measure))
        chosen = [row.address for row in ranked[part]]
        details = await self._details(window, chosen) if chosen else {}
        rows = [details[address] for address in chosen if address in details]
        return Attackers(rows, max(total, len(ranked)), sum(row.broke_in for row in ranked)), complete

    async def _services(self, window: Window, limit: int) -> Found:
        names = {"terms": {"field": _OF_MINUTES, "size": limit + 1}, "aggs": _sums()}
        body = {"size": 0, "query": span(window), "aggs": {"names": names}}
        answer = await self._store.search(self._store.minutes, body)
        rows = [(str(bucket["key"]), _summed(bucket)) for bucket in buckets(answer, "names")]
        rows.sort(key=lambda row: (-row[1].attempts, row[0]))
        return Found(rows, is_complete(answer), len(rows) > limit or _others(answer, "names"))

    async def _names(self, window: Window, filters: Filters) -> tuple[list[str], int, bool]:
        """The addresses that failed most and those that got in, how many failed, and whether the answer is whole."""
        names = {"names": {"terms": {"field": FIELDS["address"], "size": _ADDRESSES}}}
        total = {"total": {"cardinality": {"field": FIELDS["address"]}}}
        aggs = {
            "failure": {"filter": _outcome("failure"), "aggs": {**names, **total}},
            "success": {"filter": _outcome("success"), "aggs": names},
        }
        answer = await self._store.search(self._store.events, _counted(window, filters, aggs))
        found = answer.get("aggregations")
        if not found:
            return [], 0, is_complete(answer)
        listed = [bucket["key"] for outcome in aggs for bucket in found[outcome]["names"]["buckets"]]
        return list(dict.fromkeys(listed)), int(found["failure"]["total"]["value"]), is_complete(answer)

    async def _ranked(self, window: Window, filters: Filters, sort: str, names: list[str]) -> list["_Ranked"]:
        measures: Body = {**_by_outcome(), **_times()}
        if sort in ("users", "hosts"):
            measures["names"] = {"cardinality": {"field": FIELDS[sort[:-1]]}}
        answer = await self._store.search(self._store.events, _of(window, filters, names, measures))
        counted = [(bucket, _counts(bucket)) for bucket in buckets(answer, "names")]
        return [
            _Ranked(broke_in(counts.failure, counts.success), _measure(bucket, counts, sort), str(bucket["key"]))
            for bucket, counts in counted
            if counts.failure
        ]

    async def _details(self, window: Window, addresses: list[str]) -> dict[str, Attacker]:
        answer = await self._store.search(self._store.events, _of(window, Filters(), addresses, _about()))
        return {str(bucket["key"]): _attacker(bucket) for bucket in buckets(answer, "names")}


@dataclass(frozen=True, slots=True)
class _Ranked:
    """An address, whether it broke in, and what it is sorted by."""

    broke_in: bool
    measure: float
    address: str


def span(window: Window) -> Body:
    """The clause of a window."""
    return {"range": {"@timestamp": {"gte": window.since, "lt": window.until, "format": "epoch_second"}}}


def _counted(window: Window, filters: Filters, aggs: Body) -> Body:
    clauses = [span(window), {"range": {_ATTEMPT: {"gt": 0}}}, *filters.clauses()]
    return {"size": 0, "query": {"bool": {"filter": clauses}}, "aggs": aggs}


def _of(window: Window, filters: Filters, addresses: list[str], aggs: Body) -> Body:
    """The body of a search about some addresses."""
    terms = {"terms": {"field": FIELDS["address"], "size": len(addresses)}, "aggs": aggs}
    body = _counted(window, filters, {"names": terms})
    body["query"]["bool"]["filter"].append({"terms": {FIELDS["address"]: addresses}})
    return body


def _clause(name: str, text: str) -> Body:
    if name == "address" and not is_ip(text):
        return {"term": {"source.address": text}}
    return {"term": {FIELDS[name]: text}}


def _outcome(name: str) -> Body:
    return {"term": {"event.outcome": name}}


def _by_outcome() -> Body:
    """Aggregations that `_counts` reads."""
    number = {"number": {"sum": {"field": _ATTEMPT}}}
    return {**number, **{name: {"filter": _outcome(name), "aggs": number} for name in _OUTCOMES}}


def _counts(bucket: Body) -> Counts:
    success, failure = (int(bucket[name]["number"]["value"]) for name in _OUTCOMES)
    return Counts(success, failure, int(bucket["number"]["value"]) - success - failure)


def _sums() -> Body:
    return {name: {"sum": {"field": f"ogrewatch.auth.{name}"}} for name in (*_OUTCOMES, "unknown")}


def _summed(bucket: Body) -> Counts:
    return Counts(*(int(bucket[name]["value"]) for name in (*_OUTCOMES, "unknown")))


def _times() -> Body:
    return {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}}


def _measure(bucket: Body, counts: Counts, sort: str) -> float:
    if sort in ("users", "hosts"):
        return float(bucket["names"]["value"])
    if sort in ("first_seen", "last_seen"):
        return float(bucket[sort.removesuffix("_seen")]["value"])
    return float(counts.success if sort == "successes" else counts.failure)


def _about() -> Body:
    """Aggregations that `_attacker` reads."""
    success = {"got_in": {"filter": _outcome("success"), "aggs": {"last": {"max": {"field": "@timestamp"}}}}}
    services = {"terms": {"field": FIELDS["service"], "size": 5}, "aggs": _by_outcome()}
    names = {f"{name}s": {"terms": {"field": FIELDS[name], "size": NAMES // 2}} for name in ("user", "host")}
    numbers = {f"{name}_count": {"cardinality": {"field": FIELDS[name]}} for name in ("user", "host")}
    country = {"country": {"terms": {"field": FIELDS["country"], "size": 1}}}
    return {**_by_outcome(), **_times(), **success, "services": services, **names, **numbers, **country}


def _attacker(bucket: Body) -> Attacker:
    counts, got_in = _counts(bucket), bucket["got_in"]["last"]["value"]
    users, hosts = (tuple(str(one["key"]) for one in bucket[name]["buckets"]) for name in ("users", "hosts"))
    return Attacker(
        address=str(bucket["key"]),
        country=next((str(one["key"]) for one in bucket["country"]["buckets"]), ""),
        failures=counts.failure,
        successes=counts.success,
        users=users,
        user_count=int(bucket["user_count"]["value"]),
        users_more=False,
        hosts=hosts,
        host_count=int(bucket["host_count"]["value"]),
        hosts_more=False,
        first_seen=bucket["first"]["value"] / 1000,
        last_seen=bucket["last"]["value"] / 1000,
        last_success=got_in / 1000 if got_in else None,
        services={str(one["key"]): _counts(one).failure for one in bucket["services"]["buckets"]},
    )


def _composite(by: str, aggs: Body) -> Body:
    """Buckets of countries or cities, those without a name among them."""
    fields = {"country": FIELDS["country"], "city": "source.geo.city_name"}
    chosen = fields if by == "city" else {"country": fields["country"]}
    sources = [{name: {"terms": {"field": field, "missing_bucket": True}}} for name, field in chosen.items()]
    return {"composite": {"size": _PLACES, "sources": sources}, "aggs": aggs}


def _number_of_addresses() -> Body:
    return {"addresses": {"cardinality": {"field": FIELDS["address"]}}}


def _of_place() -> Body:
    return {"place": {"geo_centroid": {"field": "source.geo.location"}}, **_number_of_addresses()}


def _where(bucket: Body) -> tuple[str, str | None]:
    return bucket["key"]["country"] or "", bucket["key"].get("city")


def _place(bucket: Body) -> Body:
    place, (country, city) = bucket["place"].get("location", {}), _where(bucket)
    addresses = int(bucket["addresses"]["value"])
    where = {"country": country, "city": city, "lon": place.get("lon"), "lat": place.get("lat")}
    return where | {"addresses": addresses, "counts": _counts(bucket)}


def _others(answer: Body, name: str) -> bool:
    return bool(answer.get("aggregations", {}).get(name, {}).get("sum_other_doc_count"))
