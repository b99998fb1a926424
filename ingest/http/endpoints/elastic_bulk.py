"""Answers Elasticsearch's `_bulk`, and MozDef's endpoint of the same path: each document becomes a raw record.

An object whose only member is an action is an action line, and the next line is its document. Any other line is a
document without an action, as are the elements of an array: this is what MozDef's senders send.
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson

from ingest.base import Failure, Outcome
from ingest.hosts import host_of_event
from ingest.http.decode.items import Items, Rejected, add_array, object_or_rejected, position_of
from ingest.http.decode.limits import lines_of, value_of
from ingest.http.endpoints.elastic_info import PRODUCT
from ingest.http.endpoints.events import NDJSON
from ingest.http.request import Request, map_in_chunks
from ingest.http.responses import JSON, Answer, HttpError, Position, elastic_error
from ingest.http.store import store_items
from ingest.json_lenient import loads

_TYPES = NDJSON | {
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "text/plain",
    "application/vnd.elasticsearch+json",
    "application/vnd.elasticsearch+x-ndjson",
}
_ACTIONS = frozenset({"index", "create", "update", "delete"})
_STORED = frozenset({"index", "create"})


@dataclass(frozen=True, slots=True)
class Action:
    """What to do with a document, and its index."""

    verb: str = "index"
    index: str = ""


@dataclass(slots=True)
class Bulk:
    """The documents of a body. `items` has the record or the error of `actions[i]` under number i."""

    items: Items
    actions: list[Action] = field(default_factory=list)
    has_actions: bool = False
    """Whether there were action lines, which means that the sender reads the result of each item."""


async def bulk(request: Request) -> Answer:
    """Store documents, and answer with a result for each."""
    if request.media_type not in _TYPES:
        raise HttpError(415, f"cannot read {request.media_type[:100]}")
    began = monotonic()
    empty = Bulk(request.items(request.context.settings.events_topic))
    implied = Action(index=request.parts[0]) if request.parts else Action()
    found = await request.read(_read, empty, implied)
    if not found.actions:
        raise HttpError(400, "request body is required")
    request.context.metrics.rejected(found.items.topic, len(found.items.rejected))
    outcomes = await store_items(request, found.items)
    brief = request.query("filter_path") is not None
    return await _answer(found, outcomes, round((monotonic() - began) * 1000), brief)


def _read(content: bytes, found: Bulk, implied: Action) -> Bulk:
    read(found, content, implied)
    return found


def read(found: Bulk, body: bytes, implied: Action) -> None:
    """Read documents and their actions. Raises `HttpError`: 400 for an array that is no JSON, 413 for too many."""
    if body.lstrip()[:1] == b"[":
        _read_array(found, body, implied)
        return
    known: dict[bytes, Action] = {}
    start, action = 0, None
    for number, line in enumerate(lines_of(body), 1):
        if line and not line.isspace():
            action = _read_line(found, line, Position(number, 1, start), action, implied, known)
        start += len(line) + 1
    if action is not None:
        _reject(found, action, Rejected(400, "the last action has no document"))


def _read_array(found: Bulk, body: bytes, implied: Action) -> None:
    try:
        values = value_of(body, loads)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, f"no JSON: {error.msg}", position=position_of(error, body)) from None
    add_array(found.items, values, 0)
    found.actions = [implied] * len(values)


def _read_line(
    found: Bulk, line: bytes, at: Position, action: Action | None, implied: Action, known: dict[bytes, Action]
) -> Action | None:
    """Read a line; return the action that waits for its document on the next line, if any."""
    if action is None and (again := known.get(line)) is not None:
        return again
    event = object_or_rejected(line, at.line, at.offset)
    if action is None and isinstance(event, dict) and (new := _action(event, implied)) is not None:
        found.has_actions = True
        if new.verb == "delete":
            _reject(found, new, Rejected(400, "documents are only ever created here"))
            return None
        known[line] = new
        return new
    _add_document(found, line, event, action or implied)
    return None


def _add_document(found: Bulk, line: bytes, event: dict[str, Any] | Rejected, action: Action) -> None:
    if isinstance(event, Rejected):
        _reject(found, action, event)
    elif action.verb not in _STORED:
        _reject(found, action, Rejected(400, "documents are only ever created here"))
    else:
        found.items.add(len(found.actions), line.removesuffix(b"\r"), host_of_event(event))
        found.actions.append(action)


def _reject(found: Bulk, action: Action, rejected: Rejected) -> None:
    found.items.reject(len(found.actions), rejected)
    found.actions.append(action)


def _action(event: dict[str, Any], implied: Action) -> Action | None:
    if len(event) != 1:
        return None
    verb, meta = next(iter(event.items()))
    if verb not in _ACTIONS or not (isinstance(meta, dict) or meta is None):
        return None
    index = (meta or {}).get("_index")
    return Action(verb, index.encode("utf-8", "replace").decode() if isinstance(index, str) else implied.index)


async def _answer(found: Bulk, outcomes: list[Outcome], took: int, brief: bool) -> Answer:
    placed = dict(zip(found.items.numbers, outcomes, strict=True))

    def show(numbered: tuple[int, Action]) -> bytes:
        number, action = numbered
        return _shown(action, found.items.rejected.get(number), placed.get(number), found.items.topic, brief)

    shown = await map_in_chunks(show, list(enumerate(found.actions)))
    failures = [outcome for outcome in outcomes if type(outcome) is Failure]
    errors = bool(failures or found.items.rejected)
    body = b'{"took":%d,"errors":%s,"items":[' % (took, b"true" if errors else b"false") + b",".join(shown) + b"]}"
    return Answer(_status(found, failures, len(shown)), body, JSON, PRODUCT)


def _status(found: Bulk, failures: list[Failure], number: int) -> int:
    """Return 200 as Elasticsearch does, whatever the results; senders without action lines only read the status."""
    if found.has_actions or not (failures or found.items.rejected):
        return 200
    if any(failure.retriable for failure in failures):
        return 503
    return 400 if len(failures) + len(found.items.rejected) == number else 207


def _shown(action: Action, rejected: Rejected | None, outcome: Outcome | None, topic: str, brief: bool) -> bytes:
    if rejected is None and type(outcome) is tuple:
        if brief:
            return b'{"%s":{"status":201}}' % action.verb.encode()
        partition, offset, _ = outcome
        told: dict[str, Any] = {"_index": action.index, "_id": f"{topic}-{partition}-{offset}", "_version": 1}
        return orjson.dumps({action.verb: {**told, "result": "created", "_seq_no": offset, "status": 201}})
    status, reason = _failed(rejected, outcome)
    return orjson.dumps(
        {action.verb: {"_index": action.index, "status": status, "error": elastic_error(status, reason)}}
    )


def _failed(rejected: Rejected | None, outcome: Outcome | None) -> tuple[int, str]:
    if rejected is not None:
        return rejected.status, f"{rejected.reason} at {rejected.position}" if rejected.position else rejected.reason
    assert isinstance(outcome, Failure)
    if outcome.retriable:
        return 429, outcome.reason
    return 413 if outcome.too_large else 400, outcome.reason
