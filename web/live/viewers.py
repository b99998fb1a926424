"""Queues the messages of each viewer, and drops viewers that read too slowly.

A message is an event of `text/event-stream`, encoded once for all who get it.
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections import deque
from typing import Any

import orjson

from web.metrics import DROPPED

LARGEST = 2 << 20
"""Bytes that wait for one viewer, at most."""
QUEUED = 500
"""Messages that wait for one viewer, at most."""


class Ended(Exception):
    """The viewer gets nothing more: it reads too slowly, or the server stops."""


def message(event: str, data: Any) -> bytes:
    """Encode an event without its id. JSON has no line breaks, so that the data is one line."""
    return b"event: %s\ndata: %s\n" % (event.encode(), orjson.dumps(data))


class Viewer:
    """What waits to be sent to one viewer. `id` is that of the last message taken."""

    def __init__(self) -> None:
        self.id = b"0"
        self._waiting: deque[tuple[bytes, bytes | None]] = deque()
        self._size, self._come, self._ended = 0, asyncio.Event(), False

    def put(self, content: bytes, number: bytes | None = None) -> None:
        """Append a message; with an id of its own, the messages after it have that, too. Returns at once.

        When too much waits, the viewer's next `take` raises `Ended`.
        """
        if self._ended:
            return
        self._waiting.append((content, number))
        self._size += len(content)
        self._come.set()
        if self._size > LARGEST or len(self._waiting) > QUEUED:
            DROPPED.inc()
            self.end()

    def end(self) -> None:
        """Send nothing more, not even what waits."""
        self._ended = True
        self._waiting.clear()
        self._come.set()

    async def take(self, seconds: float) -> bytes:
        """Return all that waits, with ids; nothing when nothing came for so many seconds. Raises `Ended`."""
        if not self._waiting and not self._ended:
            self._come.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._come.wait()
            except TimeoutError:
                return b""
        if self._ended:
            raise Ended
        found, self._size = list(self._waiting), 0
        self._waiting.clear()
        return b"".join(map(self._with_id, found))

    def _with_id(self, item: tuple[bytes, bytes | None]) -> bytes:
        content, number = item
        self.id = number or self.id
        return b"%sid: %s\n\n" % (content, self.id)
