"""One request in, its sender, its content and its place in the memory budget out."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp.web import BaseRequest, RequestPayloadError

from ingest.http.auth import Sender
from ingest.http.context import Context
from ingest.http.decode.decompress import unpack
from ingest.http.decode.items import Items
from ingest.http.decode.worker_process import unpack_and_call
from ingest.http.responses import HttpError
from topics.headers import Headers
from topics.records.provenance import headers_of

_CHUNK = 100  # items that are made while others wait
_SMALL, _SMALL_COMPRESSED = 32 << 10, 16 << 10  # bytes of a body that is read at once

T = TypeVar("T")


async def map_in_chunks(make: Callable[[Any], T], items: list[Any]) -> list[T]:
    """What `make` makes of each item, in order. The items are used up; when they are many, others have their turn."""
    made: list[T] = []
    while items:
        made += map(make, items[:_CHUNK])
        del items[:_CHUNK]
        if items:
            await asyncio.sleep(0)
    return made


class Request:
    """A request under way. `close` gives its memory back."""

    __slots__ = ("_held", "_packed", "context", "endpoint", "http", "parts", "sender")

    def __init__(
        self, context: Context, http: BaseRequest, sender: Sender, endpoint: str, parts: tuple[str, ...]
    ) -> None:
        self.context, self.http, self.sender = context, http, sender
        self.endpoint, self.parts = endpoint, parts
        self._held = 0
        self._packed: bytes | None = None

    def close(self) -> None:
        """Give back the memory that the body took."""
        self.context.budget.release(self._held)
        self._held = 0

    @property
    def media_type(self) -> str:
        """The content type without parameters, in small letters; "" when there is none."""
        return self.http.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def headers(self) -> Headers:
        """The headers that the records of this call bear."""
        return headers_of(self.sender.address, self.sender.name, self.endpoint)

    def items(self, topic: str) -> Items:
        """Where to gather records for a topic. Raises as `Context.require`."""
        self.context.require(self.sender, topic)
        return Items(topic, self.sender.address.encode(), self.headers(), self.context.settings.max_records)

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function makes of the whole body, unpacked, and the arguments: here if it is small, else in another
        process, so that all must be fit for pickle. Raises what it raises, and `HttpError`: 400, 408, 413, 415, 429,
        503.
        """
        body, limit = await self._whole(), self.context.settings.max_unpacked
        content = _unpacked_if_small(body, self._encoding, limit)
        if content is not None:
            return function(content, *arguments)
        return await self.read_in_worker(function, *arguments)

    async def read_in_worker(self, function: Callable[..., T], *arguments: Any) -> T:
        """As `read`, always in another process: for what takes longer than its size tells."""
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
        if content.is_eof():  # a small body comes with its head
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
        """What has arrived of the body, packed as it is, `most` bytes if that is not 0; waits for something. Empty at
        its end. Raises `HttpError`.
        """
        content = self.http.content
        try:
            return await (content.read(most) if most else content.readany())
        except (RequestPayloadError, ConnectionError) as error:
            raise HttpError(400, f"the body broke off: {error}") from None

    async def send_continue(self) -> None:
        """Tell a client that waits for it to send the body: nothing speaks against it so far."""
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
        """A parameter of the query, None when it is not there."""
        return self.http.query.get(name)


def _unpacked_if_small(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The content, None when that may take long."""
    if encoding in ("", "identity"):
        return body if len(body) <= _SMALL else None
    if len(body) > _SMALL_COMPRESSED:
        return None
    try:
        return unpack(body, encoding, min(_SMALL, limit))
    except HttpError as refusal:
        if refusal.status == 413 and limit > _SMALL:
            return None
        raise
