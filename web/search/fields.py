"""Finds the field that a name of the search language means: a short name, or the full name of an ECS field."""

from difflib import get_close_matches
from functools import cache

from streams.registry import discover
from topics.documents.ecs_types import TYPES

SHORT = {
    "action": "event.action",
    "as": "source.as.number",
    "category": "event.category",
    "city": "source.geo.city_name",
    "country": "source.geo.country_iso_code",
    "dataset": "event.dataset",
    "dst": "destination.ip",
    "error": "error.message",
    "host": "host.hostname",
    "ip": "source.ip",
    "kind": "event.kind",
    "outcome": "event.outcome",
    "pid": "process.pid",
    "port": "source.port",
    "program": "process.name",
    "rule": "rule.name",
    "service": "ogrewatch.service",
    "status": "http.response.status_code",
    "url": "url.original",
    "user": "user.name",
}
"""Short names of fields that are often asked for."""
UPPER = frozenset({"source.geo.country_iso_code", "destination.geo.country_iso_code"})
LOWER = frozenset({"event.outcome", "event.dataset", "event.category", "event.kind", "ogrewatch.service"})
"""Fields whose values are always in capitals, or never, so that nobody has to think of it."""
_UNSEARCHABLE = frozenset({"event.original"})  # stored, and not indexed


class UnknownField(ValueError):
    """There is no such field. The text says so, and which name may have been meant."""


def field_of(name: str) -> tuple[str, str]:
    """The full name of a field, and its type in Elasticsearch. Raises UnknownField."""
    full = SHORT.get(name, name)
    if full in _UNSEARCHABLE:
        raise UnknownField(f"{name} cannot be searched; message can")
    if kind := TYPES.get(full):
        return full, kind
    if full.partition(".")[0] in _streams() and "." in full:
        return full, "keyword"
    raise UnknownField(f"there is no field {name[:60]!r}{_hint(name)}")


def _hint(name: str) -> str:
    near = get_close_matches(name[:60], [*SHORT, *TYPES], 1, 0.7)
    return f"; {near[0]} was meant?" if near else "; text with a colon goes between quotes"


@cache
def _streams() -> frozenset[str]:
    """The names of the objects in which streams keep fields of their own."""
    return frozenset(stream.name.partition(".")[0] for stream in discover())
