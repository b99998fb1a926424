"""Parses the text of a JSON record, and limits an object to what an event can hold.

It reads what programs write although strict parsers refuse it: lone surrogates, NaN and infinities, integers of any
size, control characters in strings. https://www.rfc-editor.org/rfc/rfc8259
"""

import json
import math
from typing import Any

import orjson

_COOKIE = "@cee:"
_DEEPEST = 16
"""Levels that are kept as they are; what lies deeper is kept as text. Elasticsearch takes 20 in a flattened field."""
_LARGEST = 2**63


def read(text: str) -> dict[str, Any] | None:
    """The object that the text is, perhaps after the `@cee:` of syslog; None when it is something else."""
    text = text.strip().removeprefix("\ufeff").removeprefix(_COOKIE).strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        found = orjson.loads(text)
    except ValueError:
        found = _read_leniently(text)
    return found if type(found) is dict else None


def _read_leniently(text: str) -> Any:
    try:
        return _sound(json.loads(text, parse_constant=str, strict=False))
    except (ValueError, RecursionError):
        return None


def _sound(value: Any) -> Any:
    """The value without what UTF-8 or a number of 64 bits cannot hold."""
    if type(value) is str:
        return value.encode("utf-8", "backslashreplace").decode()
    if type(value) is dict:
        return {_sound(key): _sound(member) for key, member in value.items()}
    if type(value) is list:
        return [_sound(member) for member in value]
    if type(value) is int:
        return value if -_LARGEST <= value < _LARGEST else str(value)
    return str(value) if type(value) is float and not math.isfinite(value) else value


def kept(value: Any, levels: int = _DEEPEST) -> Any:
    """The value as an event's `extra` may hold it: not too deep, its names neither empty nor with NUL bytes."""
    if type(value) is dict:
        if levels == 0:
            return _text(value)
        return {key.replace("\0", "\\0") or "_": kept(member, levels - 1) for key, member in value.items()}
    if type(value) is list:
        return _text(value) if levels == 0 else [kept(member, levels - 1) for member in value]
    return value


def _text(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # deeper than its own limit
        return "..."
