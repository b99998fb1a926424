"""Confluent REST Proxy, version 3: produce, one by one, in a stream, and in a batch.

https://docs.confluent.io/platform/current/kafka-rest/api.html#records-v3
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from aiohttp.web import StreamResponse

from ingest.base import Failure, KafkaNotAnswering, Outcome, Overloaded, Record
from ingest.http.decode.avro import Schemas
from ingest.http.decode.items import position_of
from ingest.http.decode.limits import value_of
from ingest.http.decode.objects import Objects
from ingest.http.decode.worker_process import NeedsSchemas
from ingest.http.endpoints.record_parts import BadPart
from ingest.http.endpoints.record_v3 import Maker, Shape
from ingest.http.endpoints.rest_metadata import require_cluster
from ingest.http.request import Request, in_turns
from ingest.http.responses import JSON, Answer, HttpError, dumps, ok
from topics.catalogue import MAX_RECORD

_LARGEST = 2 * MAX_RECORD  # bytes of a record as JSON: base64 and escapes take room
_LONGEST_ID = 80
_PIECE = 16 << 10  # bytes of a stream that are read at once


@dataclass(frozen=True, slots=True)
class _Error:
    """What is told of a record that is not stored."""

    code: int
    message: str


_Result = dict[str, Any] | _Error
_Split = Callable[[Any, int], list[Any]]
_Made = tuple[Record, Shape] | _Error


async def produce(call: Request) -> Answer | StreamResponse:
    """Concatenated records. A body whose length nobody has told is answered while it comes."""
    maker = _maker(call)
    if call.request.content_length is None and "Idempotency-Key" not in call.request.headers and not _packed(call):
        return await _stream(call, maker)
    results = await _store(call, await _read(call, maker, _objects))
    return Answer(200, b"".join(await in_turns(_line, results)), JSON)


async def batch(call: Request) -> Answer:
    """Records with ids of the sender's own."""
    maker = _maker(call)
    ids = await call.read(_ids, call.service.settings.max_records)
    made = await _read(call, maker, _entries)
    successes, failures = [], []
    for identity, result in zip(ids, await _store(call, made), strict=True):
        if isinstance(result, _Error):
            failures.append({"id": identity, "error_code": result.code, "message": result.message})
        else:
            del result["error_code"]
            successes.append({"id": identity, **result})
    return ok({"successes": successes, "failures": failures}, 207)


async def _read(call: Request, maker: Maker, split: _Split) -> list[_Made]:
    """What is made of each record of the body: in another process if some are Avro."""
    most = call.service.settings.max_records
    try:
        made, _ = await call.read(_all_made, maker, split, most, None)
    except NeedsSchemas:
        made, learned = await call.read_apart(_all_made, maker, split, most, call.service.schemas.all())
        call.service.schemas.remember(learned)
    return made


def _all_made(
    body: Any, maker: Maker, split: _Split, most: int, texts: dict[int, str] | None
) -> tuple[list[_Made], dict[int, str]]:
    """What is made of each, and the texts of new schemas. Raises `NeedsSchemas` without texts of known ones."""
    maker.schemas = None if texts is None else Schemas(texts)
    return [_made(maker, one) for one in split(body, most)], maker.schemas.learned if maker.schemas else {}


def _objects(body: bytes, most: int) -> list[bytes]:
    """The texts of the records. Raises `HttpError`."""
    objects = Objects(_LARGEST, most)
    found = objects.feed(body)
    objects.finish()
    if not found:
        raise HttpError(422, "the body has no record")
    return found


def _ids(body: bytes, most: int) -> list[str]:
    return [entry["id"] for entry in _entries(body, most)]


def _maker(call: Request) -> Maker:
    require_cluster(call)
    topic = call.parts[1]
    try:
        count = call.service.require(call.who, topic)
    except HttpError as refusal:
        refusal.code = 40403 if refusal.code == 40401 else refusal.code
        raise
    return Maker(topic, count, call.who.address.encode(), call.headers())


def _packed(call: Request) -> bool:
    return call.request.headers.get("Content-Encoding", "identity") != "identity"


def _entries(body: bytes, most: int) -> list[dict[str, Any]]:
    try:
        content = value_of(body)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
    entries = content.get("entries") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise HttpError(422, "entries is an array of records, and not empty")
    if len(entries) > most:
        raise HttpError(413, f"more than {most} records in one request")
    ids = [entry.get("id") for entry in entries]
    if not all(isinstance(one, str) and 0 < len(one) <= _LONGEST_ID for one in ids) or len(set(ids)) < len(ids):
        raise HttpError(422, f"each entry has an id of its own, a string of 1 to {_LONGEST_ID} characters")
    return entries


