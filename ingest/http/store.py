"""Writes the records of a request to Kafka, within the rate of its sender, and counts what became of them."""

from collections.abc import Sequence

from ingest.base import Outcome
from ingest.http.decode.items import Items
from ingest.http.request import Request
from ingest.http.responses import HttpError
from topics.kafka.producer import Outgoing


async def store_items(request: Request, items: Items) -> list[Outcome]:
    """As `store`, for the items of a body. Their records are made here, not by the process that read the body: keys and
    values are passed between processes in a third of the time.
    """
    new, topic, headers = tuple.__new__, items.topic, items.headers
    return await store(request, [new(Outgoing, (topic, key, value, None, 0, headers)) for key, value in items.contents])


async def store(request: Request, records: Sequence[Outgoing]) -> list[Outcome]:
    """Return the outcome of each record, in order, after Kafka has decided about all of them.

    Raises `HttpError` (429) for more records than the sender may send, and `Overloaded`; nothing is stored then.
    """
    context = request.context
    if wait := context.rate_limiter.take(request.sender.client, len(records)):
        context.metrics.refused.labels(context.metrics.receiver, "rate").inc()
        raise HttpError(429, "more records than this sender may send", retry_after=wait)
    outcomes = await context.delivery.deliver(records)
    context.metrics.delivered(records, outcomes)
    return outcomes
