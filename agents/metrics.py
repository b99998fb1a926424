"""Counts what happens to batches, as Prometheus metrics. `docs/metrics.md` explains each of them.

Methods are to be called per batch, never per record. Names: https://prometheus.io/docs/practices/naming/
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which says when it began
REGISTRY = CollectorRegistry()
"""Every metric of this process; its health port and the web role show it."""


def _counter(name: str, explained: str, *labels: str) -> Counter:
    return Counter(f"ogrewatch_{name}", explained, ("role", *labels), registry=REGISTRY)


_CONSUMED = _counter("records_consumed", "Records taken from a topic.", "topic")
_PRODUCED = _counter("records_produced", "Records delivered to a topic, dead letters not among them.", "topic")
_DEAD = _counter("records_dead_lettered", "Records of a topic that became dead letters.", "topic")
_FILTERED = _counter("records_filtered", "Records of a topic that were left out on purpose.", "topic")
_COUNTED = _counter("records_counted", "Login attempts entered into the windows.")
_LATE = _counter("records_late", "Login attempts whose window had been dropped already.")
_UNNAMED = _counter("names_without_room", "Addresses and users of login attempts that were counted as others.")
_JUDGED = _counter("records_judged", "Events and forwarded matches judged by rules.")
_MATCHED = _counter("rule_matches", "Events that a rule holds for, each rule counted.")
_MATCHED_LATE = _counter("rule_matches_late", "Matches that came too late, or from the future, to count in a window.")
_EVICTED = _counter("rule_groups_evicted", "Groups of rules that were forgotten for want of room.")
_ALERTED = _counter("alert_revisions", "Revisions of alerts published.")
_STORED = _counter("records_stored", "Events that Elasticsearch stored.")
_PRESENT = _counter("records_present", "Events that Elasticsearch had already (status 409).")
_REJECTED = _counter("records_rejected", "Events that Elasticsearch will never take.")
_RETRIES = _counter("elasticsearch_retries", "Bulk requests sent again; `status` is none without an answer.", "status")
_WAITED = _counter("documents_put_off", "Documents that wait for Elasticsearch, each time they are refused.", "type")
_COMMITTED = Gauge(
    "ogrewatch_last_commit_timestamp_seconds",
    "When offsets were last committed; when the process began, before it committed any.",
    ("role",),
    registry=REGISTRY,
)
_HOPS = Histogram(
    "ogrewatch_hop_seconds",
    "Age of a batch's first record in the topic that the role reads; `stage` is taken (by the role) or done (durable).",
    ("role", "stage"),
    registry=REGISTRY,
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0, 3600.0),
)
_WRITES = Histogram(
    "ogrewatch_elasticsearch_write_seconds",
    "How long Elasticsearch took to decide on the documents of a write, with all that was sent again.",
    ("role",),
    registry=REGISTRY,
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0),
)
_PAUSED = Gauge(
    "ogrewatch_partition_paused",
    "1: most of a partition's records fail, and so do our own samples; it waits for a version that can.",
    ("role", "topic", "partition"),
    registry=REGISTRY,
)
_GROUPS = Gauge("ogrewatch_rule_groups", "Groups of rules in memory.", ("role",), registry=REGISTRY)
_RULES = Gauge("ogrewatch_rules_info", "Always 1; the label names the rules in force.", ("version",), registry=REGISTRY)
_BUILD = Gauge("ogrewatch_build_info", "Always 1; the labels tell.", ("version", "python"), registry=REGISTRY)

_BUILD.labels(version("ogrewatch"), platform.python_version()).set(1)
ProcessCollector(registry=REGISTRY)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a partition stands: batches and bytes handed out and not acknowledged, records not handed out yet, and how
    many seconds ago the oldest of these records came.
    """

    topic: str
    partition: int
    batches: int
    bytes: int
    lag: int
    behind: float = 0.0


@dataclass(frozen=True, slots=True)
class Membership:
    """How a role is doing in its group: whether it works now, how often it was assigned partitions, and how long the
    last time took until it worked, seconds.
    """

    is_ready: bool
    assignments: int
    recovery_seconds: float


