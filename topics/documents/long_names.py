"""Turns members with very long names into text, because Elasticsearch refuses a whole document for one of them.

Elasticsearch keeps an object of unknown members as terms of name and value, of 32,766 bytes at most. Senders choose the
names. Members whose dotted name has more than `LONGEST` bytes become JSON text, in a member `TEXT` of their object.
https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/flattened
"""

from typing import Any

import orjson

LONGEST = 16 << 10
"""The most bytes of a dotted name with a dot at its end. It leaves half of a term for the longest value."""
TEXT = "(long names)"


def without_long_names(extra: dict[str, Any]) -> dict[str, Any]:
    """The same object if it has no long names, else a copy without them. Takes linear time."""
    found: dict[str, Any] = _kept(extra, LONGEST) if _has_long(extra, LONGEST) else extra
    return found


def _has_long(value: Any, budget: int) -> bool:
    if type(value) is dict:
        return any(budget < (size := _size(name)) or _has_long(member, budget - size) for name, member in value.items())
    return type(value) is list and any(_has_long(member, budget) for member in value)


def _kept(value: Any, budget: int) -> Any:
    if type(value) is list:
        return [_kept(member, budget) for member in value]
    if type(value) is not dict:
        return value
    long = {name: member for name, member in value.items() if _size(name) > budget}
    kept = {name: _kept(member, budget - _size(name)) for name, member in value.items() if name not in long}
    return {**kept, TEXT: orjson.dumps(long).decode()} if long else kept


def _size(name: str) -> int:
    """The bytes of a name and a dot."""
    return len(name.encode()) + 1
