"""Caches JSON fragments by their Avro encoding, because what one event says of its source, many others say, too.

A fragment holds members of an object, each with a comma before it. All caches are bounded: a full one is emptied, as
what is needed often comes back at once.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, NamedTuple

import orjson
from fastavro import parse_schema, schemaless_reader

from topics.avro.codec import read_extra
from topics.avro.schemas import record
from topics.documents.ecs import iso, render
from topics.documents.long_names import LONGEST, without_long_names
from topics.documents.placement import place
from topics.event import Event
from topics.fields import Field

_ENTRIES = 16_384  # in each cache
_PER_KEY = 8  # fragments with one key
_LONGEST = 512  # bytes of an encoding, at most, that is cached


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Read a number of several bytes, the first of which is before `at`: in zigzag, and the position after it."""
    second = body[at]
    number = body[at - 1] & 127 | (second & 127) << 7
    if second < 128:
        return number, at + 1
    third = body[at + 1]
    number |= (third & 127) << 14
    return (number, at + 2) if third < 128 else _long_varint(body, at + 2, number)


def _long_varint(body: bytes, at: int, number: int) -> tuple[int, int]:
    for shift in range(21, 70, 7):
        byte = body[at]
        number |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return number, at
    raise ValueError("a number longer than 64 bits")


def length(body: bytes, at: int) -> tuple[int, int]:
    """Read the length of a string like `varint`, when its first byte says that it is long or negative."""
    number, at = varint(body, at) if body[at - 1] > 127 else (body[at - 1], at)
    if number & 1:
        raise ValueError("a negative length")
    return number, at


class Quoted(dict[bytes, bytes]):
    """Caches strings: UTF-8 to JSON."""

    def __missing__(self, raw: bytes) -> bytes:
        text = quote(raw)
        if len(raw) <= _LONGEST:
            evict_if_full(self)
            self[raw] = packed(text)
        return text


class Times(dict[bytes, bytes]):
    """Caches times that are encoded in eight bytes, as all of this century are: to ISO 8601 in JSON."""

    def read(self, body: bytes, at: int) -> tuple[bytes, int]:
        """Read a time that is not cached."""
        number, end = varint(body, at + 1) if body[at] > 127 else (body[at], at + 1)
        text = orjson.dumps(iso((number >> 1) ^ -(number & 1)))
        if end - at == 8:
            evict_if_full(self)
            self[body[at:end]] = packed(text)
        return text, end


class Priorities(dict[int, bytes]):
    """Caches syslog priorities: to the members of `log.syslog` that follow from them."""

    def __missing__(self, priority: int) -> bytes:
        evict_if_full(self)
        document = render({"timestamp": 0, "log_syslog_priority": priority})
        self[priority] = members(document["log"]["syslog"])
        return self[priority]


class Known(NamedTuple):
    """The encoding of some columns, its size in bytes, and the fragment that they make."""

    encoded: bytes
    size: int
    fragment: bytes


class Group(dict[bytes, Known]):
    """Caches adjacent columns that repeat together: to their fragment of the top-level object `name`.

    `given` are columns read before, which belong to the same fragment and make the key. Avro is self-delimiting: bytes
    that begin with a cached encoding decode to the same columns, so that their end need not be found again.
    """

    def __init__(self, name: str, given: tuple[str, ...], columns: tuple[Field, ...]) -> None:
        super().__init__()
        self._name, self._given = name, given
        self._others: dict[bytes, list[Known]] = {}
        self._schema = parse_schema(record(f"{name.title()}Group", columns))

    def learn(self, body: bytes, at: int, *given: bytes) -> Known:
        """The fragment of the columns at `at`, if it is not the last of its key. `given` are JSON strings or empty."""
        key = b",".join(given)  # each is quoted or empty, so that no two lists have the same key
        others = self._others.get(key, [])
        known = next((k for k in others if body.startswith(k.encoded, at)), None)
        if known is None:
            known = self._decode(body, at, given)
            if known.size > _LONGEST:
                return known
            evict_if_full(self._others)
            self._others[key] = [known, *others[: _PER_KEY - 1]]
        evict_if_full(self)
        self[key] = known
        return known

    def _decode(self, body: bytes, at: int, given: tuple[bytes, ...]) -> Known:
        """Decode and render the columns by the plain method."""
        buffer = BytesIO(body)
        buffer.seek(at)
        columns: Any = schemaless_reader(buffer, self._schema, None)
        event: Event = {c: orjson.loads(text) for c, text in zip(self._given, given, strict=True) if text}
        fragment = members(render({"timestamp": 0, **event, **columns}).get(self._name, {}))
        return Known(body[at : buffer.tell()], buffer.tell() - at, fragment)


class Extras(dict[bytes, dict[str, bytes] | None]):
    """Caches `extra`: to fragments, by the path of the object that each belongs to.

    The value is None if `extra` has fields that are rendered elsewhere: such an event needs the plain method. `objects`
    are the paths of objects that may get members, `taken` the names that have a column or are derived.
    """

    def __init__(self, objects: Iterable[str], taken: Iterable[str]) -> None:
        super().__init__()
        self._objects = frozenset(objects)
        self._taken = {
            ".".join(p[:n]) for p in (t.split(".") for t in taken) for n in range(1, len(p) + 1)
        } - self._objects

    def __missing__(self, raw: bytes) -> dict[str, bytes] | None:
        found = self._fragments(raw)
        if len(raw) <= _LONGEST:
            evict_if_full(self)
            self[raw] = found
        return found

    def _fragments(self, raw: bytes) -> dict[str, bytes] | None:
        tree: dict[str, Any] = {}
        extra = read_extra(raw)
        if len(raw) > LONGEST:
            extra = without_long_names(extra)
        if not self._taken.isdisjoint(extra):
            return None
        for name, value in extra.items():
            place(tree, name, value)
        fragments: dict[str, bytes] = {}
        return fragments if self._place(fragments, "", tree) else None

    def _place(self, fragments: dict[str, bytes], path: str, tree: dict[str, Any]) -> bool:
        inside = {}
        for name, value in tree.items():
            full = f"{path}.{name}" if path else name
            if full in self._objects:
                if not isinstance(value, dict) or not self._place(fragments, full, value):
                    return False
            elif full in self._taken:
                return False
            else:
                inside[name] = value
        if inside:
            fragments[path] = members(inside)
        return True


def quote(raw: bytes) -> bytes:
    """Encode a string as JSON. Raises `ValueError` when it is not UTF-8."""
    return orjson.dumps(str(raw, "utf-8"))


def joined(*texts: bytes) -> bytes:
    """Join the distinct texts that are not empty, as members of an array."""
    return b",".join(dict.fromkeys(text for text in texts if text))


def members(value: dict[str, Any]) -> bytes:
    """The members of an object, each with a comma before it."""
    return b"," + orjson.dumps(value)[1:-1] if value else b""


def packed(text: bytes) -> bytes:
    """Copy a text for a cache: what orjson returns keeps a buffer of some kilobytes, however short it is."""
    return bytes(memoryview(text))


def evict_if_full(cache: dict[Any, Any]) -> None:
    """Empty a full cache, so that it can take another entry."""
    if len(cache) >= _ENTRIES:
        cache.clear()
