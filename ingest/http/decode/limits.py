"""Parses a whole body as JSON or splits it into lines.

A body is refused when the result would take many times its own memory.
"""

from collections.abc import Callable
from typing import Any

import orjson

from ingest.http.responses import HttpError

_SMALL = 1 << 20  # bytes; a smaller body cannot have too many parts
_VALUES, _LINES = 2_000_000, 1_000_000  # of one body: some hundred MiB in memory


def value_of(body: bytes, read: Callable[[bytes], Any] = orjson.loads) -> Any:
    """Return the JSON value that `read` finds.

    Raises `orjson.JSONDecodeError`, and `HttpError` (413) when the value may have too many parts.
    """
    if len(body) > _SMALL and sum(body.count(mark) for mark in (b",", b"{", b"[")) > _VALUES:
        raise HttpError(413, f"more than {_VALUES} JSON values in one body")
    return read(body)


def lines_of(body: bytes) -> list[bytes]:
    """Return the lines, without their ends. Raises `HttpError` (413) when there are too many, empty ones included."""
    if len(body) > _SMALL and body.count(b"\n") > _LINES:
        raise HttpError(413, f"more than {_LINES} lines in one body")
    return body.split(b"\n")
