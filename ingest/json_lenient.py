"""JSON as programs write it in, its value out: NaN, half surrogates and numbers of any size too, as Python reads them.

Programs that log bytes as text write such halves. https://www.rfc-editor.org/rfc/rfc8259#section-8.2
"""

import json
from typing import Any

import orjson

from topics.catalogue import MAX_RECORD


def loads(text: bytes) -> Any:
    """The value. Raises `orjson.JSONDecodeError`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if len(text) <= MAX_RECORD:  # more is no record, and takes long
            try:
                return json.loads(text.decode())
            except (ValueError, RecursionError):
                pass
        raise


def dumps(value: Any) -> bytes:
    """JSON of a value that was read here."""
    try:
        return orjson.dumps(value)
    except TypeError:  # what orjson does not read, it does not write
        return json.dumps(value).encode()
