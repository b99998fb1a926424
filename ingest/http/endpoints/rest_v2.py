"""Answers the produce requests of the Confluent REST Proxy, version 2.

https://docs.confluent.io/platform/current/kafka-rest/api.html#topics
"""

from dataclasses import dataclass
from typing import Any

import orjson

from ingest.base import Failure, Outcome
from ingest.http.decode.avro import InvalidSchema, Schema, Schemas
from ingest.http.decode.items import position_of
from ingest.http.decode.limits import value_of
from ingest.http.endpoints.rest_records import ConverterV2, converter_of
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ok
from ingest.http.store import store
from topics.headers import Headers
from topics.kafka.producer import Outgoing

CONTENT_TYPE = "application/vnd.kafka.v2+json"
_FORMATS = {
    "application/vnd.kafka.binary.v2+json": "binary",
    "application/vnd.kafka.json.v2+json": "json",
    "application/vnd.kafka.avro.v2+json": "avro",
    "application/vnd.kafka.v2+json": "binary",
}
_Ids = dict[str, int | None]
_MISSING = {"key": 42201, "value": 42202}


async def produce(request: Request) -> Answer:
    """Store records in a topic, or in one of its partitions when the path names it."""
    kind = _FORMATS.get(request.media_type)
    if kind is None:
        raise HttpError(415, "HTTP 415 Unsupported Media Type")
    topic = request.parts[0]
    count = request.context.require(request.sender, topic)
    fixed = _partition(request.parts[1], count) if len(request.parts) > 1 else None
    most = request.context.settings.max_records
    about = _About(kind, topic, count, fixed, request.sender.address.encode(), request.headers(), most)
    if kind == "avro":
        records, ids, learned = await request.read_in_worker(_read, about, request.context.schemas.all())
        request.context.schemas.remember(learned)
    else:
        records, ids, _ = await request.read(_read, about, {})
    outcomes = await store(request, records)
    return _answer(outcomes, ids, strict=request.query("strict") in ("1", "true"))


@dataclass(frozen=True, slots=True)
class _About:
    """What is needed of a request besides its body."""

    kind: str
    topic: str
    count: int
    fixed: int | None
    fallback: bytes
    headers: Headers
    most: int


def _read(body: bytes, about: _About, texts: dict[int, str]) -> tuple[list[Outgoing], _Ids, dict[int, str]]:
    """Return the records of the body, the ids of their schemas, and the texts of new ones. Raises `HttpError`."""
    content, known = _content(body), Schemas(texts)
    found = _records(content, about.most)
    schemas = {part: _schema(known, content, part, found) if about.kind == "avro" else None for part in _MISSING}
    key, value = (converter_of(about.kind, schema) for schema in schemas.values())
    ids = {f"{part}_schema_id": schema.id if schema else None for part, schema in schemas.items()}
    converter = ConverterV2(about.topic, key, value, about.count, about.fixed, about.fallback, about.headers)
    return [converter.record(one) for one in found], ids, known.learned


def _partition(text: str, count: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HttpError(404, "HTTP 404 Not Found")
    if int(text) >= count:
        raise HttpError(404, f"Partition {text} not found.", code=40402)
    return int(text)


def _content(body: bytes) -> dict[str, Any]:
    try:
        content = value_of(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
    if not isinstance(content, dict):
        raise HttpError(422, "a request is a JSON object")
    return content


def _records(content: dict[str, Any], most: int) -> list[Any]:
    records = content.get("records")
    if not isinstance(records, list) or not records:
        raise HttpError(422, "records may not be empty")
    if len(records) > most:
        raise HttpError(413, f"more than {most} records in one request")
    return records


def _schema(schemas: Schemas, content: dict[str, Any], part: str, records: list[Any]) -> Schema | None:
    """Return the schema of keys or values, None when there are none. Raises `HttpError`: 42201, 42202, 42205, 40801."""
    text, identity = content.get(f"{part}_schema"), content.get(f"{part}_schema_id")
    if isinstance(text, str):
        try:
            return schemas.of_text(text)
        except InvalidSchema as error:
            raise HttpError(422, f"Invalid schema: {error}", code=42205) from None
    if type(identity) is int:
        if (known := schemas.of_id(identity)) is None:
            raise HttpError(408, f"Schema {identity} is not known here; send the schema itself.", code=40801)
        return known
    if any(isinstance(record, dict) and record.get(part) is not None for record in records):
        raise HttpError(422, f"{part.capitalize()} schema missing", code=_MISSING[part])
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
