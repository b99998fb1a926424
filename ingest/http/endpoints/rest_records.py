"""Converts records in the JSON of the Confluent REST Proxy, versions 2 and 3, to records for Kafka.

Both versions have partition, headers and timestamp in common.
https://docs.confluent.io/platform/current/kafka-rest/api.html
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from ingest.hosts import host_of_event, host_of_line
from ingest.http.decode.avro import InvalidAvro, InvalidSchema, Schema, Schemas
from ingest.http.decode.worker_process import NeedsSchemas
from ingest.http.responses import HttpError
from topics.catalogue import MAX_RECORD
from topics.headers import Headers
from topics.kafka.producer import Outgoing
from topics.records.provenance import CLAIMED, RESERVED

_LATEST = 253_402_300_799_000  # milliseconds: the last second of the year 9999
_MOST_HEADERS = 100


class InvalidField(Exception):
    """An invalid field of a record. `status` is HTTP's, `code` Confluent's error code (the status when None)."""

    def __init__(self, status: int, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def _partition_from(part: Any, count: int) -> int | None:
    """Return a partition of a topic that has `count`; None for the partitioner's choice. Raises `InvalidField`."""
    if part is None:
        return None
    if type(part) is not int or part < 0:
        raise InvalidField(422, "a partition is a number from 0")
    if part >= count:
        raise InvalidField(422, f"there is no partition {part}")
    return part


def _headers_from(part: Any) -> Headers:
    """Return headers given as `[{"name": ..., "value": base64}]`. Raises `InvalidField`, also for reserved names."""
    if part is None:
        return []
    if not isinstance(part, list) or len(part) > _MOST_HEADERS:
        raise InvalidField(422, f"headers are an array of at most {_MOST_HEADERS} objects")
    return [_header(header) for header in part]


def _with_claims(headers: Headers, more: Headers, timestamp: int) -> Headers:
    """Return our headers of a record, then the sender's, then the time that the sender claims."""
    if timestamp:
        return [*headers, *more, (CLAIMED, str(timestamp).encode())]
    return headers + more if more else headers


def _header(header: Any) -> tuple[str, bytes | None]:
    name = header.get("name") if isinstance(header, dict) else None
    if not isinstance(name, str) or not name or "\0" in name:
        raise InvalidField(422, "a header has a name")
    if name.lower().startswith(RESERVED):
        raise InvalidField(422, f"headers that begin with {RESERVED} are not for senders")
    value = header.get("value")
    if value is None:
        return name, None
    try:
        return name, base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidField(422, "the value of a header is base64") from None


