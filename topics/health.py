"""Serves `/livez`, `/readyz` and `/metrics` of a process on a port of their own, without TLS and without a login.

Alive means that each loop of the process turned within `STUCK` seconds; no other server is asked, so that an outage of
Kafka or Elasticsearch ends no process. Ready means that a role does its work now. Answers are 200 or 503, JSON with
`status` and `reasons`. Kubernetes' probes: https://kubernetes.io/docs/concepts/workloads/pods/probes/
"""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from typing import Any, ClassVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

STUCK = 10.0
"""Seconds after which a loop that did not turn is stuck."""
_BEAT = 1.0  # seconds between notes that a loop turns
_CLIENT_LIMIT = 5.0  # seconds that a client has for its request, and to take the answer
_LOOK = 0.1  # seconds between looks whether to stop
_CONCURRENT = 32  # connections at a time; further ones are closed

_log = logging.getLogger("ogrewatch.health")


class Health:
    """What is known about the loops and the conditions of a process. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._turns: dict[str, float] = {}
        self._conditions: dict[str, Callable[[], str]] = {}
        self.stopping = False
        """Set when the process was told to stop: from then on it is not ready."""

    def turned(self, loop: str) -> None:
        """Note that a loop turned just now."""
        self._turns[loop] = time.monotonic()

    def forget(self, loop: str) -> None:
        """Forget a loop that has ended as it should."""
        self._turns.pop(loop, None)

    def require(self, name: str, condition: Callable[[], str]) -> None:
        """Ask `condition` for readiness: "" if it holds, else why it does not. It must not block."""
        self._conditions[name] = condition

    async def beat(self, loop: str = "event loop", also: Callable[[], object] = int) -> None:
        """Note each second that the running loop turns, and call `also`; for ever."""
        while True:
            self.turned(loop)
            also()
            await asyncio.sleep(_BEAT)

    def stuck(self) -> list[str]:
        """A sentence for each loop that is stuck."""
        ages = {loop: time.monotonic() - turned for loop, turned in list(self._turns.items())}
        return [f"the {loop} has not turned for {age:.0f} s" for loop, age in ages.items() if age > STUCK]

    def missing(self) -> list[str]:
        """A sentence for each reason why the process is not ready."""
        reasons = ["stopping"] if self.stopping else []
        answers = ((name, condition()) for name, condition in list(self._conditions.items()))
        return [*reasons, *self.stuck(), *(f"{name}: {why}" for name, why in answers if why)]


class HealthServer(ThreadingHTTPServer):
    """Listens on `host` and `port`, and answers from threads of its own. Raises `OSError`."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, host: str, port: int, health: Health, *registries: CollectorRegistry) -> None:
        self.health, self.registries = health, registries
        self._free = BoundedSemaphore(_CONCURRENT)
        self.address_family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        super().__init__(address[:2], _Handler)  # type: ignore[arg-type]  # a name or address, and a number
        Thread(target=self.serve_forever, args=(_LOOK,), name="health", daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or close the connection when too many are open."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make place for another connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a client that hangs up, or sends what is no HTTP, is no error of ours."""

    def page(self) -> bytes:
        """The metrics in Prometheus's text format."""
        return b"".join(generate_latest(registry) for registry in self.registries)

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


def serve(host: str, port: int, health: Health, *registries: CollectorRegistry) -> HealthServer | None:
    """Serve on `port`, nowhere when it is 0. A port that is taken is logged, not raised: a role works without."""
    if not port:
        return None
    try:
        return HealthServer(host, port, health, *registries)
    except OSError as error:
        where = f"{host}:{port}"
        _log.error("no health and metrics on %s: %s; OGREWATCH_METRICS_PORT chooses another", where, error)
        return None


class _Handler(BaseHTTPRequestHandler):
    server: HealthServer
    timeout = _CLIENT_LIMIT
    server_version, sys_version = "ogrewatch", ""
    _paths: ClassVar[dict[str, Callable[["_Handler"], None]]] = {}

    def do_GET(self) -> None:
        answer = self._paths.get(self.path.partition("?")[0], _Handler._nothing)
        answer(self)

    do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        """Log nothing: probes come every few seconds."""

    def _alive(self) -> None:
        self._report(self.server.health.stuck())

    def _ready(self) -> None:
        self._report(self.server.health.missing())

    def _metrics(self) -> None:
        self._send(HTTPStatus.OK, self.server.page(), CONTENT_TYPE_LATEST)

    def _nothing(self) -> None:
        self._send(HTTPStatus.NOT_FOUND, b'{"error":"there is nothing here"}')

    def _report(self, reasons: list[str]) -> None:
        body = json.dumps({"status": "failing" if reasons else "ok", "reasons": reasons}).encode()
        self._send(HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK, body)

    def _send(self, status: HTTPStatus, body: bytes, content_type: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


_Handler._paths = {"/livez": _Handler._alive, "/readyz": _Handler._ready, "/metrics": _Handler._metrics}
