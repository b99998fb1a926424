"""What all requests share: settings, Kafka, limits, metrics, and the one way to store records."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.base import Failure, Outcome, Record
from ingest.http.auth import Access, Who
from ingest.http.decode.avro import Texts
from ingest.http.decode.worker_pool import Workers
from ingest.http.responses import Answer, Refusal
from ingest.idempotency import Once
from ingest.kafka_metadata import OUTSIDE, Cluster
from ingest.kafka_producer import Delivery
from ingest.limits import Buckets, Room
from ingest.metrics import Metrics
from ingest.settings import IngestSettings

_WORKERS = 2


@dataclass(slots=True)
class Service:
    """One proxy's state."""

    settings: IngestSettings
    delivery: Delivery
    cluster: Cluster
    access: Access
    metrics: Metrics
    room: Room = field(init=False)
    buckets: Buckets = field(init=False)
    once: Once[Answer] = field(init=False)
    schemas: Texts = field(default_factory=Texts)
    workers: Workers = field(init=False)
    draining: bool = False

    def __post_init__(self) -> None:
        settings = self.settings
        self.room = Room(settings.max_held)
        self.buckets = Buckets(settings.rate, settings.burst)
        self.workers = Workers(_WORKERS, settings.body_timeout)
        self.once = Once(settings.remember, settings.max_remembered)

    def require(self, who: Who, topic: str) -> int:
        """The number of partitions of a topic that the sender may write.

        Raises `Refusal` (403, or 404 for a topic that is not, or is not for outsiders), `Away`.
        """
        if topic not in OUTSIDE:
            raise Refusal(404, f"Topic {topic[:250]} not found.", code=40401)
        if topic not in who.topics:
            raise Refusal(403, f"Not allowed to write to {topic}.", code=40301)
        self.cluster.require()
        found = self.cluster.topic(topic)
        if found is None:
            raise Refusal(404, f"Topic {topic} not found.", code=40401)
        return len(found.partitions)

    def charge(self, who: Who, number: int) -> None:
        """Count records against the sender's rate. Raises `Refusal` (429)."""
        if wait := self.buckets.take(who.client, number):
            self.metrics.refused.labels(self.metrics.way, "rate").inc()
            raise Refusal(429, "more records than this sender may send", after=wait)

    async def store(self, who: Who, records: Sequence[Record]) -> list[Outcome]:
        """What became of each record, in order, once Kafka has decided. Raises `Busy`, `Away`, `Refusal`."""
        self.charge(who, len(records))
        outcomes = await self.delivery.deliver(records)
        self._count(records, outcomes)
        return outcomes

    def _count(self, records: Sequence[Record], outcomes: list[Outcome]) -> None:
        failed = Counter(
            record[0] for record, outcome in zip(records, outcomes, strict=True) if type(outcome) is Failure
        )
        for topic, number in Counter(record[0] for record in records).items():
            self.metrics.delivered(topic, number - failed[topic], failed[topic])