def _time_from(part: Any) -> int:
    """Return milliseconds since 1970, given so or as ISO 8601; 0, which means now, for None. Raises `InvalidField`."""
    if part is None:
        return 0
    if type(part) is int and 0 <= part <= _LATEST:
        return part
    if isinstance(part, str):
        try:
            moment = datetime.fromisoformat(part)
            return max(0, int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
        except (ValueError, OverflowError):
            pass
    raise InvalidField(422, "a timestamp is ISO 8601, or milliseconds since 1970")


Converter = Callable[[Any], bytes]


def converter_of(kind: str, schema: Schema | None) -> Converter:
    """Return the function that converts a key or a value to Kafka's bytes; it raises `InvalidField`."""
    if kind == "binary":
        return _from_base64
    if schema is None:
        return orjson.dumps

    def from_avro(part: Any) -> bytes:
        try:
            return schema.json_of(part)
        except InvalidAvro as error:
            raise InvalidField(422, f"Conversion of JSON to Avro failed: {error}", 42203) from None

    return from_avro


@dataclass(frozen=True, slots=True)
class ConverterV2:
    """Converts records of version 2 for a topic of `count` partitions, or for the `fixed` one of them."""

    topic: str
    key: Converter
    value: Converter
    count: int
    fixed: int | None
    fallback: bytes
    headers: Headers

    def record(self, record: Any) -> Outgoing:
        """Convert one record. Raises `HttpError` (400, 413, 422), which refuses the whole request."""
        if not isinstance(record, dict):
            raise HttpError(422, "a record is a JSON object")
        try:
            key, value = _part(self.key, record.get("key")), _part(self.value, record.get("value"))
            partition = self.fixed if self.fixed is not None else _partition_from(record.get("partition"), self.count)
            timestamp, more = _time_from(record.get("timestamp")), _headers_from(record.get("headers"))
        except InvalidField as error:
            raise HttpError(error.status, str(error), code=error.code) from None
        if len(value or b"") + len(key or b"") > MAX_RECORD:
            raise HttpError(413, f"a record is larger than {MAX_RECORD} bytes")
        if key is None:
            key = self._host(record.get("value"), value)
        claims = _with_claims(self.headers, more, timestamp)
        return Outgoing(self.topic, key, value, partition, timestamp, claims)

    def _host(self, part: Any, value: bytes | None) -> bytes:
        if isinstance(part, dict):
            return host_of_event(part) or self.fallback
        return (host_of_line(value) if value else None) or self.fallback


def _part(convert: Converter, part: Any) -> bytes | None:
    return None if part is None else convert(part)


def _from_base64(part: Any) -> bytes:
    """Decode base64. Raises `InvalidField`."""
    try:
        return base64.b64decode(part, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidField(400, "Conversion of base64 data failed.") from None


Shape = dict[str, dict[str, Any]]
"""Type and size of key and value, as they are in the answer."""


class ConverterV3:
    """Converts records of version 3 for a topic of `count` partitions."""

    def __init__(self, topic: str, count: int, fallback: bytes, headers: Headers) -> None:
        self._topic, self._count, self._fallback, self._headers = topic, count, fallback, headers
        self.schemas: Schemas | None = None
        """The known schemas; `NeedsSchemas` is raised when one is needed and this is None."""

    def record(self, given: Any) -> tuple[Outgoing, Shape]:
        """Convert one record; return it and its shape. Raises `InvalidField`."""
        if not isinstance(given, dict):
            raise InvalidField(400, "a record is a JSON object")
        shape: Shape = {}
        key, value = self._part(given, "key", shape), self._part(given, "value", shape)
        if len(value or b"") + len(key or b"") > MAX_RECORD:
            raise InvalidField(413, f"a record is larger than {MAX_RECORD} bytes")
        if key is None:
            key = _host(given.get("value"), value) or self._fallback
        partition = _partition_from(given.get("partition_id"), self._count)
        timestamp, more = _time_from(given.get("timestamp")), _headers_from(given.get("headers"))
        claims = _with_claims(self._headers, more, timestamp)
        return Outgoing(self._topic, key, value, partition, timestamp, claims), shape

    def _part(self, given: dict[str, Any], name: str, shape: Shape) -> bytes | None:
        part = given.get(name)
        if part is None:
            return None
        if not isinstance(part, dict):
            raise InvalidField(400, f"{name} is an object of type and data")
        kind, data = part.get("type"), part.get("data")
        if data is None:
            return None
        told: dict[str, Any] = {"type": kind}
        if kind == "AVRO":
            schema = self._schema(part)
            content, told["schema_id"] = _from_avro(schema, data), schema.id
        else:
            content = _data_bytes(kind, data)
        shape[name] = {**told, "size": len(content)}
        return content

    def _schema(self, part: dict[str, Any]) -> Schema:
        if self.schemas is None:
            raise NeedsSchemas
        text, identity = part.get("schema"), part.get("schema_id")
        if isinstance(text, str):
            try:
                return self.schemas.of_text(text)
            except InvalidSchema as error:
                raise InvalidField(422, f"invalid schema: {error}") from None
        known = self.schemas.of_id(identity) if type(identity) is int else None
        if known is None:
            raise InvalidField(422, "a schema is needed, or the schema_id of one that was sent before")
        return known


def _from_avro(schema: Schema, data: Any) -> bytes:
    try:
        return schema.json_of(data)
    except InvalidAvro as error:
        raise InvalidField(422, f"data does not fit the schema: {error}") from None


def _data_bytes(kind: Any, data: Any) -> bytes:
    match kind:
        case "JSON":
            return orjson.dumps(data)
        case "STRING" if isinstance(data, str):
            return data.encode()
        case "BINARY" if isinstance(data, str):
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                pass
    if kind in ("STRING", "BINARY"):
        raise InvalidField(400, f"data is no {kind}")
    raise InvalidField(422, "type is BINARY, JSON, STRING or AVRO")


def _host(part: Any, value: bytes | None) -> bytes | None:
    data = part.get("data") if isinstance(part, dict) else None
    if isinstance(data, dict):
        return host_of_event(data)
    return host_of_line(value) if value else None
