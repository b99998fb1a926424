"""Remembers the answer to each idempotency key, and gives it again when a sender repeats its request.

The cache is in the memory of one process and is bounded in time and size: another process, or the same one after a
restart, knows none of the keys. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING

from ingest.http.responses import Answer, HttpError

if TYPE_CHECKING:
    from ingest.http.request import Request

_OVERHEAD = 500  # bytes an entry takes besides its answer
_LONGEST = 255  # characters of a key
_REPLAYED = {"Idempotency-Replayed": "true"}


class KeyReused(Exception):
    """A key was used again for a different request."""


@dataclass(slots=True)
class _Entry:
    digest: bytes
    begun: float
    answer: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    size: int = 0


class IdempotencyCache:
    """Keeps answers by key for `ttl` seconds and at most `size` bytes of them; the oldest are removed first."""

    def __init__(self, ttl: float, size: int, clock: Callable[[], float] = monotonic) -> None:
        self._ttl, self._size, self._clock = ttl, size, clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._used = 0

    async def answer(self, key: str, digest: bytes, work: Callable[[], Awaitable[Answer]]) -> tuple[Answer, bool]:
        """Return the answer to `key`, and whether it was given before. Requests wait while the first is processed.

        Raises `KeyReused` when the key was used with another `digest`. What `work` raises is raised to all that wait.
        Neither an exception nor an answer that is not final is kept.
        """
        self._expire()
        if (known := self._entries.get(key)) is not None:
            if known.digest != digest:
                raise KeyReused
            return await asyncio.shield(known.answer), True
        entry = self._entries[key] = _Entry(digest, self._clock())
        self._used += _OVERHEAD
        try:
            answer = await work()
        except BaseException as error:
            self._fail(key, entry, error)
            raise
        self._keep(key, entry, answer)
        return answer, False

    def _keep(self, key: str, entry: _Entry, answer: Answer) -> None:
        entry.answer.set_result(answer)
        if not answer.final:
            self._forget(key, entry)
        elif self._entries.get(key) is entry:
            entry.size = answer.size
            self._used += entry.size

    def _fail(self, key: str, entry: _Entry, error: BaseException) -> None:
        self._forget(key, entry)
        if isinstance(error, Exception):
            entry.answer.set_exception(error)
            entry.answer.exception()  # nobody may be waiting for it
        else:
            entry.answer.cancel()

    def _forget(self, key: str, entry: _Entry) -> None:
        if self._entries.get(key) is entry:
            del self._entries[key]
            self._used -= _OVERHEAD + entry.size

    def _expire(self) -> None:
        eldest = self._clock() - self._ttl
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            if not entry.answer.done() or (entry.begun > eldest and self._used <= self._size):
                return
            self._forget(key, entry)


async def answer_idempotently(request: "Request", handler: Callable[["Request"], Awaitable[object]]) -> Answer:
    """Answer a request that has an Idempotency-Key, or give the answer that it had before.

    Raises `HttpError`: 400 for an invalid key, 422 for a key that was used for another request.
    """
    key = request.http.headers["Idempotency-Key"].strip()
    if not 0 < len(key) <= _LONGEST:
        raise HttpError(400, f"an Idempotency-Key has 1 to {_LONGEST} characters")
    digest = await _digest(request)

    async def work() -> Answer:
        answer = await handler(request)
        assert isinstance(answer, Answer)  # only a body that is still coming is answered in a stream
        return answer

    try:
        answer, repeated = await request.context.idempotency.answer(f"{request.sender.client}\n{key}", digest, work)
    except KeyReused:
        raise HttpError(422, "this Idempotency-Key came with another request before") from None
    return replace(answer, headers={**answer.headers, **_REPLAYED}) if repeated else answer


async def _digest(request: "Request") -> bytes:
    http = request.http
    begin = f"{http.method}\n{http.path_qs}\n{request.media_type}\n".encode("utf-8", "replace")
    return await request.read(_digest_of, begin)


def _digest_of(content: bytes, begin: bytes) -> bytes:
    digest = blake2b(begin)
    digest.update(content)
    return digest.digest()
