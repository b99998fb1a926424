"""Identities of events and times in, what Elasticsearch holds of them out."""

from collections import Counter
from collections.abc import Sequence

from elasticsearch import ApiError, TransportError

from agents.settings import Settings
from sinks.elasticsearch.connection import client
from sinks.elasticsearch.setup import stream_name

StoreError = (ApiError, TransportError)
"""What every method raises when Elasticsearch does not answer, or not well."""

_TIMEOUT = 60.0  # seconds
_IDS = 10_000  # of one search: the server's limit of hits
_HITS = "hits.hits._id,hits.total.value,timed_out,_shards.failed"


class Store:
    """The events of one installation. Every method blocks."""

    def __init__(self, settings: Settings) -> None:
        self._index = stream_name("*", settings.namespace)
        self._client = client(settings.elasticsearch, request_timeout=_TIMEOUT)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def refresh(self) -> None:
        """Make what was written visible to the other methods."""
        self._client.indices.refresh(index=self._index, ignore_unavailable=True)

    def stored(self, ids: Sequence[str]) -> Counter[str]:
        """How many documents there are of each identity; those without are left out."""
        found: Counter[str] = Counter()
        for start in range(0, len(ids), _IDS):
            found += self._search(ids[start : start + _IDS])
        return found

    def total(self, since: int) -> int:
        """Documents of records that came at or after a time, milliseconds since 1970."""
        query = {"range": {"event.created": {"gte": since, "format": "epoch_millis"}}}
        answer = self._client.count(index=self._index, query=query, ignore_unavailable=True)
        if answer["_shards"]["failed"]:
            raise TransportError("some shards do not answer")
        return int(answer["count"])

    def _search(self, ids: Sequence[str]) -> Counter[str]:
        """One search; a document met twice makes more hits than a search returns, then in two halves."""
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
