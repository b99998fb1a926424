"""Asks Elasticsearch which events it holds, by identity or by time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from elasticsearch import ApiError, TransportError

from agents.settings import Settings
from sinks.elasticsearch.connection import client
from sinks.elasticsearch.templates import attempts_name, stream_name

StoreError = (ApiError, TransportError)
"""The errors that every method raises when Elasticsearch does not answer, or reports an error."""

_TIMEOUT = 60.0  # seconds for each answer
_IDS = 10_000  # ids in one search: the server's limit of hits
_HOUR = 3600  # seconds that one search covers, because a server allows 65,536 buckets
_OUTCOMES = ("success", "failure", "unknown")
_HITS = "hits.hits._id,hits.total.value,timed_out,_shards.failed"

Cell = tuple[int, str, str]
"""A minute, a service and an outcome."""


class Store:
    """The events of one installation. Every method blocks."""

    def __init__(self, settings: Settings) -> None:
        self._index = stream_name("*", settings.namespace)
        self._attempts = attempts_name(settings.namespace)
        self._client = client(settings.elasticsearch, request_timeout=_TIMEOUT)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def refresh(self) -> None:
        """Refresh the indices, so that the other methods see everything written."""
        self._client.indices.refresh(index=f"{self._index},{self._attempts}", ignore_unavailable=True)

    def stored(self, ids: Sequence[str]) -> Counter[str]:
        """Count documents by identity; identities without a document are left out."""
        found: Counter[str] = Counter()
        for start in range(0, len(ids), _IDS):
            found += self._search(ids[start : start + _IDS])
        return found

    def total(self, since: int) -> int:
        """Count documents of records that came at or after a time, in milliseconds since 1970."""
        query = {"range": {"event.created": {"gte": since, "format": "epoch_millis"}}}
        answer = self._client.count(index=self._index, query=query, ignore_unavailable=True)
        if answer["_shards"]["failed"]:
            raise TransportError("some shards do not answer")
        return int(answer["count"])

    def attempts(self, since: int, until: int) -> Counter[Cell]:
        """Sum up attempts of event documents in minutes from `since` to before `until`, seconds since 1970."""
        number = {"number": {"sum": {"field": "ogrewatch.attempt"}}}
        sums = {"outcomes": {"terms": {"field": "event.outcome", "missing": "unknown"}, "aggs": number}}
        found: Counter[Cell] = Counter()
        for minute, bucket in self._by_minute(self._index, "ogrewatch.service", sums, since, until):
            for outcome in bucket["outcomes"]["buckets"]:
                found[minute, bucket["key"], outcome["key"]] += int(outcome["number"]["value"])
        return +found

    def windows(self, since: int, until: int) -> Counter[Cell]:
        """Sum up attempts of the documents of closed minutes, in the same way."""
        sums = {outcome: {"sum": {"field": f"ogrewatch.auth.{outcome}"}} for outcome in _OUTCOMES}
        found: Counter[Cell] = Counter()
        for minute, bucket in self._by_minute(self._attempts, "ogrewatch.auth.service", sums, since, until):
            for outcome in _OUTCOMES:
                found[minute, bucket["key"], outcome] += int(bucket[outcome]["value"])
        return +found

    def _by_minute(
        self, index: str, service: str, sums: dict[str, Any], since: int, until: int
    ) -> Iterator[tuple[int, Any]]:
        """Buckets of services by minute."""
        services = {"services": {"terms": {"field": service, "size": 1000, "missing": "unknown"}, "aggs": sums}}
        minutes = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m", "min_doc_count": 1}}
        for begin in range(since, until, _HOUR):
            span = {"gte": begin * 1000, "lt": min(until, begin + _HOUR) * 1000, "format": "epoch_millis"}
            answer = self._client.search(
                index=index, size=0, query={"range": {"@timestamp": span}}, ignore_unavailable=True,
                aggs={"minutes": {**minutes, "aggs": services}},
            )  # fmt: skip
            if answer["timed_out"] or answer["_shards"]["failed"]:
                raise TransportError("some shards do not answer")
            for minute in answer.get("aggregations", {}).get("minutes", {}).get("buckets", ()):
                for bucket in minute["services"]["buckets"]:
                    yield minute["key"] // 1000, bucket

    def _search(self, ids: Sequence[str]) -> Counter[str]:
        """Search for ids. When duplicates make more hits than one search returns, search for two halves."""
        answer = self._client.search(
            index=self._index, query={"ids": {"values": ids}}, size=_IDS, sort="_doc", source=False,
            track_total_hits=True, ignore_unavailable=True, filter_path=_HITS,
        )  # fmt: skip
        if answer["timed_out"] or answer["_shards"]["failed"]:
            raise TransportError("some shards do not answer")
        if answer["hits"]["total"]["value"] > _IDS:
            middle = len(ids) // 2
            return self._search(ids[:middle]) + self._search(ids[middle:])
        return Counter(hit["_id"] for hit in answer["hits"].get("hits", ()))
