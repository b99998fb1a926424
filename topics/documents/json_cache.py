"""Bytes of encoded events in, pieces of JSON out, remembered: what one event says of its source, others say too.

All memories are bounded: one that is full is emptied, for what matters comes back at once. A piece holds members of an
object, each with a comma before it.
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

_ENTRIES = 16_384
_ALIKE = 8  # pieces of one key
_LONGEST = 512  # bytes of what is worth remembering


def varint(body: bytes, at: int) -> tuple[int, int]:
    """Read a number of several bytes, the first of which stands before `at`: zigzag, and the position after it."""
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
    """Read the length of a string like `varint`; its first byte has said that it is long, or no length at all."""
    number, at = varint(body, at) if body[at - 1] > 127 else (body[at - 1], at)
    if number & 1:
        raise ValueError("a negative length")
    return number, at


class Quoted(dict[bytes, bytes]):
    """Strings: UTF-8 to JSON."""

    def __missing__(self, raw: bytes) -> bytes:
        text = quote(raw)
        if len(raw) <= _LONGEST:
            make_room(self)
            self[raw] = packed(text)
        return text


class Times(dict[bytes, bytes]):
    """Times of eight bytes, as those of our century are, to ISO 8601 in JSON."""

    def read(self, body: bytes, at: int) -> tuple[bytes, int]:
        """Read a time that is not remembered."""
        number, end = varint(body, at + 1) if body[at] > 127 else (body[at], at + 1)
        text = orjson.dumps(iso((number >> 1) ^ -(number & 1)))
        if end - at == 8:
            make_room(self)
            self[body[at:end]] = packed(text)
        return text, end


class Priorities(dict[int, bytes]):
    """Syslog priorities to the members of `log.syslog` that follow from them."""

    def __missing__(self, priority: int) -> bytes:
        make_room(self)
        document = render({"timestamp": 0, "log_syslog_priority": priority})
        self[priority] = members(document["log"]["syslog"])
        return self[priority]


class Known(NamedTuple):
    """The bytes of some columns, how many they are, and the piece that they make."""

    encoded: bytes
    size: int
    piece: bytes


class Group(dict[bytes, Known]):
    """Columns that follow each other and repeat together, to their piece of the top-level object `name`.

    `given` are columns read before, which belong to the same piece and make the key. Avro is self-delimiting: bytes
    that begin with an encoding met before decode to the same columns, so their extent need not be found again.
    """

    def __init__(self, name: str, given: tuple[str, ...], columns: tuple[Field, ...]) -> None:
        super().__init__()
        self._name, self._given = name, given
        self._others: dict[bytes, list[Known]] = {}
        self._schema = parse_schema(record(f"{name.title()}Group", columns))

    def learn(self, body: bytes, at: int, *given: bytes) -> Known:
        """The piece of the columns at `at`, when it is not what the key had last. `given` are JSON strings or empty."""
        key = b",".join(given)  # quoted or empty: which of them is which stays clear
        others = self._others.get(key, [])
        known = next((k for k in others if body.startswith(k.encoded, at)), None)
        if known is None:
            known = self._decode(body, at, given)
            if known.size > _LONGEST:
                return known
            make_room(self._others)
            self._others[key] = [known, *others[: _ALIKE - 1]]
        make_room(self)
        self[key] = known
        return known

    def _decode(self, body: bytes, at: int, given: tuple[bytes, ...]) -> Known:
        """Decode and render in the plain way."""
        buffer = BytesIO(body)
        buffer.seek(at)
        columns: Any = schemaless_reader(buffer, self._schema, None)
        event: Event = {c: orjson.loads(text) for c, text in zip(self._given, given, strict=True) if text}
        piece = members(render({"timestamp": 0, **event, **columns}).get(self._name, {}))
        return Known(body[at : buffer.tell()], buffer.tell() - at, piece)


class Extras(dict[bytes, dict[str, bytes] | None]):
    """`extra` to pieces, by the path of the object that each goes into.

    None for one that reaches into what is rendered elsewhere: such an event must be rendered in the plain way.
    `objects` are the paths of the objects that may be added to, `taken` the names that have a column or are derived.
    """

    def __init__(self, objects: Iterable[str], taken: Iterable[str]) -> None:
        super().__init__()
        self._objects = frozenset(objects)
        self._taken = {
            ".".join(p[:n]) for p in (t.split(".") for t in taken) for n in range(1, len(p) + 1)
        } - self._objects

    def __missing__(self, raw: bytes) -> dict[str, bytes] | None:
        found = self._pieces(raw)
        if len(raw) <= _LONGEST:
            make_room(self)
            self[raw] = found
        return found

    def _pieces(self, raw: bytes) -> dict[str, bytes] | None:
        tree: dict[str, Any] = {}
        extra = read_extra(raw)
        if len(raw) > LONGEST:
            extra = without_long_names(extra)
        if not self._taken.isdisjoint(extra):
            return None
        for name, value in extra.items():
            place(tree, name, value)
        pieces: dict[str, bytes] = {}
        return pieces if self._place(pieces, "", tree) else None

    def _place(self, pieces: dict[str, bytes], path: str, tree: dict[str, Any]) -> bool:
        inside = {}
        for name, value in tree.items():
            full = f"{path}.{name}" if path else name
            if full in self._objects:
                if not isinstance(value, dict) or not self._place(pieces, full, value):
                    return False
            elif full in self._taken:
                return False
            else:
                inside[name] = value
        if inside:
            pieces[path] = members(inside)
        return True


def quote(raw: bytes) -> bytes:
    """A string as JSON. Raises `ValueError` when it is not UTF-8."""
    return orjson.dumps(str(raw, "utf-8"))


def joined(*texts: bytes) -> bytes:
    """Those that are not empty, each once, as members of an array."""
    return b",".join(dict.fromkeys(text for text in texts if text))


def members(value: dict[str, Any]) -> bytes:
    """The members of an object, each with a comma before it."""
    return b"," + orjson.dumps(value)[1:-1] if value else b""


def packed(text: bytes) -> bytes:
    """A copy to keep: what orjson returns stands in a buffer of some kilobytes, however short it is."""
    return bytes(memoryview(text))


def make_room(memory: dict[Any, Any]) -> None:
    """Empty a memory that is full."""
    if len(memory) >= _ENTRIES:
        memory.clear()
