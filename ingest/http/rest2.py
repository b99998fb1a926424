"""Confluent REST Proxy, version 2: produce.

https://docs.confluent.io/platform/current/kafka-rest/api.html#topics
"""

import base64
import binascii
from typing import Any

import orjson

from ingest.base import Failure, Outcome, Record
from ingest.hosts import host_of_event, host_of_line
from ingest.http.answers import Answer, Refusal, ok
from ingest.http.call import Call
from ingest.http.items import position_of
from ingest.http.record_parts import BadPart, headers_from, partition_from, time_from, with_claims
from topics.catalogue import MAX_RECORD
from topics.received import Headers

CONTENT_TYPE = "application/vnd.kafka.v2+json"
_FORMATS = {
    "application/vnd.kafka.binary.v2+json": "binary",
    "application/vnd.kafka.json.v2+json": "json",
    "application/vnd.kafka.v2+json": "binary",
}


async def produce(call: Call) -> Answer:
    """Records for one topic, and for one partition when the path names it."""
    kind = _FORMATS.get(call.media_type)
    if kind is None:
        raise Refusal(415, "HTTP 415 Unsupported Media Type")
    topic = call.parts[0]
    count = call.service.require(call.who, topic)
    fixed = _partition(call.parts[1], count) if len(call.parts) > 1 else None
    found = _records(await call.content(), call.service.settings.max_records)
    maker = _Maker(topic, kind, count, fixed, call.who.address.encode(), call.headers())
    outcomes = await call.service.store(call.who, [maker.record(record) for record in found])
    return _answer(outcomes, strict=call.query("strict") in ("1", "true"))


def _partition(text: str, count: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(404, "HTTP 404 Not Found")
    if int(text) >= count:
        raise Refusal(404, f"Partition {text} not found.", code=40402)
    return int(text)


def _records(body: bytes, most: int) -> list[Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
    records = content.get("records") if isinstance(content, dict) else None
    if not isinstance(records, list) or not records:
        raise Refusal(422, "records may not be empty")
    if len(records) > most:
        raise Refusal(413, f"more than {most} records in one request")
    return records


class _Maker:
    """Makes Kafka's records of a request's."""

    def __init__(self, topic: str, kind: str, count: int, fixed: int | None, fallback: bytes, headers: Headers) -> None:
        self._topic, self._kind, self._count, self._fixed = topic, kind, count, fixed
        self._fallback, self._headers = fallback, headers

    def record(self, record: Any) -> Record:
        """One record. Raises `Refusal`: 400 or 422, for all of the request is refused then."""
        if not isinstance(record, dict):
            raise Refusal(422, "a record is a JSON object")
        try:
            key, value = self._bytes(record.get("key")), self._bytes(record.get("value"))
            partition = self._fixed if self._fixed is not None else partition_from(record.get("partition"), self._count)
            timestamp, more = time_from(record.get("timestamp")), headers_from(record.get("headers"))
        except BadPart as error:
            raise Refusal(error.status, str(error)) from None
        if len(value or b"") + len(key or b"") > MAX_RECORD:
            raise Refusal(413, f"a record is larger than {MAX_RECORD} bytes")
        if key is None:
            key = self._host(record.get("value"), value)
        return self._topic, key, value, partition, timestamp, with_claims(self._headers, more, timestamp)

    def _bytes(self, part: Any) -> bytes | None:
        if part is None:
            return None
        if self._kind == "json":
            return orjson.dumps(part)
        return from_base64(part)

    def _host(self, part: Any, value: bytes | None) -> bytes:
        if isinstance(part, dict):
            return host_of_event(part) or self._fallback
        return (host_of_line(value) if value else None) or self._fallback


def from_base64(part: Any) -> bytes:
    """The bytes of a string of base64. Raises `BadPart`."""
    try:
        return base64.b64decode(part, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise BadPart(400, "Conversion of base64 data failed.") from None


def _answer(outcomes: list[Outcome], strict: bool) -> Answer:
    offsets = [_offset(outcome) for outcome in outcomes]
    content = {"offsets": offsets, "key_schema_id": None, "value_schema_id": None}
    codes = {offset["error_code"] for offset in offsets}
    status = 200
    if strict and codes != {None}:
        status = 503 if 50003 in codes else 422
    return ok(content, status, CONTENT_TYPE)


def _offset(outcome: Outcome) -> dict[str, Any]:
    if type(outcome) is Failure:
        code = 50003 if outcome.retriable else 50002
        return {"partition": None, "offset": None, "error_code": code, "error": outcome.reason}
    partition, offset, _ = outcome  # type: ignore[misc]
    return {"partition": partition, "offset": offset, "error_code": None, "error": None}
