"""One request in, its sender, its content and its place in the memory budget out."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp.web import BaseRequest, RequestPayloadError

from ingest.http.auth import Sender
from ingest.http.context import Context
from ingest.http.decode.decompress import unpack
from ingest.http.decode.items import Items
from ingest.http.decode.worker_process import read_packed
from ingest.http.responses import HttpError
from topics.headers import Headers
from topics.records.provenance import headers_of

_TURN = 100  # items that are made while others wait
_SMALL, _SMALL_PACKED = 32 << 10, 16 << 10  # bytes of a body that is read at once

T = TypeVar("T")


async def in_turns(make: Callable[[Any], T], items: list[Any]) -> list[T]:
    """What `make` makes of each item, in order. The items are used up; when they are many, others have their turn."""
    made: list[T] = []
    while items:
        made += map(make, items[:_TURN])
        del items[:_TURN]
        if items:
            await asyncio.sleep(0)
    return made


class Request:
    """A request under way. `close` gives its memory back."""

    __slots__ = ("_held", "_packed", "endpoint", "parts", "request", "service", "who")

    def __init__(
        self, service: Context, request: BaseRequest, who: Sender, endpoint: str, parts: tuple[str, ...]
    ) -> None:
        self.service, self.request, self.who = service, request, who
        self.endpoint, self.parts = endpoint, parts
        self._held = 0
        self._packed: bytes | None = None

    def close(self) -> None:
        """Give back the memory that the body took."""
        self.service.budget.give(self._held)
        self._held = 0

    @property
    def media_type(self) -> str:
        """The content type without parameters, in small letters; "" when there is none."""
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def headers(self) -> Headers:
        """The headers that the records of this call bear."""
        return headers_of(self.who.address, self.who.name, self.endpoint)

    def items(self, topic: str) -> Items:
        """Where to gather records for a topic. Raises as `Context.require`."""
        self.service.require(self.who, topic)
        return Items(topic, self.who.address.encode(), self.headers(), self.service.settings.max_records)

    async def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function makes of the whole body, unpacked, and the arguments: here if it is small, else in another
        process, so that all must be fit for pickle. Raises what it raises, and `HttpError`: 400, 408, 413, 415, 429,
        503.
        """
        body, limit = await self._whole(), self.service.settings.max_unpacked
        content = _unpacked_if_small(body, self._encoding, limit)
        if content is not None:
            return function(content, *arguments)
        return await self.read_apart(function, *arguments)

    async def read_apart(self, function: Callable[..., T], *arguments: Any) -> T:
        """As `read`, always in another process: for what takes longer than its size tells."""
        body, limit = await self._whole(), self.service.settings.max_unpacked
        run, sender = self.service.workers.run, self.who.client
        size, result = await run(sender, read_packed, body, self._encoding, limit, function, arguments)
        self._hold(size - len(body))
        return result  # type: ignore[no-any-return]

    @property
    def _encoding(self) -> str:
        return self.request.headers.get("Content-Encoding", "").strip().lower()

    async def _whole(self) -> bytes:
        if self._packed is None:
            self._packed = await self._body()
        return self._packed

    async def _body(self) -> bytes:
        content, limit = self.request.content, self.service.settings.max_body
        if (self.request.content_length or 0) > limit:
            raise HttpError(413, f"the body is larger than {limit} bytes")
        if content.is_eof():  # a small body comes with its head
            body = content.read_nowait()
            self._take(len(body), limit)
            return body
        await self.invite()
        try:
            async with asyncio.timeout(self.service.settings.body_timeout):
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
        content = self.request.content
        try:
            return await (content.read(most) if most else content.readany())
        except (RequestPayloadError, ConnectionError) as error:
            raise HttpError(400, f"the body broke off: {error}") from None

    async def invite(self) -> None:
        """Tell a client that waits for it to send the body: nothing speaks against it so far."""
        if self.request.headers.get("Expect", "").lower() == "100-continue" and self.request.transport is not None:
            self.request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, number: int, limit: int) -> None:
        self._hold(number)
        self.service.metrics.bytes.inc(number)
        if self._held > limit:
            raise HttpError(413, f"the body is larger than {limit} bytes")

    def _hold(self, number: int) -> None:
        if number <= 0:
            return
        if not self.service.budget.take(number):
            self.service.metrics.refused.labels(self.service.metrics.way, "memory").inc()
            raise HttpError(429, "too many requests are in memory", after=1)
        self._held += number

    def query(self, name: str) -> Any:
        """A parameter of the query, None when it is not there."""
        return self.request.query.get(name)


def _unpacked_if_small(body: bytes, encoding: str, limit: int) -> bytes | None:
    """The content, None when that may take long."""
    if encoding in ("", "identity"):
        return body if len(body) <= _SMALL else None
    if len(body) > _SMALL_PACKED:
        return None
    try:
        return unpack(body, encoding, min(_SMALL, limit))
    except HttpError as refusal:
        if refusal.status == 413 and limit > _SMALL:
            return None
        raise
