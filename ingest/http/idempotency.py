"""Remembers the answer to each idempotency key, and gives it again when a sender repeats its request.

The cache is in the memory of one process and is bounded in time and size: another process, or the same one after a
restart, knows none of the keys. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, Protocol, TypeVar

_OVERHEAD = 500  # bytes an entry takes besides its answer


class KeyReused(Exception):
    """A key was used again for a different request."""


class Answered(Protocol):
    """What the cache needs to know of an answer."""

    @property
    def size(self) -> int:
        """Bytes it takes."""

    @property
    def final(self) -> bool:
        """Whether the same request would be answered in the same way again."""


A = TypeVar("A", bound=Answered)


@dataclass(slots=True)
class _Entry(Generic[A]):
    digest: bytes
    begun: float
    answer: "asyncio.Future[A]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    size: int = 0


class IdempotencyCache(Generic[A]):
    """Keeps answers by key for `ttl` seconds and at most `size` bytes of them; the oldest are removed first."""

    def __init__(self, ttl: float, size: int, clock: Callable[[], float] = monotonic) -> None:
        self._ttl, self._size, self._clock = ttl, size, clock
        self._entries: OrderedDict[str, _Entry[A]] = OrderedDict()
        self._used = 0

    async def answer(self, key: str, digest: bytes, work: Callable[[], Awaitable[A]]) -> tuple[A, bool]:
        """Return the answer to `key`, and whether it was given before. Requests wait while the first is processed.

        Raises `KeyReused` when the key was used with another `digest`. What `work` raises is raised to all that wait.
        Neither an exception nor an answer that is not final is kept.
        """
        self._expire()
        if (known := self._entries.get(key)) is not None:
            if known.digest != digest:
                raise KeyReused
            return await asyncio.shield(known.answer), True
        entry = self._entries[key] = _Entry[A](digest, self._clock())
        self._used += _OVERHEAD
        try:
            answer = await work()
        except BaseException as error:
            self._fail(key, entry, error)
            raise
        self._keep(key, entry, answer)
        return answer, False

    def _keep(self, key: str, entry: _Entry[A], answer: A) -> None:
        entry.answer.set_result(answer)
        if not answer.final:
            self._forget(key, entry)
        elif self._entries.get(key) is entry:
            entry.size = answer.size
            self._used += entry.size

    def _fail(self, key: str, entry: _Entry[A], error: BaseException) -> None:
        self._forget(key, entry)
        if isinstance(error, Exception):
            entry.answer.set_exception(error)
            entry.answer.exception()  # nobody may be waiting for it
        else:
            entry.answer.cancel()

    def _forget(self, key: str, entry: _Entry[A]) -> None:
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
