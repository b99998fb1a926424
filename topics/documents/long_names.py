"""Turns members with very long names into text, because a store refuses a whole document for one of them.

Elasticsearch keeps an object of unknown members as terms of name and value, and none may have more than 32,766 bytes:
https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/flattened. Senders choose names. What stands under
a dotted name of more than `LONGEST` bytes is kept as JSON text in a member `TEXT` of the object that it stood in.
"""

from typing import Any

import orjson

LONGEST = 16 << 10
"""Most bytes of a dotted name, its dots and one more: half of a term is left for the longest value that is searched."""
TEXT = "(long names)"


def without_long_names(extra: dict[str, Any]) -> dict[str, Any]:
    """The same object, or a copy without such names if there are any. Takes linear time."""
    found: dict[str, Any] = _kept(extra, LONGEST) if _has_long(extra, LONGEST) else extra
    return found


def _has_long(value: Any, room: int) -> bool:
    if type(value) is dict:
        return any(room < (size := _size(name)) or _has_long(member, room - size) for name, member in value.items())
    return type(value) is list and any(_has_long(member, room) for member in value)


def _kept(value: Any, room: int) -> Any:
    if type(value) is list:
        return [_kept(member, room) for member in value]
    if type(value) is not dict:
        return value
    long = {name: member for name, member in value.items() if _size(name) > room}
    kept = {name: _kept(member, room - _size(name)) for name, member in value.items() if name not in long}
    return {**kept, TEXT: orjson.dumps(long).decode()} if long else kept


def _size(name: str) -> int:
    """Bytes of a name and of a dot."""
    return len(name.encode()) + 1
