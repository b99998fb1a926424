"""From a nested database record to one value of the expected type."""

from typing import Any, TypeVar

T = TypeVar("T")


def value(record: Any, kind: type[T], *path: str | int) -> T | None:
    """Return what the path leads to; None when a step is missing or the end is of another type or empty.

    Databases come from many makers: an event must get the types its schema names, or nothing.
    """
    for step in path:
        try:
            record = record[step]
        except (KeyError, IndexError, TypeError):
            return None
    return record if isinstance(record, kind) and record != "" else None
