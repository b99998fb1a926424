"""Connections in, answers out: the listening side of the proxy, and its end."""

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
from ingest.http.endpoints.idempotent import answer_once
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ours
from ingest.http.router import Route, find

_LARGE = 64 << 10  # bytes of an answer that may have to wait for its reader
_LAST = 0.5  # seconds for the connections to end after the last answer
_NOBODY = Sender("")
_LOST = Answer(400, b"")  # for nobody: the connection is gone

log = logging.getLogger("ogrewatch.ingest")


def _is_ours(record: logging.LogRecord) -> bool:
    """False for what anyone who reaches the port could fill the log with: requests that are no HTTP."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_quiet = logging.getLogger("ogrewatch.ingest.http")
_quiet.addFilter(_is_ours)


class HttpReceiver:
    """The HTTP proxy as a way in."""

    def __init__(self, service: Context, tls: ssl.SSLContext | None = None) -> None:
        self.service, self._tls = service, tls
        self.port = service.settings.port
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not self._active

    async def open(self) -> None:
        """Listen. `port` is the real one from then on. Raises `OSError`."""
        settings, metrics = self.service.settings, self.service.metrics
        self._server = _Server(self._handle, settings.max_connections, keepalive_timeout=settings.idle_timeout)
        options: dict[str, Any] = {"ssl_handshake_timeout": 10.0} if self._tls else {}
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            self._server, settings.host, settings.port, ssl=self._tls, backlog=1024, **options
        )
        self.port = self._listening.sockets[0].getsockname()[1]
        metrics.connections.set_function(lambda: len(self._server.connections))
        metrics.held.set_function(lambda: self.service.budget.held)
        metrics.pending.set_function(lambda: self.service.delivery.pending_records)
        metrics.kafka_up.set_function(lambda: self.service.cluster.up)

    async def close(self, grace: float) -> None:
        """Refuse new requests, answer those under way for up to `grace` seconds, end all connections."""
        self._listening.close()
        self.service.draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), grace)
        self._server.pre_shutdown()
        await self._server.shutdown(_LAST)
        await self.service.workers.close()

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        self._active += 1
        self._idle.clear()
        began = asyncio.get_running_loop().time()
        try:
            return await self._respond(request)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()
            self.service.metrics.seconds.observe(asyncio.get_running_loop().time() - began)

    async def _respond(self, request: BaseRequest) -> StreamResponse:
        try:
            route, parts = find(request.method, request.path)
        except HttpError as refusal:
            return self._finished(ours(refusal), "none")
        call = Request(self.service, request, _NOBODY, route.endpoint, parts)
        try:
            answer = await self._answer(route, call)
            if isinstance(answer, StreamResponse):
                self._count(route.endpoint, answer.status)
                return answer
            response = self._finished(answer, route.endpoint)
            if answer.size > _LARGE:
                await self._send(request, response)
            return response
        finally:
            call.close()

    async def _answer(self, route: Route, call: Request) -> Answer | StreamResponse:
        try:
            self.service.access.require_ours(call.request)
            if not route.public:
                call.who = self.service.access.who(call.request)
            if self.service.draining:
                raise HttpError(503, "shutting down", after=1)
            if "Idempotency-Key" in call.request.headers:
                return await answer_once(call, route)
            return await route.handler(call)
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
        metrics, away = self.service.metrics, isinstance(busy, KafkaNotAnswering)
        metrics.refused.labels(metrics.way, "away" if away else "busy").inc()
        return HttpError(503 if away else 429, str(busy), code=50302 if away else None, after=busy.after)

    def _finished(self, answer: Answer, endpoint: str) -> Response:
        self._count(endpoint, answer.status)
        headers = {"Content-Type": answer.content_type, "Server": "ogrewatch", **answer.headers}
        response = Response(body=answer.body, status=answer.status, headers=headers)
        if self.service.draining:
            response.force_close()
        return response

    def _count(self, endpoint: str, status: int) -> None:
        self.service.metrics.requests.labels(self.service.metrics.way, endpoint, status).inc()

    async def _send(self, request: BaseRequest, response: Response) -> None:
        """Send a large answer while the request's memory is still counted, and not for ever."""
        try:
            async with asyncio.timeout(self.service.settings.body_timeout):
                await response.prepare(request)
                await response.write_eof()
        except ConnectionError:
            pass
        except TimeoutError:
            if request.transport is not None:
                request.transport.close()


class _Server(Server):
    """Takes no more than `most` connections; more are closed at once."""

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
