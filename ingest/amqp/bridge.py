"""Builds the AMQP bridge from its settings, and starts and stops its parts in order."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ingest.amqp.consumer import AmqpReceiver
from ingest.amqp.health import HealthServer
from ingest.amqp.properties import accept_any_properties
from ingest.amqp.settings import AmqpSettings
from ingest.amqp.writer import RETRY_FOREVER
from ingest.kafka_metadata import KafkaMetadata
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Bridge:
    """The receiver, the producer it writes with, and its metrics."""

    receiver: AmqpReceiver
    delivery: DeadlineProducer
    metrics: Metrics


@asynccontextmanager
async def bridge(settings: AmqpSettings, kafka: str, prefix: str) -> AsyncIterator[Bridge]:
    """A bridge that shows its metrics and whose receiver is not open yet. RabbitMQ and Kafka may be down.

    Raises `BadBroker`, and `OSError` when the port of the metrics is taken.
    """
    accept_any_properties()
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # it logs a long traceback for what our log says in one line
    metrics, cluster, delivery = Metrics("amqp"), KafkaMetadata(prefix), DeadlineProducer(kafka, prefix, RETRY_FOREVER)
    receiver = AmqpReceiver(settings, delivery, metrics)
    async with AsyncExitStack() as stack:
        if settings.metrics_port:
            watch = HealthServer(metrics, lambda: {"rabbitmq": receiver.connected, "kafka": cluster.up})
            stack.push_async_callback(watch.close)
            await watch.open(settings.metrics_host, settings.metrics_port)
        await stack.enter_async_context(delivery)
        await cluster.start(delivery.producer)
        stack.push_async_callback(cluster.stop)
        metrics.kafka_up.set_function(lambda: cluster.up)
        yield Bridge(receiver, delivery, metrics)
