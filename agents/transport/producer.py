"""Starts and stops the librdkafka producer of an app, which carries all that agents produce.

`topic.send` and writes of Faust's own tables would go through Faust's aiokafka producer, which also declares internal
topics. They reach some 6,000 a second and queue without bound; nothing uses them.
"""

from typing import Any, cast

from faust.transport.drivers import aiokafka as driver

from agents.transport.kafka_producer import GaplessProducer


class Producer(driver.Producer):
    """Starts and stops the app's `GaplessProducer` beside Faust's producer."""

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
