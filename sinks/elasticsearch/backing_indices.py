"""Finds documents, among those that may have been sent before, that an older backing index of a data stream holds.

A data stream creates documents in its newest backing index, and only that one refuses an id that it has. A document
that came before the rollover may also be in an older one; so these are looked up by id. The oldest copy of a document
is kept, and a copy in the newest backing index is deleted. Documents that came after the rollover need no look-up.

https://www.elastic.co/docs/manage-data/data-store/data-streams#rollover
"""

import re
import time
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
from elasticsearch import AsyncElasticsearch, TransportError

from sinks.base import Document
from sinks.elasticsearch.backoff import Backoff
from sinks.elasticsearch.verdicts import Cause

_FRESH = 1.0  # seconds for which the list of backing indices is used
_APART = 600_000  # milliseconds that the clocks of Kafka and Elasticsearch may differ
_IDS = 5000  # ids in one request
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_LINES = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
_LOOK = {
    "features": "settings",
    "ignore_unavailable": "true",
    "filter_path": "*.data_stream,*.settings.index.creation_date",
}
_GET = {"_source": "false", "filter_path": "docs.found,docs.error.type"}
_DELETE = {"filter_path": "items.*.status,items.*.error.type"}
_DELETED, _FORBIDDEN = (200, 404), "security_exception"
_GONE = ("index_not_found_exception", "index_closed_exception")
_NUMBER = re.compile(r"-(\d{6,})$")


class _BackingIndex(NamedTuple):
    """A backing index, created at `created` (milliseconds since 1970). Its name ends with `number`, even if shrunk."""

    number: int
    created: int
    name: str


class BackingIndices:
    """The backing indices of data streams. While documents are written, the list is fetched every second.

    Methods that are awaited raise what the client raises.
    """

    def __init__(self, client: AsyncElasticsearch) -> None:
        self._client = client
        self._targets = set[str]()
        self._known: dict[str, list[_BackingIndex]] = {}
        self._looked = float("-inf")

    def forget(self) -> None:
        """Fetch the list again before the next request, because it repeats an earlier one."""
        self._looked = float("-inf")

    async def rollover_bounds(self, targets: Collection[str]) -> dict[str, int]:
        """For each data stream that has rolled over, a time in milliseconds since 1970: only documents that came before
        it may be in an older backing index.
        """
        self._targets.update(targets)
        if time.monotonic() - self._looked > _FRESH or not self._known.keys() >= self._targets:
            await self._look()
        return {target: found[-1].created + _APART for target in targets if len(found := self._known[target]) > 1}

    def newest(self, target: str) -> str:
        """The index in which documents are created, as far as is known."""
        found = self._known.get(target)
        return found[-1].name if found else target

    async def drop_duplicates(self, target: str, documents: Sequence[Document]) -> set[str]:
        """The ids of documents that an older backing index holds. Copies in the newest one are deleted, if allowed."""
        known, ids = self._known[target], [document.id for document in documents]
        since, found = min(map(came, documents)), set[str]()
        for older, newer in pairwise(known):
            if newer.created + _APART > since:
                for chunk in _chunks(ids):
                    found |= await self._held(older.name, chunk)
        for chunk in _chunks(sorted(found)):
            if copies := await self._held(known[-1].name, chunk):
                await self._delete(known[-1].name, copies)
        return found

    async def _look(self) -> None:
        """Fetch the list. When several fetches run, the one that began last counts."""
        began, known = time.monotonic(), {target: list[_BackingIndex]() for target in self._targets}
        answer = await self._client.perform_request("GET", f"/{','.join(known)}", params=_LOOK, headers=_JSON)
        for index, about in answer.body.items():
            if (stream := about.get("data_stream")) in known:
                created = int(about["settings"]["index"]["creation_date"])
                known[stream].append(_BackingIndex(_number(index), created, index))
        if began >= self._looked:
            self._known = {target: sorted(found) for target, found in known.items()}
            self._looked = began

    async def _held(self, index: str, ids: list[str]) -> set[str]:
        """The ids among `ids` that an index holds. Unlike a search, a get sees documents that are not refreshed yet."""
        answer = await self._client.perform_request(
            "POST", f"/{index}/_mget", params=_GET, headers=_JSON, body={"ids": ids}
        )
        return {identity for identity, one in zip(ids, answer.body["docs"], strict=True) if _is_held(index, one)}

    async def _delete(self, index: str, ids: Collection[str]) -> None:
        """Delete copies. Without the privilege for that they stay, with a warning, and the ledger finds them."""
        body = b"".join(orjson.dumps({"delete": {"_index": index, "_id": identity}}) + b"\n" for identity in ids)
        answer = await self._client.perform_request("POST", "/_bulk", params=_DELETE, headers=_LINES, body=body)
        for item in answer.body["items"]:
            status, why = item["delete"]["status"], item["delete"].get("error", {}).get("type")
            if why == _FORBIDDEN:
                text = f"{index} keeps second copies of documents, for we may not delete them"
                Backoff.warn(text, Cause(status, _FORBIDDEN, index))
            elif status not in _DELETED:
                raise TransportError(f"{index} keeps second copies of documents: {why}")


def came(document: Document) -> int:
    """When a document came to Kafka, in milliseconds since 1970; 0, at any time, if that would be in the future."""
    return document.since if document.since < time.time_ns() // 1_000_000 + _APART else 0


def _chunks(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _IDS] for start in range(0, len(ids), _IDS))


def _number(index: str) -> int:
    found = _NUMBER.search(index)
    return int(found[1]) if found else 0


def _is_held(index: str, answer: dict[str, Any]) -> bool:
    """Whether an answer says that the index has the document. Raises `TransportError` when it does not say."""
    if (why := answer.get("error", {}).get("type")) and why not in _GONE:
        raise TransportError(f"{index} does not say what it holds: {why}")
    return bool(answer.get("found"))
