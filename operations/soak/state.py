"""Asks an installation what was committed, counted, stored and given up. Every method blocks."""

import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from operations.soak.expected import Cell, records
from operations.soak.site import Site
from topics.catalogue import DEADLETTER, READ_BY
from topics.kafka.reader import Reader
from topics.records.deadletter import read

_TIMEOUT = 20.0  # seconds for each answer
_OUTCOMES = ("success", "failure", "unknown")


@dataclass(frozen=True)
class State:
    """Asks Kafka, the count workers and Elasticsearch. Raises the errors of their clients."""

    site: Site

    def uncommitted(self) -> Counter[str]:
        """The number of records by role that its group has not committed."""
        with Reader(self.site.settings.kafka) as reader:
            return Counter({role: reader.left(role, self.site.settings.prefix) for role in READ_BY})

    def letters(self) -> set[str]:
        """The dead letters. One that was written several times is returned once."""
        return {read(message).id for message in records(self.site.settings, DEADLETTER.name)}

    def counted(self, minutes: range) -> Counter[Cell]:
        """Attempts by cell as count workers answer now. Raises `LookupError` while partitions are missing."""
        found: Counter[Cell] = Counter()
        urls = self._count_workers()
        for minute in minutes:
            partitions: list[int] = []
            for url in urls:
                answer = _get(f"{url}/v1/attempts?by=service&since={minute}&until={minute + 60}")
                partitions += answer["partitions"]
                for service, row in answer["rows"].items():
                    found.update({(minute, service, outcome): row[outcome] for outcome in _OUTCOMES})
            if sorted(partitions) != list(range(self.site.settings.partitions)):
                raise LookupError(f"only partitions {sorted(partitions)} answer")
        return +found

    def counted_from(self, address: str) -> int:
        """Attempts of the last day that count workers have of an address."""
        now = int(time.time())
        asked = f"/v1/attackers/{address}?since={now - 86_400}&until={now + 3600}"
        return sum(bool(_get(url + asked)["attacker"]) for url in self._count_workers())

    def stored_from(self, address: str) -> int:
        """The number of documents whose source is an address."""
        query = {"term": {"source.ip": address}}
        return int(self._elasticsearch.count(index="logs-ogrewatch.*", query=query, ignore_unavailable=True)["count"])

    def refresh(self) -> None:
        """Refresh the indices, so that searches find everything stored."""
        self._elasticsearch.indices.refresh(index="*ogrewatch*", ignore_unavailable=True, expand_wildcards="all")

    def windows(self) -> Counter[Cell]:
        """Attempts by cell, summed up over closed minutes in Elasticsearch."""
        found: Counter[Cell] = Counter()
        sums = {outcome: {"sum": {"field": f"ogrewatch.auth.{outcome}"}} for outcome in _OUTCOMES}
        for minute, bucket in self._by_minute("metrics-ogrewatch.auth", "ogrewatch.auth.service", sums):
            for outcome in _OUTCOMES:
                found[minute, bucket["key"], outcome] += int(bucket[outcome]["value"])
        return +found

    def attempts(self) -> Counter[Cell]:
        """Attempts by cell, summed up over documents in Elasticsearch."""
        found: Counter[Cell] = Counter()
        number = {"number": {"sum": {"field": "ogrewatch.attempt"}}}
        sums = {"outcomes": {"terms": {"field": "event.outcome", "missing": "unknown"}, "aggs": number}}
        for minute, bucket in self._by_minute("logs-ogrewatch.*", "ogrewatch.service", sums):
            for outcome in bucket["outcomes"]["buckets"]:
                found[minute, bucket["key"], outcome["key"]] += int(outcome["number"]["value"])
        return +found

    def _by_minute(self, streams: str, service: str, sums: dict[str, Any]) -> Any:
        services = {"services": {"terms": {"field": service, "size": 1000, "missing": "unknown"}, "aggs": sums}}
        minutes = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m", "min_doc_count": 1}}
        answer = self._elasticsearch.search(
            index=f"{streams}-{self.site.settings.namespace}",
            ignore_unavailable=True,  # nothing was ever closed: that is for the verdict to say
            size=0,
            aggs={"minutes": {**minutes, "aggs": services}},
        )
        for minute in answer.get("aggregations", {"minutes": {"buckets": ()}})["minutes"]["buckets"]:
            for bucket in minute["services"]["buckets"]:
                yield minute["key"] // 1000, bucket

    def _count_workers(self) -> list[str]:
        """The addresses of count workers that answer. Raises `LookupError`."""
        for url in self.site.count_urls:
            try:
                return list(_get(f"{url}/v1/owners")["workers"])
            except OSError:
                continue
        raise LookupError("no count worker answers")

    @cached_property
    def _elasticsearch(self) -> Any:
        from elasticsearch import Elasticsearch

        return Elasticsearch(self.site.elasticsearch.address, request_timeout=60)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
        return orjson.loads(answer.read())
