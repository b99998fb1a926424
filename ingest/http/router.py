"""Finds the endpoint that answers a request, by method and path."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp.web import StreamResponse

from ingest.http.endpoints import elastic_bulk, elastic_info, events, health, rest_metadata, rest_v2, rest_v3
from ingest.http.request import Request
from ingest.http.responses import Answer, Dialect, HttpError, confluent_errors, plain_error
from ingest.http.responses import elastic_answer as as_elastic

Handler = Callable[[Request], Awaitable[Answer | StreamResponse]]

_V2, _V3 = confluent_errors(rest_v2.CONTENT_TYPE), confluent_errors("application/json")
_WRITE, _READ = ("POST", "PUT"), ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Route:
    """Which handler answers a request, and in which format (`dialect`) errors are reported.

    `endpoint` is its name in metrics and in the records' headers; a `public` one needs no proof of the sender.
    """

    endpoint: str
    handler: Handler
    dialect: Dialect = plain_error
    public: bool = False


_Methods = dict[str, Route]


def _at(
    methods: tuple[str, ...], endpoint: str, handler: Handler, dialect: Dialect = plain_error, public: bool = False
) -> _Methods:
    return dict.fromkeys(methods, Route(endpoint, handler, dialect, public))


_EXACT: dict[str, _Methods] = {
    **{path: _at(_WRITE, path, events.events) for path in ("/events", "/nxlog", "/cef")},
    "/lines": _at(_WRITE, "/lines", events.lines),
    "/_bulk": _at(_WRITE, "/_bulk", elastic_bulk.bulk, as_elastic),
    "/": _at(_READ, "/", elastic_info.root, as_elastic),
    "/status": _at(_READ, "/status", health.status, public=True),
    "/test": _at(_READ, "/test", health.test, public=True),
    "/healthz": _at(_READ, "/healthz", health.healthz, public=True),
    "/metrics": _at(_READ, "/metrics", health.metrics),
    "/topics": _at(_READ, "/topics", rest_metadata.topics, _V2),
    "/brokers": _at(_READ, "/brokers", rest_metadata.brokers, _V2),
    "/v3/clusters": _at(_READ, "/v3/clusters", rest_metadata.clusters, _V3),
}

_SHAPED: tuple[tuple[re.Pattern[str], _Methods], ...] = tuple(
    (re.compile(shape), methods)
    for shape, methods in (
        (r"/custom/([\w.-]{1,64})", _at(_WRITE, "/custom", events.custom)),
        (
            r"/topics/([^/]+)",
            _at(_READ, "/topics/{topic}", rest_metadata.topic, _V2)
            | _at(("POST",), "/topics/{topic}", rest_v2.produce, _V2),
        ),
        (r"/topics/([^/]+)/partitions", _at(_READ, "/topics/{topic}/partitions", rest_metadata.partitions, _V2)),
        (
            r"/topics/([^/]+)/partitions/([^/]+)",
            _at(_READ, "/topics/{topic}/partitions/{partition}", rest_metadata.partition, _V2)
            | _at(("POST",), "/topics/{topic}/partitions/{partition}", rest_v2.produce, _V2),
        ),
        (
            r"/topics/([^/]+)/partitions/([^/]+)/offsets",
            _at(_READ, "/topics/{topic}/partitions/{partition}/offsets", rest_metadata.offsets, _V2),
        ),
        (r"/v3/clusters/([^/]+)", _at(_READ, "/v3/clusters/{cluster}", rest_metadata.cluster, _V3)),
        (r"/v3/clusters/([^/]+)/topics", _at(_READ, "/v3/topics", rest_metadata.cluster_topics, _V3)),
        (r"/v3/clusters/([^/]+)/topics/([^/]+)", _at(_READ, "/v3/topics/{topic}", rest_metadata.cluster_topic, _V3)),
        (r"/v3/clusters/([^/]+)/topics/([^/]+)/records", _at(("POST",), "/v3/records", rest_v3.produce, _V3)),
        (r"/v3/clusters/([^/]+)/topics/([^/]+)/records:batch", _at(("POST",), "/v3/records:batch", rest_v3.batch, _V3)),
        (r"/([^/_][^/]*)/_bulk", _at(_WRITE, "/_bulk", elastic_bulk.bulk, as_elastic)),
        (r"/(?:[^/_][^/]*/)?_refresh", _at((*_READ, "POST"), "/_refresh", elastic_info.refresh, as_elastic)),
        (r"/_license|/_xpack|/_cluster/health|/_nodes(?:/.*)?", _at(_READ, "/_probe", elastic_info.probe, as_elastic)),
        (
            r"/(_ilm/policy|_index_template|_component_template|_template|_ingest/pipeline|_alias|_data_stream)/([^/]+)",
            _at((*_READ, *_WRITE), "/_setup", elastic_info.setup, as_elastic),
        ),
    )
)


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    """Return the route of a request and the variable parts of its path. Raises `HttpError` (404, 405)."""
    exact = _EXACT.get(path)
    methods, parts = (exact, ()) if exact is not None else _shaped(path)
    if (route := methods.get(method)) is None:
        raise HttpError(405, f"{method} is not for this path", headers={"Allow": ", ".join(methods)})
    return route, parts


def _shaped(path: str) -> tuple[_Methods, tuple[str, ...]]:
    for shape, methods in _SHAPED:
        if found := shape.fullmatch(path):
            return methods, found.groups()
    raise HttpError(404, "there is nothing here")
