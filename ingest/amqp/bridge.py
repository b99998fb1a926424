"""Settings in, a whole bridge out: everything it is made of, in the order it starts and stops."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ingest.amqp.consumer import AmqpReceiver
from ingest.amqp.health import HealthServer
from ingest.amqp.properties import tolerate
from ingest.amqp.settings import AmqpSettings
from ingest.amqp.writer import FOR_EVER
from ingest.kafka_metadata import KafkaMetadata
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Bridge:
    """What runs, and what it stores with."""

    way: AmqpReceiver
    delivery: DeadlineProducer
    metrics: Metrics


@asynccontextmanager
async def bridge(settings: AmqpSettings, kafka: str, prefix: str) -> AsyncIterator[Bridge]:
    """A bridge that shows its metrics and carries nothing yet. RabbitMQ and Kafka may be away.

    Raises `BadBroker`, and `OSError` when the port of the metrics is taken.
    """
    tolerate()
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # a page of traceback for what our log says in a line
    metrics, cluster, delivery = Metrics("amqp"), KafkaMetadata(prefix), DeadlineProducer(kafka, prefix, FOR_EVER)
    way = AmqpReceiver(settings, delivery, metrics)
    async with AsyncExitStack() as stack:
        if settings.metrics_port:
            watch = HealthServer(metrics, lambda: {"rabbitmq": way.connected, "kafka": cluster.up})
            stack.push_async_callback(watch.close)
            await watch.open(settings.metrics_host, settings.metrics_port)
        await stack.enter_async_context(delivery)
        await cluster.start(delivery.producer)
        stack.push_async_callback(cluster.stop)
        metrics.kafka_up.set_function(lambda: cluster.up)
        yield Bridge(way, delivery, metrics)
