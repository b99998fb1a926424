"""Shows the newest events that satisfy a search, at most 50 a second for each search, and how many there were in all.

Events are decoded only where their bytes may satisfy the search, the newest first, and no more of them than a part of a
core allows; `skipped` says how many were passed over for that.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from agents.settings import Settings
from topics.avro.codec import CodecError, UnknownSchema, decode
from topics.avro.registry import Registry
from topics.catalogue import TYPED
from topics.documents.ecs import iso
from topics.errors import OgrewatchError
from topics.event import Event, id_of
from web.live.topic_ends import TICK, TopicEnds
from web.live.viewers import Viewer, message
from web.search.language import Term
from web.search.matching import matcher, needles

RATE = 50
"""Rows a second."""
_TICKS = round(1 / TICK)  # of a second
_OF_TICK = -(-RATE // _TICKS)
_DECODED = 1_000  # events that are decoded in a tick, at most
_LONGEST = 500  # characters of a message
_LINGER = 5.0  # seconds after the last viewer, until the topics are no longer read

_log = logging.getLogger("ogrewatch.web")


class Search:
    """One search, with those who have it."""

    def __init__(self, terms: list[Term]) -> None:
        self._holds, self._needles, self._all = matcher(terms), needles(terms), not terms
        self.viewers: set[Viewer] = set()
        self._seen: deque[int] = deque(maxlen=_TICKS)
        self._shown: deque[int] = deque(maxlen=_TICKS)

    def look(self, values: list[bytes], decoded: Callable[[int], Event | None], left: int) -> tuple[bytes | None, int]:
        """The message about the events of a tick, None for nothing new; and how many were decoded, at most `left`."""
        rows: list[dict[str, Any]] = []
        allowed = min(_OF_TICK, RATE - sum(list(self._shown)[-_TICKS + 1 :]))
        used = skipped = 0
        for place in range(len(values) - 1, -1, -1):
            if len(rows) >= allowed or used >= left:
                skipped = place + 1 if len(rows) < allowed else 0
                break
            if all(needle in values[place] for needle in self._needles):
                used += 1
                event = decoded(place)
                if event is not None and self._holds(event):
                    rows.append(row_of(event))
        before = sum(self._seen)
        self._seen.append(len(values))
        self._shown.append(len(rows))
        if not rows and not before and not values:
            return None, used
        about = {"seen": sum(self._seen), "shown": sum(self._shown), "skipped": skipped}
        return message("tail", {"rows": rows, **about}), used


class Tail:
    """Reads the typed topics while anybody looks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics = [settings.prefix + topic.name for topic in TYPED]
        self._searches: dict[str, Search] = {}
        self._ends: TopicEnds | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def join(self, viewer: Viewer, text: str, terms: list[Term]) -> None:
        """Send the viewer what the search `text` finds."""
        self._loop = asyncio.get_running_loop()
        self._searches.setdefault(text, Search(terms)).viewers.add(viewer)
        if self._ends is None:
            self._ends = TopicEnds(self._settings.kafka, self._topics, 10, self._take)

    def leave(self, viewer: Viewer, text: str) -> None:
        """Send the viewer nothing any more; the topics are read for a moment longer, since pages are often reloaded."""
        search = self._searches.get(text)
        if search is None:
            return
        search.viewers.discard(viewer)
        if not search.viewers:
            del self._searches[text]
        if not self._searches:
            asyncio.get_running_loop().call_later(_LINGER, self._rest)

    def close(self) -> None:
        """Stop reading."""
        self._searches.clear()
        self._rest()

    def _rest(self) -> None:
        if not self._searches and self._ends is not None:
            self._ends.stop()
            self._ends = None

    def _take(self, messages: list[Any]) -> None:
        """Look at the events of a tick; runs in the thread."""
        values = [value for one in messages if (value := one.value())]
        memory: dict[int, Event | None] = {}

        def decoded(place: int) -> Event | None:
            if place not in memory:
                memory[place] = self._decode(values[place])
            return memory[place]

        left = _DECODED
        for search in list(self._searches.values()):
            content, used = search.look(values, decoded, left)
            left -= used
            if content is not None and self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(_put, search.viewers, content)

    def _decode(self, value: bytes) -> Event | None:
        try:
            try:
                return decode(value)[1]
            except UnknownSchema as unknown:
                text = Registry(self._settings.schema_registry).text(unknown.number)
                unknown.numbers.learn(unknown.number, text)
                return decode(value)[1]
        except (CodecError, OgrewatchError) as error:
            _log.debug("an event is not shown: %s", error)
            return None


def row_of(event: Event) -> dict[str, Any]:
    """What is shown of an event in one line."""
    shown = {
        "id": id_of(event), "@timestamp": iso(event["timestamp"]), "dataset": event.get("event_dataset", ""),
        "host": event.get("host_hostname", ""), "user": event.get("user_name", ""), "ip": event.get("source_ip", ""),
        "outcome": event.get("event_outcome", ""), "message": event.get("message", "")[:_LONGEST],
    }  # fmt: skip
    return shown | {"service": event.get("ogrewatch_service", ""), "program": event.get("process_name", "")}


def _put(viewers: set[Viewer], content: bytes) -> None:
    for viewer in viewers:
        viewer.put(content)
