"""Reads one value of an expected type from a nested database record."""

from typing import Any, TypeVar

T = TypeVar("T")


def value(record: Any, kind: type[T], *path: str | int) -> T | None:
    """Return the value at a path; None when it is missing, empty or of another type.

    Databases come from many makers: an event must get the types of its schema, or nothing.
    """
    for step in path:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return None
    return record if isinstance(record, kind) and record != "" else None
