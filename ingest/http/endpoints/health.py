"""Reports how the proxy is doing: liveness as MozDef answers it, readiness, and metrics."""

from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ok


async def status(_: Request) -> Answer:
    """Answer that the process runs."""
    return ok({"status": "ok", "service": "ogrewatch"})


async def test(_: Request) -> Answer:
    """As /status, with an empty body."""
    return Answer(200, b"", "text/plain")


async def healthz(request: Request) -> Answer:
    """Answer whether events can be accepted now: 503 while Kafka is down."""
    context = request.context
    context.cluster.require()
    if context.delivery.finished.is_set():
        raise HttpError(503, "the producer is finished", retry_after=5)
    return ok({"status": "ok", "kafka": "up", "pending": context.delivery.pending_records})


async def metrics(request: Request) -> Answer:
    """The metrics for Prometheus."""
    body, content_type = request.context.metrics.page()
    return Answer(200, body, content_type)
