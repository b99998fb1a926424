"""Listens for HTTP connections, passes each request to its endpoint and sends the answer; shuts down in good order."""

import asyncio
import contextlib
import logging
import ssl
from typing import Any

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import BaseRequest, RequestHandler, Response, Server, StreamResponse

from ingest.base import KafkaNotAnswering, Overloaded
from ingest.http.auth import Sender
from ingest.http.context import Context
from ingest.http.idempotency import answer_idempotently
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, plain_error
from ingest.http.router import Route, find

_LARGE = 64 << 10  # bytes; a larger answer may have to wait for a client that reads slowly
_LAST = 0.5  # seconds for connections to close after the last answer
_NOBODY = Sender("")
_LOST = Answer(400, b"")  # nobody receives it: the connection is lost

log = logging.getLogger("ogrewatch.ingest")


def _is_wanted(record: logging.LogRecord) -> bool:
    """Whether to log a record: not for bytes that are no HTTP, with which anybody could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_quiet = logging.getLogger("ogrewatch.ingest.http")
_quiet.addFilter(_is_wanted)


class HttpReceiver:
    """The HTTP receiver."""

    def __init__(self, context: Context, tls: ssl.SSLContext | None = None) -> None:
        self.context, self._tls = context, tls
        self.port = context.settings.port
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self._active

    def missing(self) -> str:
        """Why nothing can be accepted now, "" if it can. For any thread."""
        if self.context.draining or self.context.delivery.finished.is_set():
            return "shutting down"
        return "" if self.context.cluster.up else "Kafka does not answer"

    async def open(self) -> None:
        """Listen. `port` is the actual port afterwards. Raises `OSError`."""
        settings, metrics = self.context.settings, self.context.metrics
        self._server = _Server(self._handle, settings.max_connections, keepalive_timeout=settings.idle_timeout)
        options: dict[str, Any] = {"ssl_handshake_timeout": 10.0} if self._tls else {}
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            self._server, settings.host, settings.port, ssl=self._tls, backlog=1024, **options
        )
        self.port = self._listening.sockets[0].getsockname()[1]
        metrics.connections.set_function(lambda: len(self._server.connections))
        metrics.held.set_function(lambda: self.context.budget.held)
        metrics.pending.set_function(lambda: self.context.delivery.pending_records)
        metrics.kafka_up.set_function(lambda: self.context.cluster.up)

    async def close(self, grace: float) -> None:
        """Refuse new requests, answer pending ones for up to `grace` seconds, then close all connections."""
        self._listening.close()
        self.context.draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        self._server.pre_shutdown()
        await self._server.shutdown(_LAST)
        await self.context.workers.close()

    async def _handle(self, http: BaseRequest) -> StreamResponse:
        self._active += 1
        self._idle.clear()
        began = asyncio.get_running_loop().time()
        try:
            return await self._respond(http)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()
            self.context.metrics.seconds.observe(asyncio.get_running_loop().time() - began)

    async def _respond(self, http: BaseRequest) -> StreamResponse:
        try:
            route, parts = find(http.method, http.path)
        except HttpError as refusal:
            return self._finished(plain_error(refusal), "none")
        request = Request(self.context, http, _NOBODY, route.endpoint, parts)
        try:
            answer = await self._answer(route, request)
            if isinstance(answer, StreamResponse):
                self._count(route.endpoint, answer.status)
                return answer
            response = self._finished(answer, route.endpoint)
            if answer.size > _LARGE:
                await self._send(http, response)
            return response
        finally:
            request.close()

    async def _answer(self, route: Route, request: Request) -> Answer | StreamResponse:
        try:
            self.context.authenticator.reject_foreign(request.http)
            if not route.public:
                request.sender = self.context.authenticator.sender(request.http)
            if self.context.draining:
                raise HttpError(503, "shutting down", retry_after=1)
            if "Idempotency-Key" in request.http.headers:
                return await answer_idempotently(request, route.handler)
            return await route.handler(request)
        except HttpError as refusal:
            return route.dialect(refusal)
        except Overloaded as busy:
            return route.dialect(self._busy(busy))
        except ConnectionError:
            return _LOST
        except Exception:
            log.exception("a request failed")
            return route.dialect(HttpError(500, "an error of the proxy's own; its log says more"))

    def _busy(self, busy: Overloaded) -> HttpError:
        metrics, away = self.context.metrics, isinstance(busy, KafkaNotAnswering)
        metrics.refused.labels(metrics.receiver, "away" if away else "busy").inc()
        return HttpError(503 if away else 429, str(busy), code=50302 if away else None, retry_after=busy.retry_after)

    def _finished(self, answer: Answer, endpoint: str) -> Response:
        self._count(endpoint, answer.status)
        headers = {"Content-Type": answer.content_type, "Server": "ogrewatch", **answer.headers}
        response = Response(body=answer.body, status=answer.status, headers=headers)
        if self.context.draining:
            response.force_close()
        return response

    def _count(self, endpoint: str, status: int) -> None:
        self.context.metrics.requests.labels(self.context.metrics.receiver, endpoint, status).inc()

    async def _send(self, http: BaseRequest, response: Response) -> None:
        """Send a large answer while the request's memory is still counted, within the timeout of a body."""
        try:
            async with asyncio.timeout(self.context.settings.body_timeout):
                await response.prepare(http)
                await response.write_eof()
        except ConnectionError:
            pass
        except TimeoutError:
            if http.transport is not None:
                http.transport.close()


class _Server(Server):
    """Accepts at most `most` connections; further ones are closed at once."""

    def __init__(self, handler: Any, most: int, *, keepalive_timeout: float) -> None:
        super().__init__(
            handler,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=keepalive_timeout,
            lingering_time=2.0,
            logger=_quiet,
        )
        self._most = most

    def connection_made(self, handler: RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > self._most:
            transport.abort()
