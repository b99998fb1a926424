"""Moves columns that the type of an event lacks into `extra`, and back into columns when the event is read."""

from typing import Any

from topics.event import Event
from topics.fields import FIELDS, SPECIFIC

_ENDS = {f"{end}.geo.location": end for end in ("source", "destination")}
_RETURNING = {f.ecs: f for part in SPECIFIC.values() for f in part if f.kind != "double"}
_TYPES: dict[str, type] = {"string": str, "int": int, "long": int, "strings": list}


def to_overflow(event: Event, kept: frozenset[str]) -> Event:
    """The event with columns outside `kept` moved into `extra`, by their ECS names. A location becomes one object."""
    extra = dict(event.get("extra") or ())
    inside: Event = {}
    for column, value in event.items():
        if column in kept:
            inside[column] = value
        elif column.endswith(("_geo_lat", "_geo_lon")):
            name = FIELDS[column].ecs.rpartition(".")[0]
            place = extra.get(name)
            extra[name] = {**(place if isinstance(place, dict) else {}), column[-3:]: value}
        else:
            extra[FIELDS[column].ecs if column in FIELDS else column] = value
    inside["extra"] = extra
    return inside


def from_overflow(event: Event) -> Event:
    """The event with fields of `extra` moved into the columns of their names, where they are of the column's type.

    A column that has a value keeps it. The event itself is not changed.
    """
    extra = event.get("extra")
    if not extra or (_RETURNING.keys().isdisjoint(extra) and _ENDS.keys().isdisjoint(extra)):
        return event
    columns = {**event, "extra": {}}
    for name, value in extra.items():
        if not _return(columns, name, value):
            columns["extra"][name] = value
    return columns


def _return(columns: Event, name: str, value: Any) -> bool:
    if end := _ENDS.get(name):
        return _return_place(columns, end, value)
    field = _RETURNING.get(name)
    if (
        field is None
        or type(value) is not _TYPES[field.kind]
        or columns.get(field.column, field.absent) != field.absent
    ):
        return False
    columns[field.column] = value
    return True


def _return_place(columns: Event, end: str, value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"lat", "lon"}:
        return False
    if any(type(degrees) is not float for degrees in value.values()):
        return False
    if any(columns.get(f"{end}_geo_{name}") for name in ("lat", "lon")):
        return False
    columns.update({f"{end}_geo_{name}": degrees for name, degrees in value.items()})
    return True
