"""Sends alerts as they come, and to a viewer that comes back those that it has missed.

The id of a message says where a viewer goes on in the topic: `<partition>-<offset>`, comma separated. What happened
more than `BACK` alerts a partition ago is not sent again; the list of alerts has it.
"""

import asyncio
import re
from collections import deque
from typing import Any

import orjson

from agents.settings import Settings
from topics.catalogue import ALERTS
from web.live.topic_ends import TopicEnds
from web.live.viewers import Viewer, message

BACK = 200
_LINGER = 5.0  # seconds after the last viewer, until the topic is no longer read
_ID = re.compile(r"[0-9]{1,6}-[0-9]{1,18}(?:,[0-9]{1,6}-[0-9]{1,18}){0,999}")

Positions = dict[int, int]
"""The offset to go on at, by partition."""


def positions(text: str) -> Positions | None:
    """Read the id of a message; None when it is none."""
    if not _ID.fullmatch(text):
        return None
    return {int(partition): int(offset) for partition, offset in (part.split("-") for part in text.split(","))}


class AlertStream:
    """Reads the topic of alerts while anybody looks."""

    def __init__(self, settings: Settings) -> None:
        self._servers, self._topic = settings.kafka, settings.prefix + ALERTS.name
        self._recent: dict[int, deque[tuple[int, bytes]]] = {}
        self._viewers: dict[Viewer, Positions | None] = {}
        self._ends: TopicEnds | None = None

    def join(self, viewer: Viewer, last: str) -> None:
        """Send the viewer what comes from now on, and what came after the message with the id `last`."""
        known = self._viewers[viewer] = positions(last)
        if known is not None:
            viewer.id = last.encode()
        loop = asyncio.get_running_loop()
        if self._ends is None:
            self._ends = TopicEnds(self._servers, [self._topic], BACK, lambda found: _soon(loop, self._publish, found))
        for partition, alerts in self._recent.items():
            for offset, content in alerts:
                if known is not None and offset >= known.get(partition, offset + 1):
                    self._send(viewer, partition, offset, content)

    def leave(self, viewer: Viewer) -> None:
        """Send the viewer nothing any more."""
        self._viewers.pop(viewer, None)
        if not self._viewers:
            asyncio.get_running_loop().call_later(_LINGER, self._rest)

    def close(self) -> None:
        """Stop reading."""
        self._viewers.clear()
        self._rest()

    def _rest(self) -> None:
        if not self._viewers and self._ends is not None:
            self._ends.stop()
            self._ends = None
            self._recent.clear()

    def _publish(self, found: list[Any]) -> None:
        for one in found:
            content = _content(one)
            partition, offset = one.partition(), one.offset()
            recent = self._recent.setdefault(partition, deque(maxlen=BACK))
            if content is None or (recent and offset <= recent[-1][0]):
                continue  # no alert, or read again after a failure
            recent.append((offset, content))
            for viewer in self._viewers:
                if self._is_new(viewer, partition, offset):
                    self._send(viewer, partition, offset, content)
        for viewer, known in self._viewers.items():
            if known is None and self._ends is not None and self._ends.ends:
                known = self._viewers[viewer] = self._here()
                viewer.id = _id(known)

    def _here(self) -> Positions:
        """Where somebody goes on who has read everything."""
        ends = self._ends.ends if self._ends is not None else {}
        last = {partition: alerts[-1][0] + 1 for partition, alerts in self._recent.items() if alerts}
        return {partition: max(end, last.get(partition, 0)) for partition, end in ends.items()}

    def _is_new(self, viewer: Viewer, partition: int, offset: int) -> bool:
        known, ends = self._viewers[viewer], self._ends.ends if self._ends is not None else {}
        begin = ends.get(partition, 0)
        return offset >= (known.get(partition, begin) if known is not None else begin)

    def _send(self, viewer: Viewer, partition: int, offset: int, content: bytes) -> None:
        known = self._viewers[viewer]
        if known is None:
            known = self._viewers[viewer] = self._here()
        known[partition] = offset + 1
        viewer.put(content, _id(known))


def _id(known: Positions) -> bytes:
    return ",".join(f"{number}-{offset}" for number, offset in sorted(known.items())).encode()


def _content(one: Any) -> bytes | None:
    """The message of an alert; None for a record without one, such as a tombstone."""
    try:
        found = orjson.loads(one.value() or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    key = (one.key() or b"").decode("utf-8", "replace")
    return message("alert", {"id": key, **found})


def _soon(loop: asyncio.AbstractEventLoop, call: Any, found: list[Any]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, found)
