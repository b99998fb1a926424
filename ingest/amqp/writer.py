"""Writes batches of records to Kafka, and tries until Kafka has stored every record, however long that takes."""

import asyncio
import logging
from collections.abc import Callable

from ingest.base import Failure, Outcome
from ingest.kafka_producer import DeadlineProducer
from ingest.metrics import Metrics
from topics.kafka.producer import Outgoing

RETRY_FOREVER = {"message.timeout.ms": 0}
"""Settings of librdkafka: retry for ever, in order, and store nothing twice."""

_WARN_AFTER = 10.0  # seconds until the log says that Kafka does not answer
_RETRY_PAUSE = 2.0  # seconds until records that Kafka did not store are sent again

log = logging.getLogger("ogrewatch.ingest")


class RecordWriter:
    """Stores batches, one at a time. `shorten` replaces a record that is too large with a smaller one."""

    def __init__(self, delivery: DeadlineProducer, metrics: Metrics, shorten: Callable[[Outgoing], Outgoing]) -> None:
        self._delivery, self._metrics, self._shorten = delivery, metrics, shorten
        self._trouble = ""

    async def store(self, records: list[Outgoing]) -> None:
        """Return when all are stored; wait while Kafka is down. Order is kept unless Kafka refuses single records."""
        while records:
            records = await self._attempt(records)
        self._recovered()

    async def _attempt(self, records: list[Outgoing]) -> list[Outgoing]:
        """Try to store the records; return those that were not stored, after a pause."""
        outcomes = await self._answer(records)
        self._metrics.delivered(records, outcomes)
        pairs = zip(records, outcomes, strict=True)
        left = [(record, failure) for record, failure in pairs if isinstance(failure, Failure)]
        if left:
            self._warn(left[0][1].reason)
            await asyncio.sleep(_RETRY_PAUSE)
        return [self._shorten(record) if failure.too_large else record for record, failure in left]

    async def _answer(self, records: list[Outgoing]) -> list[Outcome]:
        future = self._delivery.accept(records)
        await asyncio.wait((future,), timeout=_WARN_AFTER)
        if not future.done():
            self._warn("it does not answer")
        return await future

    def _warn(self, reason: str) -> None:
        if reason != self._trouble:
            log.warning("Kafka does not take everything, trying on: %s", reason)
            self._trouble = reason

    def _recovered(self) -> None:
        if self._trouble:
            log.warning("Kafka takes records again")
            self._trouble = ""
