"""Sends the table writes of Faust through librdkafka.

`app.delivery` carries what agents produce, and the writes of Faust's tables; `topic.send` keeps Faust's aiokafka
producer, which also declares internal topics. Faust's own table writes reach some 6,000 a second,
queue without bound, and its `flush` waits a tenth of a second at most.
"""

from collections.abc import Mapping
from typing import Any, cast

from confluent_kafka import KafkaException, Message
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, FutureMessage, RecordMetadata

from agents.transport.kafka_producer import GaplessProducer
from topics.kafka.producer import Outgoing


class Producer(driver.Producer):
    """Starts and stops the app's `GaplessProducer`, and sends table writes through it."""

    @property
    def _delivery(self) -> GaplessProducer:
        return cast(GaplessProducer, cast(Any, self.app).delivery)

    async def on_start(self) -> None:
        """Start both producers."""
        await super().on_start()
        await self._delivery.start()

    async def on_stop(self) -> None:
        """Stop both producers; what is not delivered by then belongs to batches that were not acknowledged."""
        await self._delivery.stop()
        await super().on_stop()

    def send_soon(self, fut: FutureMessage) -> None:
        """Send a table write. The future resolves on delivery, with the true offset."""
        message = fut.message
        topic, timestamp = message.channel.get_topic_name(), int((message.timestamp or 0) * 1000)
        headers = message.headers.items() if isinstance(message.headers, Mapping) else message.headers or ()
        record = Outgoing(
            topic,
            cast(Any, message.key),
            cast(Any, message.value),
            message.partition,
            timestamp,
            cast(Any, list(headers)) or None,
        )
        self._delivery.post(record).add_done_callback(lambda done: _published(fut, done))

    async def flush(self) -> None:
        """Wait for the table writes made so far; every commit calls this.

        It does not wait for an empty queue, which never comes under load: batches are acknowledged when delivered.
        """
        await super().flush()
        await self._delivery.settle_posts()


def _published(fut: FutureMessage, done: Any) -> None:
    try:
        sent: Message = done.result()
    except KafkaException as error:
        fut.set_exception(error)
        return
    tp = TP(cast(str, sent.topic()), cast(int, sent.partition()))
    fut.set_result(RecordMetadata(*tp, tp, cast(int, sent.offset()), sent.timestamp()[1], 0))
    if fut.message.callback:
        fut.message.callback(fut)
