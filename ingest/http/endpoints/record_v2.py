"""A record as version 2 of the Confluent REST Proxy has it in, Kafka's record out."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from ingest.base import Record
from ingest.hosts import host_of_event, host_of_line
from ingest.http.decode.avro import InvalidAvro, Schema
from ingest.http.endpoints.record_parts import InvalidField, headers_from, partition_from, time_from, with_claims
from ingest.http.responses import HttpError
from topics.catalogue import MAX_RECORD
from topics.headers import Headers

Convert = Callable[[Any], bytes]


def convert_by(kind: str, schema: Schema | None) -> Convert:
    """From a key or a value of the request to Kafka's bytes; raises `InvalidField`."""
    if kind == "binary":
        return from_base64
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
    """Makes records for one topic of `count` partitions, or for the one that is `fixed`."""

    topic: str
    key: Convert
    value: Convert
    count: int
    fixed: int | None
    fallback: bytes
    headers: Headers

    def record(self, record: Any) -> Record:
        """One record. Raises `HttpError`: 400 or 422, for all of the request is refused then."""
        if not isinstance(record, dict):
            raise HttpError(422, "a record is a JSON object")
        try:
            key, value = _part(self.key, record.get("key")), _part(self.value, record.get("value"))
            partition = self.fixed if self.fixed is not None else partition_from(record.get("partition"), self.count)
            timestamp, more = time_from(record.get("timestamp")), headers_from(record.get("headers"))
        except InvalidField as error:
            raise HttpError(error.status, str(error), code=error.code) from None
        if len(value or b"") + len(key or b"") > MAX_RECORD:
            raise HttpError(413, f"a record is larger than {MAX_RECORD} bytes")
        if key is None:
            key = self._host(record.get("value"), value)
        return self.topic, key, value, partition, timestamp, with_claims(self.headers, more, timestamp)

    def _host(self, part: Any, value: bytes | None) -> bytes:
        if isinstance(part, dict):
            return host_of_event(part) or self.fallback
        return (host_of_line(value) if value else None) or self.fallback


def _part(convert: Convert, part: Any) -> bytes | None:
    return None if part is None else convert(part)


def from_base64(part: Any) -> bytes:
    """The bytes of a string of base64. Raises `InvalidField`."""
    try:
        return base64.b64decode(part, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidField(400, "Conversion of base64 data failed.") from None
