"""Defines the Prometheus metrics of the web role; `docs/metrics.md` lists them."""

from prometheus_client import Counter, Gauge, Histogram

from agents.metrics import REGISTRY

REQUESTS = Counter(
    "ogrewatch_web_requests", "Requests answered, by route and status.", ("route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "ogrewatch_web_request_seconds",
    "How long answers took, by route.",
    ("route",),
    registry=REGISTRY,
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
)
FAILURES = Counter(
    "ogrewatch_web_worker_failures",
    "Questions that a count worker did not answer, by why.",
    ("why",),
    registry=REGISTRY,
)
VIEWERS = Gauge("ogrewatch_web_viewers", "Pages that the event stream is sent to.", registry=REGISTRY)
DROPPED = Counter("ogrewatch_web_viewers_dropped", "Viewers that read too slowly and were dropped.", registry=REGISTRY)
SEARCHES = Counter("ogrewatch_web_searches", "Searches of people, each of which is logged.", registry=REGISTRY)
