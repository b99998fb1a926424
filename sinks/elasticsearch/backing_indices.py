"""Documents that may have been sent before in, those that an older backing index holds out.

A data stream creates documents in its newest backing index, and only there an id is refused the second time. What came
before the stream rolled over may have been stored before it, too; so this is asked for by id. Of a document that came
after, there is nothing to ask. The oldest copy of a document stays; one in the newest backing index is taken away.

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

_FRESH = 1.0  # seconds that a look at the backing indices is good for
_APART = 600_000  # milliseconds that the clocks of Kafka and Elasticsearch may differ
_IDS = 5000  # of one request
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
    """A backing index. One that was shrunk or restored has another name, with the same number at its end."""

    number: int
    created: int
    name: str


class BackingIndices:
    """The backing indices of data streams; while something is written, they are looked at once a second.

    Every method that is awaited raises what the client raises.
    """

    def __init__(self, client: AsyncElasticsearch) -> None:
        self._client = client
        self._targets = set[str]()
        self._known: dict[str, list[_BackingIndex]] = {}
        self._looked = float("-inf")

    def forget(self) -> None:
        """Look again before the next request: it is one that was sent before."""
        self._looked = float("-inf")

    async def rollover_bounds(self, targets: Collection[str]) -> dict[str, int]:
        """Of data streams that have rolled over: before which time (milliseconds since 1970) documents must have come
        that an older backing index may hold.
        """
        self._targets.update(targets)
        if time.monotonic() - self._looked > _FRESH or not self._known.keys() >= self._targets:
            await self._look()
        return {target: found[-1].created + _APART for target in targets if len(found := self._known[target]) > 1}

    def newest(self, target: str) -> str:
        """The index that documents are created in, as it was at the last look."""
        found = self._known.get(target)
        return found[-1].name if found else target

    async def drop_duplicates(self, target: str, documents: Sequence[Document]) -> set[str]:
        """The ids of those that an older backing index holds. Copies in the newest are deleted, if that is allowed."""
        known, ids = self._known[target], [document.id for document in documents]
        since, found = min(document.since for document in documents), set[str]()
        for older, newer in pairwise(known):
            if newer.created + _APART > since:
                for some in _some(ids):
                    found |= await self._held(older.name, some)
        for some in _some(sorted(found)):
            if copies := await self._held(known[-1].name, some):
                await self._delete(known[-1].name, copies)
        return found

    async def _look(self) -> None:
        """Of looks at the same time the one that began last counts."""
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
        """Gets see what no refresh has made searchable yet."""
        answer = await self._client.perform_request(
            "POST", f"/{index}/_mget", params=_GET, headers=_JSON, body={"ids": ids}
        )
        return {identity for identity, one in zip(ids, answer.body["docs"], strict=True) if _is_held(index, one)}

    async def _delete(self, index: str, ids: Collection[str]) -> None:
        """Without the privilege to delete, copies stay; the ledger finds them."""
        body = b"".join(orjson.dumps({"delete": {"_index": index, "_id": identity}}) + b"\n" for identity in ids)
        answer = await self._client.perform_request("POST", "/_bulk", params=_DELETE, headers=_LINES, body=body)
        for item in answer.body["items"]:
            status, why = item["delete"]["status"], item["delete"].get("error", {}).get("type")
            if why == _FORBIDDEN:
                text = f"{index} keeps second copies of documents, for we may not delete them"
                Backoff.warn(text, Cause(status, _FORBIDDEN, index))
            elif status not in _DELETED:
                raise TransportError(f"{index} keeps second copies of documents: {why}")


def _some(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _IDS] for start in range(0, len(ids), _IDS))


def _number(index: str) -> int:
    found = _NUMBER.search(index)
    return int(found[1]) if found else 0


def _is_held(index: str, answer: dict[str, Any]) -> bool:
    """Raises `TransportError` when that is not known at the moment."""
    if (why := answer.get("error", {}).get("type")) and why not in _GONE:
        raise TransportError(f"{index} does not say what it holds: {why}")
    return bool(answer.get("found"))