class _Standings(Collector):
    """Asks each role's transport when Prometheus asks, so that partitions that moved away are gone at once."""

    def __init__(self) -> None:
        self.sources: dict[str, Callable[[], Iterable[Standing]]] = {}
        self.members: dict[str, Callable[[], Membership]] = {}

    def collect(self) -> Iterator[Metric]:
        yield from self._partitions()
        yield from self._roles()

    def _partitions(self) -> Iterator[Metric]:
        labels = ("role", "topic", "partition")
        batches = GaugeMetricFamily("ogrewatch_batches_in_flight", "Batches not acknowledged yet.", labels=labels)
        size = GaugeMetricFamily("ogrewatch_bytes_in_flight", "Bytes of batches not acknowledged yet.", labels=labels)
        lag = GaugeMetricFamily("ogrewatch_lag_records", "Records that no batch has held yet.", labels=labels)
        behind = GaugeMetricFamily(
            "ogrewatch_seconds_behind", "How long ago the oldest record came that is not done.", labels=labels
        )
        for role, source in list(self.sources.items()):
            for at in source():
                names = (role, at.topic, str(at.partition))
                batches.add_metric(names, at.batches)
                size.add_metric(names, at.bytes)
                lag.add_metric(names, at.lag)
                behind.add_metric(names, at.behind)
        yield from (batches, size, lag, behind)

    def _roles(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("ogrewatch_ready", "Whether the role does its work now.", labels=("role",))
        rebalances = CounterMetricFamily(
            "ogrewatch_rebalances", "How often the role was assigned partitions.", labels=("role",)
        )
        recovery = GaugeMetricFamily(
            "ogrewatch_recovery_seconds", "How long it took from the last assignment until it worked.", labels=("role",)
        )
        for role, member in list(self.members.items()):
            about = member()
            ready.add_metric((role,), about.is_ready)
            rebalances.add_metric((role,), about.assignments)
            recovery.add_metric((role,), about.recovery_seconds)
        yield from (ready, rebalances, recovery)


_STANDINGS = _Standings()
REGISTRY.register(_STANDINGS)


class Metrics:
    """One role's metrics. Making it twice gives the same counters. No method blocks or raises."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._counted, self._late, self._unnamed = (family.labels(role) for family in (_COUNTED, _LATE, _UNNAMED))
        self._stored, self._present, self._rejected = (family.labels(role) for family in (_STORED, _PRESENT, _REJECTED))
        self._committed = _COMMITTED.labels(role)
        self._hops = {stage: _HOPS.labels(role, stage) for stage in ("taken", "done")}
        self._committed.set(time.time())

    def reads(self, topics: Iterable[str]) -> None:
        """Show these topics from the beginning, as 0: what Prometheus first sees at 5 is no increase to it."""
        for topic in topics:
            self.consumed(topic, 0)
            self.dead_lettered(topic, 0)

    def consumed(self, topic: str, records: int) -> None:
        """A batch was taken from `topic`."""
        _CONSUMED.labels(self._role, topic).inc(records)

    def produced(self, topic: str, records: int) -> None:
        """Records were delivered to `topic`."""
        _PRODUCED.labels(self._role, topic).inc(records)

    def dead_lettered(self, topic: str, records: int = 1) -> None:
        """Records of `topic` (the one they were read from) became dead letters."""
        _DEAD.labels(self._role, topic).inc(records)

    def filtered(self, topic: str, records: int) -> None:
        """Records of `topic` were left out on purpose."""
        _FILTERED.labels(self._role, topic).inc(records)

    def counted(self, attempts: int, late: int = 0, unnamed: int = 0) -> None:
        """Attempts were counted, others came too late for that; so many addresses and users were not told apart."""
        self._counted.inc(attempts)
        self._late.inc(late)
        self._unnamed.inc(unnamed)

    def judged(self, records: int, matches: int, late: int, evicted: int) -> None:
        """Records were judged; so many matches, late ones among them, and groups that had to go."""
        for family, number in ((_JUDGED, records), (_MATCHED, matches), (_MATCHED_LATE, late), (_EVICTED, evicted)):
            family.labels(self._role).inc(number)

    def alerted(self, revisions: int) -> None:
        """Revisions of alerts were published."""
        _ALERTED.labels(self._role).inc(revisions)

    def groups(self, number: int, rules: str) -> None:
        """So many groups are in memory, and these rules are in force."""
        _GROUPS.labels(self._role).set(number)
        _RULES.clear()
        _RULES.labels(rules).set(1)

    def written(self, stored: int, present: int, rejected: int) -> None:
        """Elasticsearch has decided on every event of a batch."""
        self._stored.inc(stored)
        self._present.inc(present)
        self._rejected.inc(rejected)

    def retried(self, status: int | None) -> None:
        """A request to Elasticsearch is about to be sent again: after this status, or without an answer."""
        _RETRIES.labels(self._role, str(status or "none")).inc()

    def put_off(self, kind: str, documents: int) -> None:
        """Documents wait, for an error of a type that is not their own fault."""
        _WAITED.labels(self._role, kind).inc(documents)

    def paused(self, topic: str, partition: int, is_paused: bool) -> None:
        """A partition waits because this version cannot process its records; or it does not any more."""
        labels = self._role, topic, str(partition)
        if is_paused:
            _PAUSED.labels(*labels).set(1)
        else:
            with suppress(KeyError):
                _PAUSED.remove(*labels)

    def committed(self) -> None:
        """Offsets were committed just now."""
        self._committed.set(time.time())

    def hop(self, stage: str, age: float) -> None:
        """A batch whose first record came `age` seconds ago is taken by the role, or done."""
        self._hops[stage].observe(max(0.0, age))

    def wrote(self, seconds: float) -> None:
        """Elasticsearch took so long to decide on the documents of a write."""
        _WRITES.labels(self._role).observe(seconds)

    def watch(self, standings: Callable[[], Iterable[Standing]], member: Callable[[], Membership]) -> None:
        """Call these whenever Prometheus asks, in another thread: they must copy what the event loop changes."""
        _STANDINGS.sources[self._role] = standings
        _STANDINGS.members[self._role] = member
