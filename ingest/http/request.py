"""Represents one HTTP request: its sender, its body, decompressed, and the memory that the body takes."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp.web import BaseRequest, RequestPayloadError

from ingest.http.auth import Sender
from ingest.http.context import Context
from ingest.http.decode.decompress import decompress
from ingest.http.decode.items import Items
from ingest.http.decode.worker_process import unpack_and_call
from ingest.http.responses import HttpError
from topics.headers import Headers
from topics.records.provenance import headers_of

_CHUNK = 100  # items that are converted before other tasks run: about a millisecond
_SMALL, _SMALL_COMPRESSED = 32 << 10, 16 << 10  # bytes of a body, as sent and compressed, that is read in this process

T = TypeVar("T")


async def map_in_chunks(make: Callable[[Any], T], items: list[Any]) -> list[T]:
    """Apply `make` to each item, in order, and let other tasks run between chunks. Empties the list of items."""
    made: list[T] = []
    while items:
        made += map(make, items[:_CHUNK])
        del items[:_CHUNK]
        if items:
            await asyncio.sleep(0)
    return made


class Request:
    """A request being answered. `close` releases its memory. `http` is aiohttp's request, `parts` those of the path."""

    __slots__ = ("_held", "_packed", "context", "endpoint", "http", "parts", "sender")

    def __init__(
        self, context: Context, http: BaseRequest, sender: Sender, endpoint: str, parts: tuple[str, ...]
    ) -> None:
        self.context, self.http, self.sender = context, http, sender
        self.endpoint, self.parts = endpoint, parts
        self._held = 0
        self._packed: bytes | None = None

    def close(self) -> None:
        """Release the memory that the body took."""
        self.context.budget.release(self._held)
        self._held = 0

    @property
    def media_type(self) -> str:
        """The content type without parameters, in lower case; "" when there is none."""
        return self.http.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def headers(self) -> Headers:
        """Return the Kafka headers of this request's records: who sent them, and to which endpoint."""
        return headers_of(self.sender.address, self.sender.name, self.endpoint)

    def items(self, topic: str) -> Items:
        """Return an empty collection of records for a topic. Raises as `Context.require`."""
        self.context.require(self.sender, topic)
        return Items(topic, self.sender.address.encode(), self.headers(), self.context.settings.max_records)

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function with the decompressed body and the arguments, and return its result.

        A small body is read in this process, others in a worker process, so function and arguments must be fit for
        pickle. Raises what the function raises, and `HttpError`: 400, 408, 413, 415, 429, 503.
        """
        body, limit = await self._whole(), self.context.settings.max_unpacked
        content = _unpacked_if_small(body, self._encoding, limit)
        if content is not None:
            return function(content, *arguments)
        return await self.read_in_worker(function, *arguments)

    async def read_in_worker(self, function: Callable[..., T], *arguments: Any) -> T:
        """As `read`, always in a worker process: for functions that take long even for a small body."""
        body, limit = await self._whole(), self.context.settings.max_unpacked
        run, sender = self.context.workers.run, self.sender.client
        size, result = await run(sender, unpack_and_call, body, self._encoding, limit, function, arguments)
        self._hold(size - len(body))
        return result  # type: ignore[no-any-return]

    @property
    def _encoding(self) -> str:
        return self.http.headers.get("Content-Encoding", "").strip().lower()

    async def _whole(self) -> bytes:
        if self._packed is None:
            self._packed = await self._body()
        return self._packed

    async def _body(self) -> bytes:
        content, limit = self.http.content, self.context.settings.max_body
        if (self.http.content_length or 0) > limit:
            raise HttpError(413, f"the body is larger than {limit} bytes")
        if content.is_eof():  # a small body arrives together with the headers
            body = content.read_nowait()
            self._take(len(body), limit)
            return body
        await self.send_continue()
        try:
            async with asyncio.timeout(self.context.settings.body_timeout):
                return await self._read(limit)
        except TimeoutError:
            raise HttpError(408, "the body did not arrive in time") from None

    async def _read(self, limit: int) -> bytes:
        parts = []
        while part := await self.read_some():
            self._take(len(part), limit)
            parts.append(part)
        return b"".join(parts)

    async def read_some(self, most: int = 0) -> bytes:
        """Return what has arrived of the body, still compressed, at most `most` bytes if that is not 0.

        Waits until something has arrived. Empty at the end of the body. Raises `HttpError` (400).
        """
        content = self.http.content
        try:
            return await (content.read(most) if most else content.readany())
        except (RequestPayloadError, ConnectionError) as error:
            raise HttpError(400, f"the body broke off: {error}") from None

    async def send_continue(self) -> None:
        """Send `100 Continue` if the client waits for it before it sends the body."""
        if self.http.headers.get("Expect", "").lower() == "100-continue" and self.http.transport is not None:
            self.http.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, number: int, limit: int) -> None:
        self._hold(number)
        self.context.metrics.bytes.inc(number)
        if self._held > limit:
            raise HttpError(413, f"the body is larger than {limit} bytes")

    def _hold(self, number: int) -> None:
        if number <= 0:
            return
        if not self.context.budget.reserve(number):
            self.context.metrics.refused.labels(self.context.metrics.receiver, "memory").inc()
            raise HttpError(429, "too many requests are in memory", retry_after=1)
        self._held += number

    def query(self, name: str) -> Any:
        """Return a parameter of the query, None when it is missing."""
        return self.http.query.get(name)


def _unpacked_if_small(body: bytes, encoding: str, limit: int) -> bytes | None:
    """Return the decompressed body if it is small, otherwise None."""
    if encoding in ("", "identity"):
        return body if len(body) <= _SMALL else None
    if len(body) > _SMALL_COMPRESSED:
        return None
    try:
        return decompress(body, encoding, min(_SMALL, limit))
    except HttpError as refusal:
        if refusal.status == 413 and limit > _SMALL:
            return None
        raise
