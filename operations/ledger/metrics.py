"""Shows the last result of the ledger as Prometheus metrics; `docs/ledger.md` explains each."""

import time
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from operations.ledger.balance import Ledger
from operations.ledger.counts import Raw, Typed

_HOST = "127.0.0.1"
_Row = tuple[Raw | Typed, str, int | None]
"""A partition, the role that the number is about, and the number; None where it is not known."""


class LedgerMetrics(Collector):
    """Collects metrics from the ledger that was noted last, and none before the first."""

    def __init__(self) -> None:
        self._seen: Ledger | None = None
        self._at = 0.0

    def note(self, seen: Ledger) -> None:
        """Show this ledger from now on."""
        self._seen, self._at = seen, time.time()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return the metrics, without asking Kafka or Elasticsearch."""
        if self._seen is not None:
            yield _gauge("look_timestamp_seconds", "When Kafka and Elasticsearch were asked.", self._at)
            yield from _sums(self._seen)
            yield from _partitions(self._seen)


def serve(port: int) -> LedgerMetrics:
    """Show metrics on a port of 127.0.0.1 from a thread. Raises `OSError` when it is taken."""
    registry, metrics = CollectorRegistry(), LedgerMetrics()
    registry.register(metrics)
    start_http_server(port, _HOST, registry)
    return metrics


def _gauge(name: str, explained: str, value: float | None = None, labels: Sequence[str] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ogrewatch_ledger_{name}", explained, value, labels or None)


def _sums(seen: Ledger) -> Iterator[GaugeMetricFamily]:
    yield _gauge("balanced", "1 when every record is accounted for, else 0.", not seen.wrongs)
    yield _gauge("received", "Records received since the time that is looked at.", seen.received)
    yield _gauge("stored", "Those that Elasticsearch holds.", seen.stored)
    yield _gauge("dead_lettered", "Those that are dead letters, and not stored.", seen.dead)
    yield _gauge("under_way", "The most that may be on their way.", seen.in_flight)
    yield _gauge("missing", "Those that are nowhere, as far as that is proven.", seen.missing)


def _partitions(seen: Ledger) -> Iterator[GaugeMetricFamily]:
    raw, typed = [*seen.facts.raw.values(), *seen.facts.replay.values()], list(seen.facts.typed.values())
    consumed = [*_of("normalize", raw, "consumed"), *_of("index", typed, "indexed"), *_of("count", typed, "counted")]
    consumed += _of("detect", typed, "judged")
    yield _rows("partition_consumed", "Records that a role has finished with.", (
        (row, role, None if offset is None else max(0, offset - row.begin)) for row, role, offset in consumed
    ))  # fmt: skip
    yield _rows("partition_lag", "Records that a role has not finished with.", (
        *_of("normalize", raw, "lag"), *_of("index", typed, "lag"), *_of("count", typed, "count_lag"),
        *_of("detect", typed, "judge_lag"),
    ))  # fmt: skip
    letters = (*_of("normalize", raw, "letters"), *_of("index", typed, "letters"))
    yield _rows("partition_dead_lettered", "Records that are dead letters.", letters)
    if seen.exact:
        yield from _scanned(list(seen.facts.raw.values()), typed)


def _scanned(raw: list[Raw], typed: list[Typed]) -> Iterator[GaugeMetricFamily]:
    """Metrics that are known after every record was looked at."""
    missing = [(row, role, len(row.missing)) for role, rows in (("normalize", raw), ("index", typed)) for row in rows]
    doubled = [(row, "index", len(row.doubled)) for row in typed]
    yield _rows("partition_produced", "Events that were made of records.", _of("normalize", raw, "produced"))
    yield _rows("partition_stored", "Events that Elasticsearch holds.", _of("index", typed, "stored"))
    yield _rows("partition_present", "Events met once more, which it had already.", _of("index", typed, "repeated"))
    yield _rows("partition_missing", "Records finished with that are nowhere.", missing)
    yield _rows("partition_doubled", "Events stored more than once.", doubled)


def _of(role: str, rows: Iterable[Raw | Typed], name: str) -> list[_Row]:
    return [(row, role, getattr(row, name)) for row in rows]


def _rows(name: str, explained: str, rows: Iterable[_Row]) -> GaugeMetricFamily:
    family = _gauge(name, explained, labels=("role", "topic", "partition"))
    for row, role, number in rows:
        if number is not None:
            family.add_metric((role, row.topic, str(row.partition)), number)
    return family
