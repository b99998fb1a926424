"""Maps schema ids, which records have in their first five bytes, to the schemas that the records were written with.

A record begins with a zero byte and a schema id of four bytes. A Schema Registry gives ids below 2^31. Ids above are
made by the package from the SHA-256 of the schema's canonical form. So the two never collide, and records that were
written without a registry can be read when there is one.

https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
"""

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

from topics.errors import OgrewatchError

PREFIX = 5
"""Bytes before the Avro body."""
VERSIONS = Path(__file__).parent / "versions"
"""Folder with the schemas of all versions so far, by the package's own ids; `scripts/keep-schemas` writes it."""

_OWN = 1 << 31
_MOST = 10_000  # ids that are cached: more than there are records in a batch
_RETRY = 60.0  # seconds after which a registry is asked again for an id that it did not have


class CodecError(OgrewatchError, ValueError):
    """Bytes cannot be decoded: they are not in the wire format, their schema does not exist, or the body is damaged."""


class UnknownSchema(OgrewatchError):
    """Only the registry knows a record's schema. Ask it for `number`, pass the answer to `numbers.learn`, retry."""

    def __init__(self, numbers: "SchemaIds", number: int) -> None:
        super().__init__(f"schema {number} has not been asked for yet")
        self.numbers, self.number = numbers, number


@dataclass(frozen=True, slots=True, eq=False)
class WriterSchema:
    """A schema that records were written with, and the name of today's schema for the same records.

    `reader` is today's schema with the writer's further fields behind its own. `fields` are those of the writer, as
    JSON; `plain` are their names and types alone.
    """

    name: str
    schema: Any
    reader: Any
    fields: list[dict[str, Any]]
    plain: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Refusal:
    why: str
    until: float


class SchemaIds:
    """The ids of some schemas, each of which has a name, in this process. It is not thread-safe.

    `first` has the first five bytes of records that are written, by name. `today` has the names by the first five bytes
    of records whose schemas equal today's; `zeros` has the first six bytes of such records whose first field is 0 or
    empty. `asks` is true when there is a registry.
    """

    def __init__(self, schemas: dict[str, dict[str, Any]]) -> None:
        self.schemas = schemas
        self.first = {name: first_bytes(own_id(schema)) for name, schema in schemas.items()}
        self.today: dict[bytes, str] = {}
        self.zeros: set[bytes] = set()
        self.asks = False
        self._names = {_canonical(schema)["name"]: name for name, schema in schemas.items()}
        self._others: dict[bytes, WriterSchema | _Refusal] = {}
        self._know(self.first)

    def adopt(self, numbers: dict[str, int]) -> None:
        """Write with these ids, which a registry gave, from now on."""
        self.first.update((name, first_bytes(number)) for name, number in numbers.items())
        self._know(self.first)
        self.asks = True

    def learn(self, number: int, text: str | None) -> None:
        """Add a schema that a registry returned for an id; None if it has none of that id."""
        first = first_bytes(number)
        try:
            self._remember(first, self._writer(text, f"schema {number}"))
        except CodecError as error:
            self._remember(first, _Refusal(str(error), time.monotonic() + _RETRY))

    def writer(self, value: bytes) -> WriterSchema:
        """The schema of a record that is not in `today`. Raises `CodecError`, or `UnknownSchema` with a registry."""
        first = value[:PREFIX]
        if len(first) < PREFIX or first[0]:
            raise CodecError("not in the wire format: no zero byte with a schema's number")
        number = int.from_bytes(first[1:], "big")
        found = self._others.get(first)
        if found is None or (isinstance(found, _Refusal) and time.monotonic() > found.until):
            if number < _OWN and self.asks:
                raise UnknownSchema(self, number)
            found = self._earlier(number)
        if isinstance(found, _Refusal):
            raise CodecError(found.why)
        return found

    def _earlier(self, number: int) -> WriterSchema:
        """Read the schema of an id that the package made. Raises `CodecError`."""
        if number < _OWN:
            raise CodecError(f"schema {number} is known to a Schema Registry only, and none is set")
        file = VERSIONS / f"{number:08x}.avsc"
        text = file.read_text(encoding="utf-8") if file.exists() else None
        writer = self._writer(text, f"schema {number:08x}")
        self._remember(first_bytes(number), writer)
        return writer

    def _writer(self, text: str | None, which: str) -> WriterSchema:
        if text is None:
            raise CodecError(f"{which} does not exist")
        try:
            schema = json.loads(text)
            plain = _canonical(schema)
            name = self._names[plain["name"]]
            ours = self.schemas[name]
            there = {field["name"] for field in ours["fields"]}
            gone = [field for field in schema["fields"] if field["name"] not in there]
            reader = parse_schema({**ours, "fields": [*ours["fields"], *gone]})
            return WriterSchema(name, parse_schema(schema), reader, schema["fields"], plain["fields"])
        except Exception as error:  # fastavro raises many kinds for a text that is not a schema, or not one of ours
            raise CodecError(f"{which} is none of ours: {error!r}") from error

    def _remember(self, first: bytes, found: WriterSchema | _Refusal) -> None:
        while len(self._others) >= _MOST:
            oldest = next(iter(self._others))
            del self._others[oldest]
            self.today.pop(oldest, None)
            self.zeros.discard(oldest + b"\0")
        self._others[first] = found
        if isinstance(found, WriterSchema) and found.plain == _canonical(self.schemas[found.name])["fields"]:
            self._know({found.name: first})

    def _know(self, firsts: dict[str, bytes]) -> None:
        self.today.update((first, name) for name, first in firsts.items())
        self.zeros.update(first + b"\0" for first in firsts.values())


def own_id(schema: dict[str, Any]) -> int:
    """The id that the package makes for a schema. It depends on the canonical form alone."""
    canonical = to_parsing_canonical_form(parse_schema(schema)).encode()
    return int.from_bytes(hashlib.sha256(canonical).digest()[:4], "big") | _OWN


def first_bytes(number: int) -> bytes:
    """The first bytes of records with this schema id."""
    return b"\0" + number.to_bytes(4, "big")


def _canonical(schema: dict[str, Any]) -> Any:
    return json.loads(to_parsing_canonical_form(parse_schema(schema)))
