"""Answers MozDef's endpoints for JSON events and the endpoint for plain lines: each becomes a raw record.

https://mozdef.readthedocs.io/en/latest/usage.html#sending-logs-to-mozdef
"""

from collections.abc import Callable

from ingest.base import Failure, Outcome
from ingest.http.decode.items import Items, Rejected, add_json, add_lines, add_ndjson
from ingest.http.request import Request
from ingest.http.responses import Answer, HttpError, ok, place
from ingest.http.store import store_items

#: "" and the form are what curl and simple clients send by default
_JSON = {"", "application/json", "application/x-www-form-urlencoded", "application/octet-stream"}
NDJSON = {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines"}
_TOLD = 1000  # failed items that an answer lists


async def events(request: Request) -> Answer:
    """JSON events, or plain lines when the content type says so."""
    media_type = request.media_type
    if media_type == "text/plain":
        return await lines(request)
    if media_type not in _JSON and media_type not in NDJSON:
        raise HttpError(415, f"cannot read {media_type[:100]}")
    empty = request.items(request.context.settings.events_topic)
    return await _store(request, await request.read(_items, empty, add_ndjson if media_type in NDJSON else add_json))


async def lines(request: Request) -> Answer:
    """Plain lines, whatever the content type says."""
    empty = request.items(request.context.settings.lines_topic)
    return await _store(request, await request.read(_items, empty, add_lines))


def _items(content: bytes, items: Items, add: Callable[[Items, bytes], None]) -> Items:
    add(items, content)
    return items


async def _store(request: Request, items: Items) -> Answer:
    if not items.contents and not items.rejected:
        raise HttpError(400, "the body is empty")
    request.context.metrics.rejected(items.topic, len(items.rejected))
    if len(items.rejected) == 1 and not items.contents:
        only = next(iter(items.rejected.values()))
        raise HttpError(only.status, only.reason, position=only.position)
    outcomes = await store_items(request, items)
    return _answer(items, outcomes)


def _answer(items: Items, outcomes: list[Outcome]) -> Answer:
    failed = [(n, outcome) for n, outcome in zip(items.numbers, outcomes, strict=True) if type(outcome) is Failure]
    accepted = len(outcomes) - len(failed)
    if not failed and not items.rejected:
        return ok({"accepted": accepted})
    told = [_rejected(number, rejected) for number, rejected in items.rejected.items()]
    told += [{"item": n, "status": status_of(failure), "error": failure.reason} for n, failure in failed]
    told.sort(key=lambda one: one["item"])  # type: ignore[arg-type,return-value]
    content = {"accepted": accepted, "failed": len(told), "items": told[:_TOLD]}
    statuses = {one["status"] for one in told}
    if 503 in statuses:
        return Answer(503, ok(content).body, headers={"Retry-After": "2"})
    if accepted:
        return ok(content, 207)
    return ok(content, 413 if statuses == {413} else 400)


def _rejected(number: int, rejected: Rejected) -> dict[str, object]:
    return {"item": number, "status": rejected.status, "error": rejected.reason, **place(rejected.position)}


def status_of(failure: Failure) -> int:
    """Return the HTTP status of a record that was not stored."""
    if failure.retriable:
        return 503
    return 413 if failure.too_large else 400


async def custom(request: Request) -> Answer:
    """As /events; the record's header names the application."""
    request.endpoint = f"/custom/{request.parts[0]}"
    return await events(request)
