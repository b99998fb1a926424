"""Reads and writes JSON as programs write it: besides standard JSON it accepts what Python's `json` accepts.

That is NaN and Infinity, single UTF-16 surrogates (written by programs that log bytes as text) and integers of any
size. https://www.rfc-editor.org/rfc/rfc8259#section-8.2
"""

import json
from typing import Any

import orjson

from topics.catalogue import MAX_RECORD


def loads(text: bytes) -> Any:
    """Return the value. Raises `orjson.JSONDecodeError`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if len(text) <= MAX_RECORD:  # a longer text is never a record, and Python's parser is slow
            try:
                return json.loads(text.decode())
            except (ValueError, RecursionError):
                pass
        raise


def dumps(value: Any) -> bytes:
    """Return the JSON of a value that `loads` returned."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson can write neither big integers nor surrogates
        return json.dumps(value).encode()
