"""A record as version 3 of the Confluent REST Proxy has it in, Kafka's record out."""

import base64
import binascii
from typing import Any

import orjson

from ingest.base import Record
from ingest.hosts import host_of_event, host_of_line
from ingest.http.decode.avro import InvalidAvro, InvalidSchema, Schema, Schemas
from ingest.http.decode.worker_process import NeedsSchemas
from ingest.http.endpoints.record_parts import InvalidField, headers_from, partition_from, time_from, with_claims
from topics.catalogue import MAX_RECORD
from topics.headers import Headers

Shape = dict[str, dict[str, Any]]
"""Type and size of key and value, as the answer tells them."""


class ConverterV3:
    """Makes records for one topic of `count` partitions."""

    def __init__(self, topic: str, count: int, fallback: bytes, headers: Headers) -> None:
        self._topic, self._count, self._fallback, self._headers = topic, count, fallback, headers
        self.schemas: Schemas | None = None
        """Those that are known; `NeedsSchemas` is raised where one is needed and this is None."""

    def record(self, given: Any) -> tuple[Record, Shape]:
        """The record, and what is told of it. Raises `InvalidField`."""
        if not isinstance(given, dict):
            raise InvalidField(400, "a record is a JSON object")
        shape: Shape = {}
        key, value = self._part(given, "key", shape), self._part(given, "value", shape)
        if len(value or b"") + len(key or b"") > MAX_RECORD:
            raise InvalidField(413, f"a record is larger than {MAX_RECORD} bytes")
        if key is None:
            key = _host(given.get("value"), value) or self._fallback
        partition = partition_from(given.get("partition_id"), self._count)
        timestamp, more = time_from(given.get("timestamp")), headers_from(given.get("headers"))
        return (self._topic, key, value, partition, timestamp, with_claims(self._headers, more, timestamp)), shape

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
            content = _bytes(kind, data)
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


def _bytes(kind: Any, data: Any) -> bytes:
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
