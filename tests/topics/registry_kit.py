"""Makes events as other versions wrote them, and resets what a test has taught the process about schemas."""

import copy
import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from topics.avro.wire import SchemaIds, first_bytes


@contextmanager
def restored(*families: SchemaIds) -> Iterator[None]:
    """Let each know afterwards what it knew before."""
    before = [copy.deepcopy((n.first, n.today, n.zeros, n.asks)) for n in families]
    try:
        yield
    finally:
        for numbers, (first, today, zeros, asks) in zip(families, before, strict=True):
            pairs: Any = ((numbers.first, first), (numbers.today, today), (numbers.zeros, zeros))
            for now, then in pairs:  # the same objects, since others hold them
                now.clear()
                now.update(then)
            numbers.asks = asks
            numbers._others.clear()


def changed(schema: dict[str, Any], *, without: str = "", fields: tuple[Any, ...] = (), first: Any = None) -> Any:
    """A schema as another version may have had it: without a column, with others at the end, and with one before."""
    kept = [field for field in schema["fields"] if field["name"] != without]
    return {**schema, "fields": [*([first] if first else []), *kept, *fields]}


def written(schema: dict[str, Any], number: int, event: dict[str, Any]) -> bytes:
    """An event as a program with that schema wrote it."""
    buffer = BytesIO()
    buffer.write(first_bytes(number))
    schemaless_writer(buffer, parse_schema(schema), event)
    return buffer.getvalue()


def text(schema: Any) -> str:
    return json.dumps(schema)


def send(method: str, url: str, body: Any) -> Any:
    """Ask a registry as another program would."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def put_schema(apicurio: str, subject: str, schema: Any) -> int:
    """Register as another program would; returns the number."""
    return int(send("POST", f"{apicurio}/subjects/{subject}/versions", {"schema": text(schema)})["id"])
