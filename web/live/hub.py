"""Asks each question once for all viewers that have it, as long as there are any, and sends them what changed."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager

from web.live.viewers import Viewer, message
from web.metrics import VIEWERS
from web.queries import Unanswerable
from web.replies import Refused
from web.workers import NoWorkers

_SHARE = 10  # a question is asked again after so many times as long as its answer took, to bound its load

_log = logging.getLogger("ogrewatch.web")


class Question(ABC):
    """Something that is asked again and again. A subclass says how.

    `interval` is the seconds between two times it is asked; None when its answer does not change.
    """

    interval: float | None = 1.0

    @abstractmethod
    async def ask(self) -> list[bytes]:
        """Return the messages for those who have had all messages so far, none when nothing has changed.

        Raises what `Queries` raises.
        """

    @abstractmethod
    def first(self) -> list[bytes]:
        """Return the messages for a viewer who has none yet, after `ask` was called."""


class _Asked:
    """A question with its viewers and its task."""

    def __init__(self, question: Question) -> None:
        self.question, self.viewers = question, set[Viewer]()
        self.answered = False
        self.task = asyncio.create_task(self._run())

    def join(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        if self.answered:
            _put([viewer], self.question.first())

    async def _run(self) -> None:
        while True:
            begin = time.monotonic()
            await self._ask()
            interval = self.question.interval
            if interval is None and self.answered:
                return
            took = time.monotonic() - begin
            await asyncio.sleep(max((interval or 1.0) - took, took * _SHARE))

    async def _ask(self) -> None:
        try:
            found = await self.question.ask()
        except (NoWorkers, Refused, Unanswerable) as error:
            _put(self.viewers, [message("trouble", {"of": type(self.question).__name__.lower(), "error": str(error)})])
            return
        except Exception:
            _log.exception("a live question failed")
            return
        _put(self.viewers, found if self.answered else self.question.first())
        self.answered = True


class Hub:
    """All questions that somebody has at present, by their keys."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, _Asked] = {}
        self.viewers: set[Viewer] = set()

    @asynccontextmanager
    async def asking(
        self, viewer: Viewer, questions: Iterable[tuple[Hashable, Callable[[], Question]]]
    ) -> AsyncIterator[None]:
        """Send the viewer the answers to questions while the context lasts. Equal keys are asked together."""
        self.viewers.add(viewer)
        VIEWERS.set(len(self.viewers))
        keys = []
        try:
            for key, make in questions:
                keys.append(key)
                if key not in self._asked:
                    self._asked[key] = _Asked(make())
                self._asked[key].join(viewer)
            yield
        finally:
            self.viewers.discard(viewer)
            VIEWERS.set(len(self.viewers))
            for key in keys:
                self._leave(key, viewer)

    def close(self) -> None:
        """End all viewers."""
        for viewer in self.viewers:
            viewer.end()

    def _leave(self, key: Hashable, viewer: Viewer) -> None:
        asked = self._asked.get(key)
        if asked is None:
            return
        asked.viewers.discard(viewer)
        if not asked.viewers:
            asked.task.cancel()
            del self._asked[key]


def _put(viewers: Iterable[Viewer], messages: Iterable[bytes]) -> None:
    for content in messages:
        for viewer in viewers:
            viewer.put(content)
