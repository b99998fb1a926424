"""Confluent REST Proxy, version 2: produce.

https://docs.confluent.io/platform/current/kafka-rest/api.html#topics
"""

from typing import Any

import orjson

from ingest.base import Failure, Outcome, Record
from ingest.http.answers import Answer, Refusal, ok
from ingest.http.avro import NoSchema, Schema, Schemas
from ingest.http.bounded import value_of
from ingest.http.call import Call, in_turns
from ingest.http.items import position_of
from ingest.http.record2 import Maker, convert_by

CONTENT_TYPE = "application/vnd.kafka.v2+json"
_FORMATS = {
    "application/vnd.kafka.binary.v2+json": "binary",
    "application/vnd.kafka.json.v2+json": "json",
    "application/vnd.kafka.avro.v2+json": "avro",
    "application/vnd.kafka.v2+json": "binary",
}
_MISSING = {"key": 42201, "value": 42202}


async def produce(call: Call) -> Answer:
    """Records for one topic, and for one partition when the path names it."""
    kind = _FORMATS.get(call.media_type)
    if kind is None:
        raise Refusal(415, "HTTP 415 Unsupported Media Type")
    topic = call.parts[0]
    count = call.service.require(call.who, topic)
    fixed = _partition(call.parts[1], count) if len(call.parts) > 1 else None
    await call.content()
    async with call.alone():
        records, ids = await _read(call, kind, topic, count, fixed)
    outcomes = await call.service.store(call.who, records)
    return _answer(outcomes, ids, strict=call.query("strict") in ("1", "true"))


async def _read(
    call: Call, kind: str, topic: str, count: int, fixed: int | None
) -> tuple[list[Record], dict[str, int | None]]:
    """The records of the body, and the ids of their schemas. Raises `Refusal`."""
    content = _content(await call.content())
    found = _records(content, call.service.settings.max_records)
    schemas = {
        part: _schema(call.service.schemas, content, part, found) if kind == "avro" else None for part in _MISSING
    }
    key, value = (convert_by(kind, schema) for schema in schemas.values())
    maker = Maker(topic, key, value, count, fixed, call.who.address.encode(), call.headers())
    ids = {f"{part}_schema_id": schema.id if schema else None for part, schema in schemas.items()}
    return await in_turns(maker.record, found), ids


def _partition(text: str, count: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(404, "HTTP 404 Not Found")
    if int(text) >= count:
        raise Refusal(404, f"Partition {text} not found.", code=40402)
    return int(text)


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = value_of(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
    if not isinstance(content, dict):
        raise Refusal(422, "a request is a JSON object")
    return content


def _records(content: dict[str, Any], most: int) -> list[Any]:
    records = content.get("records")
    if not isinstance(records, list) or not records:
        raise Refusal(422, "records may not be empty")
    if len(records) > most:
        raise Refusal(413, f"more than {most} records in one request")
    return records


def _schema(schemas: Schemas, content: dict[str, Any], part: str, records: list[Any]) -> Schema | None:
    """The schema of keys or of values, None when there are none. Raises `Refusal`: 42201, 42202, 42205, 40801."""
    text, identity = content.get(f"{part}_schema"), content.get(f"{part}_schema_id")
    if isinstance(text, str):
        try:
            return schemas.of_text(text)
        except NoSchema as error:
            raise Refusal(422, f"Invalid schema: {error}", code=42205) from None
    if type(identity) is int:
        if (known := schemas.of_id(identity)) is None:
            raise Refusal(408, f"Schema {identity} is not known here; send the schema itself.", code=40801)
        return known
    if any(isinstance(record, dict) and record.get(part) is not None for record in records):
        raise Refusal(422, f"{part.capitalize()} schema missing", code=_MISSING[part])
    return None


def _answer(outcomes: list[Outcome], ids: dict[str, int | None], strict: bool) -> Answer:
    offsets = [_offset(outcome) for outcome in outcomes]
    content = {"offsets": offsets, **ids}
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
