"""Adds the places and networks of the source and destination addresses to events.

Fields: https://www.elastic.co/guide/en/ecs/current/ecs-geo.html and ecs-as.html.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from enrichers.addresses import LONGEST, placed
from enrichers.asn import COLUMNS as AS_COLUMNS
from enrichers.asn import asn_columns
from enrichers.attribution import attribution
from enrichers.database import PACKAGED, Database
from enrichers.geoip import COLUMNS as GEO_COLUMNS
from enrichers.geoip import geo_columns

Columns = dict[str, Any]


class Enricher:
    """Looks up `source_ip` and `destination_ip` of events. Not thread-safe: one for each thread or process."""

    def __init__(self, city: Path | None = None, asn: Path | None = None, cache_size: int = 65_536) -> None:
        """Open the databases. Without `city` it is the packaged one of countries; without `asn` networks are not added.

        `cache_size` is the most addresses that are cached for source and for destination. Raises GeoDatabaseError.
        """
        self._geo = Database(city or PACKAGED)
        self._asn = Database(asn) if asn else None
        self._source = _Cache("source", self._find, cache_size)
        self._destination = _Cache("destination", self._find, cache_size)

    def enrich(self, event: dict[str, Any]) -> None:
        """Add the columns of both ends to the event. An address without a place adds none; never raises."""
        address = event.get("source_ip")
        if address:
            event.update(self._source[address])
        address = event.get("destination_ip")
        if address:
            event.update(self._destination[address])

    def lookup(self, address: str) -> Columns:
        """Return the columns of an address as the source. Never raises."""
        return dict(self._source[address])

    def reload_if_changed(self) -> bool:
        """Open the databases whose files have changed, and say whether one was. Never raises.

        It reads the status of the files: call it some times a minute, not for each event.
        """
        changed = [database.renew() for database in (self._geo, self._asn) if database]
        if any(changed):
            self._source.clear()
            self._destination.clear()
        return any(changed)

    def describe(self) -> dict[str, Any]:
        """Return what a reader of the results must know about the databases.

        `database`, `built` (the day, UTC), `file`, `level` ("city" or "country"), `attribution` and `link` (may be
        empty); `asn` has the same without the level, or is None.
        """
        geo = _describe(self._geo)
        level = "city" if any(word in geo["database"].lower() for word in ("city", "enterprise")) else "country"
        return {**geo, "level": level, "asn": _describe(self._asn) if self._asn else None}

    def _find(self, address: str) -> Columns:
        target = placed(address)
        if target is None:
            return {}
        columns = geo_columns(self._geo.get(target))
        if self._asn:
            columns.update(asn_columns(self._asn.get(target)))
        return columns


def _describe(database: Database) -> dict[str, str]:
    metadata = database.metadata
    text, link = attribution(metadata["database"], metadata["file"])
    return {**metadata, "attribution": text, "link": link}


class _Cache(dict[str, Columns]):
    """Caches the columns of one end by address. Subscript it: a hit is one look-up in C, a miss calls `__missing__`.

    It has two generations. When the young one has half of the size, it replaces the old one, and addresses that nobody
    asked for meanwhile are dropped. Addresses with equal columns share one dictionary.
    """

    def __init__(self, end: str, find: Callable[[str], Columns], size: int) -> None:
        super().__init__()
        self._names = {column: f"{end}_{column}" for column in (*GEO_COLUMNS, *AS_COLUMNS)}
        self._find = find
        self._half = max(1, size // 2)
        self._old: dict[str, Columns] = {}
        self._shared: dict[tuple[Any, ...], Columns] = {}

    def clear(self) -> None:
        """Forget every address."""
        super().clear()
        self._old.clear()
        self._shared.clear()

    def __missing__(self, address: str) -> Columns:
        if len(address) > LONGEST:
            return {}  # not an address; its sender must not be able to fill the memory
        columns = self._old.get(address)
        if columns is None:
            columns = self._share(self._find(address))
        if len(self) >= self._half:
            self._turn()
        self[address] = columns
        return columns

    def _share(self, columns: Columns) -> Columns:
        key = (*columns, *columns.values())
        shared = self._shared.get(key)
        if shared is None:
            shared = self._shared[key] = {self._names[column]: content for column, content in columns.items()}
        return shared

    def _turn(self) -> None:
        self._old = self.copy()
        super().clear()
        self._shared = {}
