"""Builds the HTTP proxy from its settings, and starts and stops its parts in order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.http.auth import Authenticator
from ingest.http.context import Context
from ingest.http.server import HttpReceiver
from ingest.http.tls import require_safety, tls_of
from ingest.kafka_metadata import KafkaMetadata
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics
from ingest.settings import IngestSettings
from ingest.tokens import TokenFile
from topics.network import HostNames, names_of, networks


@asynccontextmanager
async def proxy(settings: IngestSettings, tokens: TokenFile, kafka: str, prefix: str) -> AsyncIterator[HttpReceiver]:
    """A proxy that does not listen yet. Kafka may be down.

    Raises `Unsafe`, `TokenError` for a file of tokens that cannot be used, ValueError for invalid networks.
    """
    tls = tls_of(settings)
    authenticator = Authenticator(
        tokens,
        settings.client_ca is not None,
        networks(settings.trusted_proxies),
        HostNames(settings.host, settings.hosts, names_of(settings.certificate)),
    )
    tokens.tokens()
    require_safety(settings, authenticator.required())
    async with DeadlineProducer(kafka, prefix, wait=settings.wait) as delivery:
        cluster = KafkaMetadata(prefix)
        await cluster.start(delivery.producer)
        try:
            yield HttpReceiver(Context(settings, delivery, cluster, authenticator, Metrics("http")), tls)
        finally:
            await cluster.stop()
