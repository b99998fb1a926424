"""Holds what all requests of a proxy share: settings, Kafka, limits, metrics, and the method that stores records."""

from dataclasses import dataclass, field

from ingest.http.auth import Authenticator, Sender
from ingest.http.decode.avro import SchemaCache
from ingest.http.decode.worker_pool import WorkerPool
from ingest.http.idempotency import IdempotencyCache
from ingest.http.responses import HttpError
from ingest.kafka_metadata import WRITABLE_TOPICS, KafkaMetadata
from ingest.kafka_producer import DeadlineProducer
from ingest.limits import MemoryBudget, RateLimiter
from ingest.metrics import Metrics
from ingest.settings import IngestSettings

_WORKERS = 2  # processes that read large bodies


@dataclass(slots=True)
class Context:
    """The state of one proxy."""

    settings: IngestSettings
    delivery: DeadlineProducer
    cluster: KafkaMetadata
    authenticator: Authenticator
    metrics: Metrics
    budget: MemoryBudget = field(init=False)
    rate_limiter: RateLimiter = field(init=False)
    idempotency: IdempotencyCache = field(init=False)
    schemas: SchemaCache = field(default_factory=SchemaCache)
    workers: WorkerPool = field(init=False)
    draining: bool = False

    def __post_init__(self) -> None:
        settings = self.settings
        self.budget = MemoryBudget(settings.max_held)
        self.rate_limiter = RateLimiter(settings.rate, settings.burst)
        self.workers = WorkerPool(_WORKERS, settings.body_timeout)
        self.idempotency = IdempotencyCache(settings.remember, settings.max_remembered)

    def require(self, sender: Sender, topic: str) -> int:
        """Return the number of partitions of a topic, if the sender may write it.

        Raises `HttpError` (403, or 404 for a topic that does not exist or that no sender may write) and
        `KafkaNotAnswering`.
        """
        if topic not in WRITABLE_TOPICS:
            raise HttpError(404, f"Topic {topic[:250]} not found.", code=40401)
        if topic not in sender.topics:
            raise HttpError(403, f"Not allowed to write to {topic}.", code=40301)
        self.cluster.require()
        found = self.cluster.topic(topic)
        if found is None:
            raise HttpError(404, f"Topic {topic} not found.", code=40401)
        return len(found.partitions)
