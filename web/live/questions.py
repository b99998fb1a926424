"""Turns the answers to questions about counts and health into messages that say what has changed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import time
from typing import Any

from web.live.hub import Question
from web.live.viewers import message
from web.queries import Queries, WantedAttackers
from web.store.attempts import Filters
from web.windows import MINUTE, Window, parse

Json = dict[str, Any]

_STORED = 10.0  # seconds between two times that Elasticsearch is asked
_RECENT = "3m"  # the minutes in which attempts are still expected to come


class _OfWindow(Question):
    """A question about a window that slides, unless it is fixed."""

    def __init__(self, window: Window, keep: float) -> None:
        self.interval = None if window.fixed else 1.0 if window.is_live(time(), keep) else _STORED
        self._window = window

    def now(self) -> Window:
        """The window as it is at this moment."""
        return self._window if self._window.fixed else parse(f"{self._window.seconds}s", time())


class Ratio(_OfWindow):
    """Successful and failed logins by service."""

    def __init__(self, queries: Queries, window: Window, filters: Filters, keep: float) -> None:
        super().__init__(window, keep)
        self._queries, self._filters, self._last = queries, filters, b""

    async def ask(self) -> list[bytes]:
        found = message("ratio", await self._queries.ratio(self.now(), "service", 100, self._filters))
        if found == self._last:
            return []
        self._last = found
        return [found]

    def first(self) -> list[bytes]:
        return [self._last]


class Series(Question):
    """The attempts of the last minutes by service; one message for each minute that changed."""

    def __init__(self, queries: Queries, filters: Filters) -> None:
        self._queries, self._filters, self._minutes = queries, filters, dict[str, bytes]()
        self.interval = 1.0 if filters == Filters(service=filters.service) else _STORED

    async def ask(self) -> list[bytes]:
        found = await self._queries.series(parse(_RECENT, time()), MINUTE, self._filters)
        now = {minute: _minute(found, place, minute) for place, minute in enumerate(found["times"])}
        changed = [text for minute, text in now.items() if self._minutes.get(minute) != text]
        self._minutes = now
        return changed

    def first(self) -> list[bytes]:
        return list(self._minutes.values())


class Attackers(_OfWindow):
    """Addresses that failed: at first all, then those that are new or have changed, and those that are gone."""

    def __init__(self, queries: Queries, wanted: WantedAttackers, keep: float) -> None:
        super().__init__(wanted.window, keep)
        self._queries, self._wanted = queries, wanted
        self._rows: dict[str, Json] = {}
        self._about: Json = {}

    async def ask(self) -> list[bytes]:
        found = await self._queries.attackers(replace(self._wanted, window=self.now()))
        rows = {row["address"]: row for row in found.pop("attackers")}
        put = [row for address, row in rows.items() if self._rows.get(address) != row]
        gone = [address for address in self._rows if address not in rows]
        same, self._rows, self._about = self._about == found, rows, found
        return [] if same and not put and not gone else [message("attackers", {"put": put, "gone": gone, **found})]

    def first(self) -> list[bytes]:
        return [message("attackers", {"all": list(self._rows.values()), **self._about})]


class State(Question):
    """The health of the installation, with lag and rates of the roles."""

    interval = 2.0

    def __init__(self, look: Callable[[], Awaitable[Json]]) -> None:
        self._look, self._last = look, b""

    async def ask(self) -> list[bytes]:
        self._last = message("health", await self._look())
        return [self._last]

    def first(self) -> list[bytes]:
        return [self._last]


def _minute(found: Json, place: int, minute: str) -> bytes:
    rows = {
        name: [row[outcome][place] for outcome in ("success", "failure", "unknown")]
        for name, row in found["rows"].items()
    }
    used = {name: row for name, row in rows.items() if any(row)}
    return message("series", {"minute": minute, "by": "service", "rows": used})
