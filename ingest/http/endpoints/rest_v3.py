"""Answers the produce requests of the Confluent REST Proxy, version 3: single records, streams and batches.

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

from ingest.base import Failure, KafkaNotAnswering, Outcome, Overloaded
from ingest.http.decode.avro import Schemas
from ingest.http.decode.items import position_of
from ingest.http.decode.limits import value_of
from ingest.http.decode.objects import ObjectSplitter
from ingest.http.decode.worker_process import NeedsSchemas
from ingest.http.endpoints.rest_metadata import require_cluster
from ingest.http.endpoints.rest_records import ConverterV3, InvalidField, Shape
from ingest.http.request import Request, map_in_chunks
from ingest.http.responses import JSON, Answer, HttpError, dumps, ok
from ingest.http.store import store
from topics.catalogue import MAX_RECORD
from topics.kafka.producer import Outgoing

_LARGEST = 2 * MAX_RECORD  # bytes of a record as JSON: base64 and escapes make it longer
_LONGEST_ID = 80  # characters: Confluent's limit
_PIECE = 16 << 10  # bytes of a stream that are read at once


@dataclass(frozen=True, slots=True)
class _Error:
    """The error of a record that is not stored."""

    code: int
    message: str


_Result = dict[str, Any] | _Error
_Split = Callable[[Any, int], list[Any]]
_Converted = tuple[Outgoing, Shape] | _Error


async def produce(request: Request) -> Answer | StreamResponse:
    """Store concatenated records. A body without a Content-Length is answered while it arrives."""
    converter = _converter(request)
    if (
        request.http.content_length is None
        and "Idempotency-Key" not in request.http.headers
        and not _is_compressed(request)
    ):
        return await _stream(request, converter)
    results = await _store(request, await _read(request, converter, _objects))
    return Answer(200, b"".join(await map_in_chunks(_line, results)), JSON)


async def batch(request: Request) -> Answer:
    """Store records that have ids given by the sender."""
    converter = _converter(request)
    ids = await request.read(_ids, request.context.settings.max_records)
    made = await _read(request, converter, _entries)
    successes, failures = [], []
    for identity, result in zip(ids, await _store(request, made), strict=True):
        if isinstance(result, _Error):
            failures.append({"id": identity, "error_code": result.code, "message": result.message})
        else:
            del result["error_code"]
            successes.append({"id": identity, **result})
    return ok({"successes": successes, "failures": failures}, 207)


async def _read(request: Request, converter: ConverterV3, split: _Split) -> list[_Converted]:
    """Convert the records of the body; in a worker process if any has Avro."""
    most = request.context.settings.max_records
    try:
        made, _ = await request.read(_convert_all, converter, split, most, None)
    except NeedsSchemas:
        made, learned = await request.read_in_worker(
            _convert_all, converter, split, most, request.context.schemas.all()
        )
        request.context.schemas.remember(learned)
    return made


def _convert_all(
    body: Any, converter: ConverterV3, split: _Split, most: int, texts: dict[int, str] | None
) -> tuple[list[_Converted], dict[int, str]]:
    """Convert records; return them and the texts of new schemas. Raises `NeedsSchemas` for Avro without `texts`."""
    converter.schemas = None if texts is None else Schemas(texts)
    return [
        _convert(converter, one) for one in split(body, most)
    ], converter.schemas.learned if converter.schemas else {}


def _objects(body: bytes, most: int) -> list[bytes]:
    """Return the JSON text of each record. Raises `HttpError`."""
    splitter = ObjectSplitter(_LARGEST, most)
    found = splitter.feed(body)
    splitter.finish()
    if not found:
        raise HttpError(422, "the body has no record")
    return found


def _ids(body: bytes, most: int) -> list[str]:
    return [entry["id"] for entry in _entries(body, most)]


def _converter(request: Request) -> ConverterV3:
    require_cluster(request)
    topic = request.parts[1]
    try:
        count = request.context.require(request.sender, topic)
    except HttpError as refusal:
        refusal.code = 40403 if refusal.code == 40401 else refusal.code
        raise
    return ConverterV3(topic, count, request.sender.address.encode(), request.headers())


def _is_compressed(request: Request) -> bool:
    return request.http.headers.get("Content-Encoding", "identity") != "identity"


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


async def _store(request: Request, made: list[_Converted]) -> list[_Result]:
    """Store the records; return the result of each, in order. Raises as `store.store`; nothing is stored then."""
    records: list[Outgoing] = [record for record, _ in (one for one in made if not isinstance(one, _Error))]
    outcomes = iter(await store(request, records)) if records else iter(())
    identity = request.context.cluster.identity
    return [one if isinstance(one, _Error) else _result(identity, *one, next(outcomes)) for one in made]


def _convert(converter: ConverterV3, given: bytes | dict[str, Any]) -> _Converted:
    """Convert an object, or its text, to a record."""
    try:
        return converter.record(value_of(given) if isinstance(given, bytes) else given)
    except orjson.JSONDecodeError as error:
        assert isinstance(given, bytes)
        return _Error(400, f"no JSON: {error.msg} at {position_of(error, given)} of the record")
    except InvalidField as error:
        return _Error(error.status, str(error))
    except HttpError as refusal:
        return _Error(refusal.status, refusal.message)


def _result(identity: str, record: Outgoing, shape: Shape, outcome: Outcome) -> _Result:
    if isinstance(outcome, Failure):
        return _Error(50302 if outcome.retriable else 413 if outcome.too_large else 400, outcome.reason)
    partition, offset, timestamp = outcome
    moment = datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    return {
        "error_code": 200,
        "cluster_id": identity,
        "topic_name": record.topic,
        "partition_id": partition,
        "offset": offset,
        "timestamp": moment.replace("+00:00", "Z"),
        **shape,
    }


def _line(result: _Result) -> bytes:
    if isinstance(result, _Error):
        return dumps({"error_code": result.code, "message": result.message}) + b"\r\n"
    return dumps(result) + b"\r\n"


async def _stream(request: Request, converter: ConverterV3) -> StreamResponse:
    """Answer each piece of the body when Kafka has stored its records, and only then read the next piece."""
    response = StreamResponse(headers={"Content-Type": JSON, "Server": "ogrewatch"})
    response.enable_chunked_encoding()
    await request.send_continue()
    await response.prepare(request.http)
    splitter, more = ObjectSplitter(_LARGEST, _PIECE), True
    while more:
        lines, more = await _piece(request, converter, splitter)
        if lines:
            await _write(request, response, lines)
    response.force_close()
    await response.write_eof()
    return response


async def _piece(request: Request, converter: ConverterV3, splitter: ObjectSplitter) -> tuple[bytes, bool]:
    """Read and store a piece; return the answers, and whether there may be another piece."""
    try:
        async with asyncio.timeout(request.context.settings.idle_timeout):
            part = await request.read_some(_PIECE)
        if not part:
            splitter.finish()
            return b"", False
    except TimeoutError:
        return _line(_Error(408, "no record came in time")), False
    except HttpError as refusal:
        return _line(_Error(refusal.code, refusal.text)), False
    request.context.metrics.bytes.inc(len(part))
    results = await _store_or_tell(request, await _convert_piece(request, converter, splitter.feed(part)))
    if splitter.fault is not None:
        results.append(_Error(splitter.fault.code, splitter.fault.text))
    return b"".join(map(_line, results)), splitter.fault is None and not request.context.draining


async def _convert_piece(request: Request, converter: ConverterV3, texts: list[bytes]) -> list[_Converted]:
    """Convert the records of a piece."""
    try:
        return await map_in_chunks(partial(_convert, converter), texts.copy())
    except NeedsSchemas:
        run, known = request.context.workers.run, request.context.schemas
        made, learned = await run(
            request.sender.client, _convert_all, texts, converter, _unchanged, len(texts), known.all()
        )
        known.remember(learned)
        return made  # type: ignore[no-any-return]


def _unchanged(texts: list[bytes], _: int) -> list[bytes]:
    return texts


async def _store_or_tell(request: Request, made: list[_Converted]) -> list[_Result]:
    """As `_store`, but return an error that concerns the whole piece for each record: the status is already sent."""
    try:
        return await _store(request, made)
    except Overloaded as busy:
        error = _Error(50302 if isinstance(busy, KafkaNotAnswering) else 429, str(busy))
    except HttpError as refusal:
        error = _Error(refusal.code, refusal.text)
    return [error for _ in made]


async def _write(request: Request, response: StreamResponse, lines: bytes) -> None:
    try:
        async with asyncio.timeout(request.context.settings.body_timeout):
            await response.write(lines)
    except TimeoutError:
        if request.http.transport is not None:
            request.http.transport.close()
        raise ConnectionResetError("the client does not read its answers") from None
