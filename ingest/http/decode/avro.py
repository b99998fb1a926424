"""Converts Avro's JSON encoding to plain JSON: raw topics hold plain JSON, whatever schema it was checked against.

There is no schema registry: a schema that was sent once is known by its id as long as this process remembers it.
https://avro.apache.org/docs/1.12.0/specification/#json-encoding
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from io import StringIO
from typing import Any

import fastavro
import orjson

_REMEMBERED, _CHARACTERS = 1000, 4 << 20  # schemas, and characters of all their texts, that are kept
_LARGEST = 256 << 10  # characters of one schema


class InvalidSchema(Exception):
    """A text that is not an Avro schema."""


class InvalidAvro(Exception):
    """A value that does not fit its schema."""


@dataclass(frozen=True, slots=True)
class Schema:
    """An Avro schema. `id` depends on its text alone."""

    id: int
    text: str
    parsed: Any

    def json_of(self, value: Any) -> bytes:
        """Convert a value from Avro's JSON encoding to plain JSON. Raises `InvalidAvro`."""
        try:
            (datum,) = fastavro.json_reader(StringIO(orjson.dumps(value).decode()), self.parsed)
            fastavro.validate(datum, self.parsed)
            return orjson.dumps(datum, default=_text)
        except Exception as error:  # fastavro raises whatever a value of the wrong type leads to
            raise InvalidAvro(f"{type(error).__name__}: {error}"[:500]) from None


class Schemas:
    """Schemas by id: those whose texts were given, and new ones of this body, whose texts are in `learned`."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = dict(texts)
        self.learned: dict[int, str] = {}

    def of_text(self, text: str) -> Schema:
        """Return the schema of a text. Raises `InvalidSchema`."""
        identity = int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) >> 1
        schema = Schema(identity, text, _parsed(text))
        self.learned[identity] = self._texts[identity] = text
        return schema

    def of_id(self, identity: int) -> Schema | None:
        """Return the schema of an id, None when it is not known."""
        text = self._texts.get(identity)
        return None if text is None else Schema(identity, text, _parsed(text))


class SchemaCache:
    """The texts of the schemas that were used last, by id."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, str] = OrderedDict()

    def remember(self, learned: Mapping[int, str]) -> None:
        """Add the texts of schemas, and remove the oldest beyond the limits."""
        for identity, text in learned.items():
            self._known[identity] = text
            self._known.move_to_end(identity)
        while len(self._known) > _REMEMBERED or sum(map(len, self._known.values())) > _CHARACTERS:
            self._known.popitem(last=False)

    def all(self) -> dict[int, str]:
        """Return all texts by id."""
        return dict(self._known)


@lru_cache(64)
def _parsed(text: str) -> Any:
    if len(text) > _LARGEST:
        raise InvalidSchema(f"a schema of more than {_LARGEST} characters")
    try:
        return fastavro.parse_schema(orjson.loads(text))
    except Exception as error:  # fastavro raises whatever a schema of the wrong shape leads to
        raise InvalidSchema(f"{type(error).__name__}: {error}"[:500]) from None


def _text(value: Any) -> str:
    """Return text for types that JSON lacks: bytes as in Avro's JSON encoding, decimals by their digits."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
