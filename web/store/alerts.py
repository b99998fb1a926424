"""Searches alerts as they are stored: one document an alert, with what people did with it."""

from dataclasses import dataclass
from typing import Any

from sinks.elasticsearch.alerts import alerts_name
from topics.documents.alert import ACKNOWLEDGED, CLOSED, OPEN
from topics.documents.ecs import iso
from web.store.client import Body, Store, is_complete

STATES = ("all", OPEN, ACKNOWLEDGED, CLOSED)
LEVELS = ("critical", "high", "medium", "low", "informational")
_TOTAL = 100_000
"""Up to so many alerts are counted exactly."""
_SORT = [
    {"@timestamp": {"order": "desc", "unmapped_type": "date"}},
    {"event.id": {"order": "desc", "unmapped_type": "keyword"}},
]


@dataclass(frozen=True, slots=True)
class WantedAlerts:
    """Which alerts: of a state ("all": any), of a rule (name or id), of levels, changed from `since` to before `until`
    (epoch seconds). What is empty or None asks for nothing.
    """

    state: str = "all"
    rule: str = ""
    levels: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None

    def query(self) -> Body:
        """The query."""
        must: list[Body] = []
        if self.state != "all":
            must.append({"term": {"ogrewatch.alert.status": self.state}})
        if self.levels:
            must.append({"terms": {"ogrewatch.alert.level": list(self.levels)}})
        if self.rule:
            either = [{"term": {"ogrewatch.alert.rule": self.rule}}, {"term": {"rule.id": self.rule}}]
            must.append({"bool": {"should": either, "minimum_should_match": 1}})
        times = {"gte": self.since, "lt": self.until}
        if given := {name: iso(int(at * 1e6)) for name, at in times.items() if at is not None}:
            must.append({"range": {"@timestamp": given}})
        return {"bool": {"filter": must}}


class StoredAlerts:
    """Asks `store`. Every method raises `StoreAway`."""

    def __init__(self, store: Store, namespace: str) -> None:
        self._store, self._alias = store, alerts_name(namespace)

    async def page(self, wanted: WantedAlerts, limit: int, after: list[Any] | None = None) -> Body:
        """The alerts that changed last, with `total`, and `after` (None on the last page)."""
        body: Body = {"query": wanted.query(), "size": limit, "track_total_hits": _TOTAL, "sort": _SORT}
        if after is not None:
            body["search_after"] = after
        answer = await self._store.search(self._alias, body)
        hits, total = answer["hits"]["hits"], answer["hits"]["total"]
        exact = total["relation"] == "eq" and is_complete(answer)
        return {
            "total": total["value"],
            "total_is": "exact" if exact else "at least",
            "alerts": [shown(hit) for hit in hits],
            "after": hits[-1]["sort"] if len(hits) == limit else None,
        }

    async def get(self, identity: str) -> Body | None:
        """One alert; None if there is none of that id."""
        answer = await self._store.search(self._alias, {"query": {"ids": {"values": [identity]}}, "size": 1})
        hits = answer["hits"]["hits"]
        return shown(hits[0]) if hits else None

    async def called(self, text: str) -> list[Body]:
        """Alerts whose ids begin with a text, two at most."""
        body = {"query": {"prefix": {"event.id": text}}, "size": 2, "sort": _SORT}
        return [shown(hit) for hit in (await self._store.search(self._alias, body))["hits"]["hits"]]


def shown(hit: Body) -> Body:
    """The document of a hit, with its id."""
    return {"id": hit["_id"], **hit["_source"]}
