"""Defines the Prometheus metrics that every receiver shows, so that all have the same names.

Each receiver has its own registry; the label `way` says which receiver it is ("http", "amqp").
"""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge, Histogram
from prometheus_client import Counter as Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from ingest.base import Failure, Outcome
from topics.kafka.producer import Outgoing

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The metrics of one receiver, which is named in the label `way`."""

    def __init__(self, receiver: str) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, doc: str, *labels: str) -> Metric:
            return Metric(f"ogrewatch_ingest_{name}", doc, ("way", *labels), registry=self.registry)

        def gauge(name: str, doc: str) -> Gauge:
            return Gauge(f"ogrewatch_ingest_{name}", doc, ("way",), registry=self.registry).labels(receiver)

        self.receiver = receiver
        self.requests = counter("requests", "Requests, by how they ended.", "endpoint", "status")
        self.records = counter("records", "Records by what became of them.", "topic", "result")
        self.bytes = counter("received_bytes", "Bytes of bodies as they came, before unpacking.").labels(receiver)
        self.refused = counter("refused", "Requests refused before anything of them was accepted.", "reason")
        self.seconds = Histogram(
            "ogrewatch_ingest_seconds",
            "From the request to its answer.",
            ("way",),
            buckets=_SECONDS,
            registry=self.registry,
        ).labels(receiver)
        self.pending = gauge("pending_records", "Records given to Kafka and not yet acknowledged by it.")
        self.held = gauge("held_bytes", "Bytes of requests in memory.")
        self.connections = gauge("connections", "Open connections.")
        self.kafka_up = gauge("kafka_up", "Whether Kafka answers.")

    def delivered(self, records: Sequence[Outgoing], outcomes: Sequence[Outcome]) -> None:
        """Count records that Kafka stored and records that it did not, by topic."""
        pairs = zip(records, outcomes, strict=True)
        failed = Counter(record.topic for record, outcome in pairs if type(outcome) is Failure)
        for topic, number in Counter(record.topic for record in records).items():
            self._count(topic, "delivered", number - failed[topic])
            self._count(topic, "failed", failed[topic])

    def rejected(self, topic: str, number: int) -> None:
        """Count items of a request that were never given to Kafka because they are no events."""
        self._count(topic, "rejected", number)

    def _count(self, topic: str, result: str, number: int) -> None:
        if number:
            self.records.labels(self.receiver, topic, result).inc(number)

    def page(self) -> tuple[bytes, str]:
        """Return the metrics in Prometheus's text format, and their content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST
