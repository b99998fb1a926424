"""Splits a body into events or lines: keeps key and value of each, and notes what is wrong with the others."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from ingest.hosts import host_of_event, host_of_line
from ingest.http.decode.limits import lines_of, value_of
from ingest.http.responses import HttpError, Position
from ingest.json_lenient import dumps, loads
from topics.catalogue import MAX_RECORD
from topics.headers import Headers


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why an item is not an event, and where in the body."""

    status: int
    reason: str
    position: Position | None = None


@dataclass(slots=True)
class Items:
    """The items of a body, in order: keys and values, and by number those that are rejected.

    `fallback` is the key of items that name no host. `contents` are the keys and values of the records, `numbers` their
    lines or array indices.
    """

    topic: str
    fallback: bytes
    headers: Headers
    most: int
    contents: list[tuple[bytes, bytes]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    rejected: dict[int, Rejected] = field(default_factory=dict)

    def add(self, number: int, value: bytes, host: bytes | None) -> None:
        """Add a record. Raises `HttpError` (413) when there are too many."""
        key = host or self.fallback
        if len(value) + len(key) > MAX_RECORD:
            self.rejected[number] = Rejected(413, f"larger than {MAX_RECORD} bytes")
            return
        if len(self.contents) >= self.most:
            raise HttpError(413, f"more than {self.most} records in one request")
        self.contents.append((key, value))
        self.numbers.append(number)

    def reject(self, number: int, rejected: Rejected) -> None:
        """Note what is wrong with an item. Raises `HttpError` (400) when there are too many."""
        if len(self.rejected) >= self.most:
            raise HttpError(400, f"more than {self.most} items are no events")
        self.rejected[number] = rejected


def add_lines(items: Items, body: bytes) -> None:
    """Add each line as a log. Empty lines are skipped."""
    for number, line in enumerate(lines_of(body), 1):
        line = line.removesuffix(b"\r")
        if line and not line.isspace():
            items.add(number, line, host_of_line(line))


def add_ndjson(items: Items, body: bytes) -> None:
    """Add the JSON object of each line, its bytes unchanged. Empty lines are skipped."""
    start = 0
    for number, line in enumerate(lines_of(body), 1):
        if line and not line.isspace():
            event = object_or_rejected(line, number, start)
            if isinstance(event, Rejected):
                items.reject(number, event)
            else:
                items.add(number, line.removesuffix(b"\r"), host_of_event(event))
        start += len(line) + 1


def add_json(items: Items, body: bytes) -> None:
    """Add an object, an array of objects, or an object per line. Raises `HttpError` (400) for anything else.

    The bytes of an object are unchanged; the objects of an array are written anew without white space.
    """
    try:
        value = value_of(body, loads)
    except orjson.JSONDecodeError as error:
        if not _is_ndjson(body):
            raise HttpError(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
        add_ndjson(items, body)
        return
    if isinstance(value, dict):
        items.add(1, body.strip(), host_of_event(value))
    elif isinstance(value, list):
        add_array(items, value)
    else:
        raise HttpError(400, "an event is a JSON object", position=Position(1, 1, 0))


def add_array(items: Items, values: list[Any], first: int = 1) -> None:
    """Add the objects of an array, numbered from `first`."""
    for number, value in enumerate(values, first):
        if isinstance(value, dict):
            items.add(number, dumps(value), host_of_event(value))
        else:
            items.reject(number, Rejected(400, "an event is a JSON object"))


def object_or_rejected(line: bytes, number: int, start: int) -> dict[str, Any] | Rejected:
    """Return the object of a line that begins `start` bytes into the body, or what is wrong with it."""
    if len(line) > MAX_RECORD:
        return Rejected(413, f"larger than {MAX_RECORD} bytes", Position(number, 1, start))
    try:
        value = loads(line)
    except orjson.JSONDecodeError as error:
        found = position_of(error, line)
        return Rejected(400, f"no JSON: {error.msg}", Position(number, found.column, start + found.offset))
    if type(value) is dict:
        return value
    return Rejected(400, "an event is a JSON object", Position(number, 1, start))


def position_of(error: orjson.JSONDecodeError, body: bytes) -> Position:
    """Return where in the body the parser found the error."""
    offset = len(error.doc[: error.pos].encode("utf-8", "replace")) if error.doc else _bad_byte(body)
    begin = body.rfind(b"\n", 0, offset) + 1
    column = len(body[begin:offset].decode("utf-8", "replace")) + 1
    return Position(body.count(b"\n", 0, offset) + 1, column, offset)


def _bad_byte(body: bytes) -> int:
    """Return the first byte that is not UTF-8, which orjson does not report."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _is_ndjson(body: bytes) -> bool:
    """Whether the first line that is not empty is an object of its own, and another follows."""
    first, newline, rest = body.lstrip().partition(b"\n")
    if not newline or not rest.strip() or not first.startswith(b"{"):
        return False
    try:
        loads(first)
    except orjson.JSONDecodeError:
        return False
    return True
