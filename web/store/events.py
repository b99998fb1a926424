"""Searches events: pages of them, their facets, their histogram, and single ones by identity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web.search.elastic import query
from web.search.language import Term
from web.store.client import Body, Store, buckets, is_complete
from web.windows import iso

TOTAL = 100_000
"""Up to so many hits are counted exactly."""
_SORT = ("@timestamp", "_seq_no", "event.dataset")
_VALUES = 10  # of a facet
_DROPPED = 10  # terms that are left out in turn when nothing was found
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search within a time, from `since` to before `until`, epoch seconds; without `until` there is no end."""

    terms: Sequence[Term]
    since: float | None = None
    until: float | None = None

    @property
    def query(self) -> Body:
        """The query."""
        return query(self.terms, self.since, self.until)


class StoredEvents:
    """Asks `store`. Every method raises `StoreAway`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, wanted: Wanted, limit: int, oldest_first: bool, after: list[Any] | None) -> Body:
        """A page of events with `total`, `total_is`, `after` (None on the last page), `took_ms` and `complete`."""
        order = "asc" if oldest_first else "desc"
        body: Body = {
            "query": wanted.query, "size": limit, "track_total_hits": TOTAL,
            "sort": [{name: {"order": order, "unmapped_type": "long"}} for name in _SORT],
        }  # fmt: skip
        if after is not None:
            body["search_after"] = after
        answer = await self._store.search(self._store.events, body)
        hits, total = answer["hits"]["hits"], answer["hits"]["total"]
        return {
            "total": total["value"],
            "total_is": "exact" if total["relation"] == "eq" and is_complete(answer) else "at least",
            "events": [event_of(hit) for hit in hits],
            "after": hits[-1]["sort"] if len(hits) == limit else None,
            **_about(answer),
        }

    async def without(self, wanted: Wanted) -> list[Body]:
        """How many events there would be without each of the first terms."""
        terms = wanted.terms[:_DROPPED]
        parts = {
            str(place): Wanted([*wanted.terms[:place], *wanted.terms[place + 1 :]], wanted.since, wanted.until).query
            for place in range(len(terms))
        }
        body = {"size": 0, "aggs": {"without": {"filters": {"filters": parts}}}}
        found = (await self._store.search(self._store.events, body)).get("aggregations", {})
        counts = found.get("without", {}).get("buckets", {})
        return [
            {"term": term.text, "total": counts.get(str(n), {}).get("doc_count", 0)} for n, term in enumerate(terms)
        ]

    async def facets(self, wanted: Wanted, fields: Sequence[str]) -> Body:
        """The commonest values of fields, and how many there are."""
        terms = {f"v{n}": {"terms": {"field": field, "size": _VALUES}} for n, field in enumerate(fields)}
        numbers = {f"n{n}": {"cardinality": {"field": field}} for n, field in enumerate(fields)}
        body = {"size": 0, "query": wanted.query, "track_total_hits": TOTAL, "aggs": {**terms, **numbers}}
        answer = await self._store.search(self._store.events, body)
        found = answer.get("aggregations", {})
        shown = {field: _facet(found.get(f"v{n}"), found.get(f"n{n}")) for n, field in enumerate(fields)}
        return {"fields": shown, "total": answer["hits"]["total"]["value"], **_about(answer)}

    async def histogram(self, wanted: Wanted, until: float, number: int) -> Body:
        """Events by time in at most `number` steps of equal length, empty ones among them."""
        since = wanted.since or 0.0
        step = next((step for step in _STEPS if (until - since) / step <= number), _STEPS[-1])
        step *= max(1, -(-int((until - since) / step) // number))
        begin = int(since // step * step)
        times = {"date_histogram": {"field": "@timestamp", "fixed_interval": f"{step}s", "min_doc_count": 1}}
        failed = {"failed": {"filter": {"term": {"event.outcome": "failure"}}}}
        body = {"size": 0, "query": wanted.query, "aggs": {"times": {**times, "aggs": failed}}}
        answer = await self._store.search(self._store.events, body)
        found = {one["key"] // 1000: (one["doc_count"], one["failed"]["doc_count"]) for one in buckets(answer, "times")}
        starts = range(begin, int(until) + 1, step)
        rows = [
            {"time": iso(at), "count": found.get(at, (0, 0))[0], "failures": found.get(at, (0, 0))[1]} for at in starts
        ]
        return {"step": step, "buckets": rows, **_about(answer)}

    async def document(self, identity: str) -> Body | None:
        """The event with an identity, and where it is stored; None when there is none."""
        body = {"query": {"ids": {"values": [identity]}}, "size": 1, "seq_no_primary_term": True}
        hits = (await self._store.search(self._store.events, body))["hits"]["hits"]
        if not hits:
            return None
        return {"event": event_of(hits[0]), "index": hits[0]["_index"], "seq_no": hits[0].get("_seq_no")}

    async def neighbours(self, host: str, at: str, number: int) -> tuple[list[Body], list[Body]]:
        """The events of a host before and after a time, in order."""
        found = []
        for order, than in (("desc", "lt"), ("asc", "gt")):
            clauses = [{"term": {"host.hostname": host}}, {"range": {"@timestamp": {than: at}}}]
            body = {"query": {"bool": {"filter": clauses}}, "size": number, "sort": [{"@timestamp": order}]}
            found.append(
                [event_of(hit) for hit in (await self._store.search(self._store.events, body))["hits"]["hits"]]
            )
        return found[0][::-1], found[1]

    async def of_user(self, host: str, user: str, since: float, until: float, number: int) -> Body:
        """What a user did on a host, or was made there, from `since` to before `until`, oldest first, and `total`."""
        names = ("user.name", "user.effective.name", "user.target.name")
        span = {"gte": round(since * 1000), "lt": round(until * 1000), "format": "epoch_millis"}
        as_user = {"bool": {"should": [{"term": {name: user}} for name in names], "minimum_should_match": 1}}
        clauses = [{"term": {"host.hostname": host}}, as_user, {"range": {"@timestamp": span}}]
        body = {"query": {"bool": {"filter": clauses}}, "size": number, "sort": [{"@timestamp": "asc"}]}
        hits = (await self._store.search(self._store.events, body))["hits"]
        return {"events": [event_of(hit) for hit in hits["hits"]], "total": hits["total"]["value"]}

    async def unparsed(self, wanted: Wanted, number: int) -> Body:
        """How many events were understood, by dataset; and of those that were not, the newest messages by program."""
        lost = {"terms": {"event.dataset": ["syslog.unparsed", "json.unparsed"]}}
        programs = {"terms": {"field": "process.name", "size": 20, "missing": ""}}
        aggs = {
            "datasets": {"terms": {"field": "event.dataset", "size": 100}},
            "lost": {"filter": lost, "aggs": {"programs": programs}},
        }
        body = {"size": 0, "query": wanted.query, "track_total_hits": True, "aggs": aggs}
        answer = await self._store.search(self._store.events, body)
        newest = {
            "query": {"bool": {"filter": [wanted.query, lost]}}, "size": number, "sort": [{"@timestamp": "desc"}],
            "_source": ["message", "process.name"],
        }  # fmt: skip
        hits = (await self._store.search(self._store.events, newest))["hits"]["hits"]
        about = answer.get("aggregations", {"datasets": {"buckets": []}, "lost": {"doc_count": 0}})
        return {
            "lines": answer["hits"]["total"]["value"], "unparsed": about["lost"]["doc_count"],
            "datasets": _pairs(about["datasets"]), "programs": _pairs(about["lost"].get("programs", {"buckets": []})),
            "messages": [hit["_source"] for hit in hits], **_about(answer),
        }  # fmt: skip


def event_of(hit: Body) -> Body:
    """An event as the API shows it: its identity, and its document."""
    return {"id": hit["_id"], **hit["_source"]}


def _facet(values: Body | None, number: Body | None) -> Body:
    if values is None or number is None:
        return {"values": [], "other": 0, "distinct": 0}
    return {"values": _pairs(values), "other": values["sum_other_doc_count"], "distinct": number["value"]}


def _pairs(found: Body) -> list[Body]:
    return [{"value": one.get("key_as_string", one["key"]), "count": one["doc_count"]} for one in found["buckets"]]


def _about(answer: Body) -> Body:
    return {"took_ms": answer["took"], "complete": is_complete(answer)}
