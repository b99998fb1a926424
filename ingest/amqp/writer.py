"""Records in; returns when Kafka has every one of them, however long that takes."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from ingest.base import Failure, Outcome, Record
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics

FOR_EVER = {"message.timeout.ms": 0}
"""What librdkafka is told: to send again for ever, in order, and without storing anything twice."""

_PATIENCE = 10.0  # seconds until the log says that Kafka does not answer
_PAUSE = 2.0  # seconds until what Kafka did not take is sent again

log = logging.getLogger("ogrewatch.ingest")


class RecordWriter:
    """Stores batches, one at a time. `shorten` makes a record that is too large one that is not."""

    def __init__(self, delivery: DeadlineProducer, metrics: Metrics, shorten: Callable[[Record], Record]) -> None:
        self._delivery, self._metrics, self._shorten = delivery, metrics, shorten
        self._troubled = ""

    async def store(self, records: list[Record]) -> None:
        """Blocks, while Kafka is away without end. Order is kept unless Kafka refuses single records."""
        while records:
            records = await self._attempt(records)
        self._calm()

    async def _attempt(self, records: list[Record]) -> list[Record]:
        """What is left to be stored, after a pause."""
        outcomes = await self._answer(records)
        self._count(records, outcomes)
        pairs = zip(records, outcomes, strict=True)
        left = [(record, failure) for record, failure in pairs if isinstance(failure, Failure)]
        if left:
            self._worry(left[0][1].reason)
            await asyncio.sleep(_PAUSE)
        return [self._shorten(record) if failure.too_large else record for record, failure in left]

    async def _answer(self, records: list[Record]) -> list[Outcome]:
        future = self._delivery.accept(records)
        await asyncio.wait((future,), timeout=_PATIENCE)
        if not future.done():
            self._worry("it does not answer")
        return await future

    def _worry(self, reason: str) -> None:
        if reason != self._troubled:
            log.warning("Kafka does not take everything, trying on: %s", reason)
            self._troubled = reason

    def _calm(self) -> None:
        if self._troubled:
            log.warning("Kafka takes records again")
            self._troubled = ""

    def _count(self, records: list[Record], outcomes: list[Outcome]) -> None:
        failed = Counter(
            record[0] for record, outcome in zip(records, outcomes, strict=True) if type(outcome) is Failure
        )
        for topic, number in Counter(record[0] for record in records).items():
            self._metrics.delivered(topic, number - failed[topic], failed[topic])