async def _store(call: Request, made: list[_Made]) -> list[_Result]:
    """What became of each record, in order. Raises as `Service.store`, with nothing stored."""
    records: list[Record] = [record for record, _ in (one for one in made if not isinstance(one, _Error))]
    outcomes = iter(await call.service.store(call.who, records)) if records else iter(())
    identity = call.service.cluster.identity
    return [one if isinstance(one, _Error) else _result(identity, *one, next(outcomes)) for one in made]


def _made(maker: Maker, given: bytes | dict[str, Any]) -> _Made:
    """The record of an object, or of its text."""
    try:
        return maker.record(value_of(given) if isinstance(given, bytes) else given)
    except orjson.JSONDecodeError as error:
        assert isinstance(given, bytes)
        return _Error(400, f"no JSON: {error.msg} at {position_of(error, given)} of the record")
    except BadPart as error:
        return _Error(error.status, str(error))
    except HttpError as refusal:
        return _Error(refusal.status, refusal.message)


def _result(identity: str, record: Record, shape: Shape, outcome: Outcome) -> _Result:
    if isinstance(outcome, Failure):
        return _Error(50302 if outcome.retriable else 413 if outcome.too_large else 400, outcome.reason)
    partition, offset, timestamp = outcome
    moment = datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "error_code": 200,
        "cluster_id": identity,
        "topic_name": record[0],
        "partition_id": partition,
        "offset": offset,
        "timestamp": moment.replace("+00:00", "Z"),
        **shape,
    }


def _line(result: _Result) -> bytes:
    if isinstance(result, _Error):
        return dumps({"error_code": result.code, "message": result.message}) + b"\r\n"
    return dumps(result) + b"\r\n"


async def _stream(call: Request, maker: Maker) -> StreamResponse:
    """Answer each piece of the body when Kafka has its records; only then is the next piece read."""
    response = StreamResponse(headers={"Content-Type": JSON, "Server": "ogrewatch"})
    response.enable_chunked_encoding()
    await call.invite()
    await response.prepare(call.request)
    objects, more = Objects(_LARGEST, _PIECE), True
    while more:
        lines, more = await _piece(call, maker, objects)
        if lines:
            await _write(call, response, lines)
    response.force_close()
    await response.write_eof()
    return response


async def _piece(call: Request, maker: Maker, objects: Objects) -> tuple[bytes, bool]:
    """The answers to what has come, and whether more may come."""
    try:
        async with asyncio.timeout(call.service.settings.idle_timeout):
            part = await call.read_some(_PIECE)
        if not part:
            objects.finish()
            return b"", False
    except TimeoutError:
        return _line(_Error(408, "no record came in time")), False
    except HttpError as refusal:
        return _line(_Error(refusal.code, refusal.text)), False
    call.service.metrics.bytes.inc(len(part))
    results = await _store_or_tell(call, await _made_of(call, maker, objects.feed(part)))
    if objects.fault is not None:
        results.append(_Error(objects.fault.code, objects.fault.text))
    return b"".join(map(_line, results)), objects.fault is None and not call.service.draining


async def _made_of(call: Request, maker: Maker, texts: list[bytes]) -> list[_Made]:
    """What is made of the records of a piece."""
    try:
        return await in_turns(partial(_made, maker), texts.copy())
    except NeedsSchemas:
        run, known = call.service.workers.run, call.service.schemas
        made, learned = await run(call.who.client, _all_made, texts, maker, _as_they_are, len(texts), known.all())
        known.remember(learned)
        return made  # type: ignore[no-any-return]


def _as_they_are(texts: list[bytes], _: int) -> list[bytes]:
    return texts


async def _store_or_tell(call: Request, made: list[_Made]) -> list[_Result]:
    """As `_store`; what refuses all of a piece is told for each of its records, since the status went out already."""
    try:
        return await _store(call, made)
    except Overloaded as busy:
        error = _Error(50302 if isinstance(busy, KafkaNotAnswering) else 429, str(busy))
    except HttpError as refusal:
        error = _Error(refusal.code, refusal.text)
    return [error for _ in made]


async def _write(call: Request, response: StreamResponse, lines: bytes) -> None:
    try:
        async with asyncio.timeout(call.service.settings.body_timeout):
            await response.write(lines)
    except TimeoutError:
        if call.request.transport is not None:
            call.request.transport.close()
        raise ConnectionResetError("the client does not read its answers") from None
