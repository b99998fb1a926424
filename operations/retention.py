"""Deletes documents that are older than the settings allow, where Elasticsearch does not do it by itself.

A data stream keeps its documents in backing indices. It writes to the newest, which is never deleted: it rolls over,
and an older one is deleted when all its documents came longer ago than the limit, that is, when its successor was
created then. Alerts are in one index, and go one by one.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-rollover
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError

from sinks.elasticsearch.retention import ALERTS, ATTEMPTS, KINDS, RetentionSettings
from sinks.elasticsearch.templates import attempts_name, stream_name

_DAY = 86_400_000  # milliseconds
_CHUNK = 1000  # alerts in one request
_WITHIN = 60.0  # seconds for one request
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was done, or would be: `kind` is lifecycle, rollover, delete or alerts."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Backing:
    """A backing index; `created` is milliseconds since 1970."""

    name: str
    created: int
    number: str


class Retention:
    """Applies the settings to the data streams and alerts of a namespace. `client` is not closed.

    With `dry` nothing is changed. `now` is milliseconds since 1970. Methods raise what the client raises.
    """

    def __init__(
        self,
        client: Elasticsearch,
        namespace: str,
        settings: RetentionSettings,
        dry: bool = False,
        now: int | None = None,
    ) -> None:
        self._client = client.options(request_timeout=_WITHIN)
        self._namespace, self._settings, self._dry = namespace, settings, dry
        self._now = time.time_ns() // 1_000_000 if now is None else now

    def run(self) -> Iterator[Change]:
        """Do what is due, and yield what was done, or what would be."""
        for kind in KINDS:
            stream = attempts_name(self._namespace) if kind == ATTEMPTS else stream_name(kind, self._namespace)
            if backing := self._backing(stream):
                known = self._lifecycle(stream)
                yield from self._by_us(kind, stream, backing) if known is None else self._told(kind, stream, known)
        yield from self._alerts()

    def _backing(self, stream: str) -> list[_Backing]:
        """The backing indices of a data stream, the oldest first; none if there is no such stream."""
        params = {"features": "settings", "ignore_unavailable": "true", "expand_wildcards": "all",
                  "filter_path": "*.data_stream,*.settings.index.creation_date"}  # fmt: skip
        try:
            answer = self._client.perform_request("GET", f"/{stream}", params=params, headers=_JSON).body
        except NotFoundError:
            return []
        found = [
            _Backing(name, int(about["settings"]["index"]["creation_date"]), name.rpartition("-")[2])
            for name, about in answer.items()
            if about.get("data_stream") == stream
        ]
        return sorted(found, key=lambda one: (int(one.number) if one.number.isdigit() else 0, one.created))

    def _lifecycle(self, stream: str) -> dict[str, Any] | None:
        """The life cycle that the server follows for a stream; None if it knows no life cycles."""
        try:
            found = self._client.perform_request("GET", f"/_data_stream/{stream}/_lifecycle", headers=_JSON).body
        except ApiError as error:
            if error.status_code in (400, 404, 405):  # no handler for this path, in builds without life cycles
                return None
            raise
        return dict(found["data_streams"][0].get("lifecycle") or {})

    def _told(self, kind: str, stream: str, known: dict[str, Any]) -> Iterator[Change]:
        """Tell the server if it follows another life cycle than ours."""
        wanted = self._settings.lifecycle(kind)
        if known.get("data_retention") == wanted.get("data_retention") and known.get("enabled"):
            return
        if not self._dry:
            path = f"/_data_stream/{stream}/_lifecycle"
            self._client.perform_request("PUT", path, headers=_JSON, body=wanted)
        kept = wanted.get("data_retention", "for ever")
        yield Change("lifecycle", stream, f"keeps documents {kept} (before: {known.get('data_retention', 'for ever')})")

    def _by_us(self, kind: str, stream: str, backing: list[_Backing]) -> Iterator[Change]:
        days = self._settings.of(kind)
        for older, newer in pairwise(backing):
            if days and newer.created < self._now - days * _DAY:
                if not self._dry:
                    self._client.indices.delete(index=older.name)
                yield Change("delete", older.name, f"its last document came before {_date(newer.created)} UTC")
        answer = self._client.indices.rollover(alias=stream, conditions=self._settings.conditions(), dry_run=self._dry)
        if answer["rolled_over"] or (self._dry and _is_due(answer["conditions"])):
            yield Change("rollover", stream, f"{answer['old_index']} is followed by {answer['new_index']}")

    def _alerts(self) -> Iterator[Change]:
        """Delete alerts whose last change, by a rule or by somebody, is too old. One that changes meanwhile stays."""
        days, name = self._settings.of(ALERTS), f"alerts-ogrewatch-{self._namespace}"
        if not days or not self._client.indices.exists(index=name):
            return
        since = {"lt": self._now - days * _DAY, "format": "epoch_millis"}
        young = {"range": {"ogrewatch.alert.acted_at": {"gte": since["lt"], "format": "epoch_millis"}}}
        query = {"bool": {"filter": [{"range": {"@timestamp": since}}], "must_not": [young]}}
        number = int(self._client.count(index=name, query=query)["count"]) if self._dry else self._delete(name, query)
        if number:
            yield Change("alerts", name, f"{number} alerts that last changed more than {days} days ago")

    def _delete(self, name: str, query: dict[str, Any]) -> int:
        deleted = 0
        self._client.indices.refresh(index=name)
        while hits := self._client.search(index=name, query=query, size=_CHUNK, source=False, seq_no_primary_term=True)[
            "hits"
        ]["hits"]:
            operations = [
                {"delete": {"_index": hit["_index"], "_id": hit["_id"], "if_seq_no": hit["_seq_no"],
                            "if_primary_term": hit["_primary_term"]}}
                for hit in hits
            ]  # fmt: skip
            answer = self._client.bulk(operations=operations, refresh=True)
            done = sum(item["delete"]["status"] == 200 for item in answer["items"])
            deleted += done
            if not done:
                break
        return deleted


def _is_due(conditions: dict[str, bool]) -> bool:
    """Whether a dry run's conditions would have made a stream roll over: one of the maxima holds, and all minima do."""
    maxima = [holds for name, holds in conditions.items() if name.startswith("[max")]
    minima = [holds for name, holds in conditions.items() if name.startswith("[min")]
    return any(maxima) and all(minima)


def _date(millis: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(millis / 1000))
