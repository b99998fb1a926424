"""Documents in, bulk `create` requests out: a document written twice is found present the second time.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, OrjsonSerializer, TransportError
from elasticsearch.serializer import Serializer

from sinks.base import Document, Outcome, Rejected
from sinks.elasticsearch.connection import async_client
from sinks.elasticsearch.generations import Generations
from sinks.elasticsearch.pace import Pace
from sinks.elasticsearch.patience import Patience

_PATH = "/_bulk"
_PARAMS = {"filter_path": "errors,items.*._index,items.*.status,items.*.error,items.*.failure_store"}
_HEADERS = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
_TIMEOUT = 60.0  # seconds for one request
_AT_ONCE = 8  # requests, at most
_END = b"}}\n"  # of an action line
_TOO_LARGE, _TOO_MUCH = 413, 429
_REFUSED, _PRESENT = 300, 409
_INDEX = b'"_index":"%b"'
_ASTRAY = b'"failure_store":"used"'
_KEPT_ASIDE = "Elasticsearch has put it into the data stream's failure store, where no search for events looks"


class _Lines(Serializer):
    """Sends a bulk body as it is; the client's own would copy it twice."""

    mimetype = "application/x-ndjson"

    def dumps(self, data: bytes) -> bytes:
        return data


class _Answers(OrjsonSerializer):
    """Reads answers; one that all is well stays as it is."""

    def loads(self, data: bytes) -> Any:
        well = data.startswith(b'{"errors":false') and _ASTRAY not in data
        return {"well": data} if well else super().loads(data)


class _Entry(NamedTuple):
    """A document's two lines of a bulk request, the first without its end, and its position in the batch."""

    position: int
    document: Document
    action: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Target and id."""
        return self.document[:2]

    @property
    def size(self) -> int:
        """Bytes of both lines."""
        return len(self.action) + len(_END) + len(self.document.source) + 1


_SERIALIZERS = {found.mimetype: found for found in (_Lines(), _Answers())}


class ElasticsearchSink:
    """Writes to the nodes at `urls` (comma separated), at most about `max_bytes` in one request.

    Writes may run at the same time. A document larger than `max_bytes` goes alone. A server that takes long, or says
    that it is too much, gets less at a time (see `pace`). `on_retry` is called before a request is sent again, with the
    status that calls for it, or None when there was no answer.
    """

    def __init__(
        self, urls: str, *, max_bytes: int = 4 << 20, on_retry: Callable[[int | None], object] = lambda _: None
    ) -> None:
        self._client = async_client(
            urls, request_timeout=_TIMEOUT, max_retries=0, retry_on_timeout=False, serializers=_SERIALIZERS
        )
        self._generations = Generations(self._client)
        self._pace, self._on_retry = Pace(max_bytes, _AT_ONCE), on_retry

    async def write(self, documents: Sequence[Document]) -> Outcome:
        """Store documents; see `Sink.write`."""
        outcome = Outcome()
        for entries in _requests(_entries(documents), self._pace):
            await self._store(entries, outcome, Patience(self._on_retry))
        return outcome

    async def refresh(self, index: str) -> None:
        """Make what was written searchable now. Where that fails, the index's own interval does it later."""
        try:
            await self._client.indices.refresh(index=index, ignore_unavailable=True, filter_path="_shards.failed")
        except (ApiError, TransportError) as error:
            Patience.warn(f"no refresh of {index}: {error}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _store(self, entries: list[_Entry], outcome: Outcome, patience: Patience) -> None:
        while entries:
            try:
                entries = await self._unstored(entries, outcome)
                async with self._pace.turn(_bytes(entries)):
                    items = await self._send(entries)
            except TransportError as error:
                self._generations.forget()
                await patience.wait(str(error), None)
            except ApiError as error:
                if error.status_code == _TOO_LARGE:
                    return await self._store_halves(entries, outcome, patience)
                if not _passing(error.status_code):
                    raise
                self._generations.forget()
                await self._put_off(entries, str(error), error.status_code, patience)
                if len(entries) > 1 and _bytes(entries) > self._pace.size:
                    return await self._store_halves(entries, outcome, patience)
            else:
                entries, status, why = _settle(entries, items, outcome)
                if entries:
                    await self._put_off(entries, f"{len(entries)} documents put off: {why}", status, patience)
        return None

    async def _put_off(self, entries: list[_Entry], why: str, status: int, patience: Patience) -> None:
        if status == _TOO_MUCH:
            self._pace.less(_bytes(entries))
        await patience.wait(why, status)

    async def _store_halves(self, entries: list[_Entry], outcome: Outcome, patience: Patience) -> None:
        if len(entries) == 1:
            text = f"{entries[0].size} bytes are more than the server takes in one request"
            outcome.rejected.append(Rejected(entries[0].position, "too_large", text))
            return
        middle = len(entries) // 2
        await self._store(entries[:middle], outcome, patience)
        await self._store(entries[middle:], outcome, patience)

    async def _unstored(self, entries: list[_Entry], outcome: Outcome) -> list[_Entry]:
        """Book those that were stored before their data stream rolled over as present; return the others."""
        held = await self._held(entries)
        if not held:
            return entries
        left = [entry for entry in entries if entry.key not in held]
        outcome.present += len(entries) - len(left)
        return left

    async def _held(self, entries: Iterable[_Entry]) -> set[tuple[str, str]]:
        """Targets and ids of those that older backing indices hold."""
        entries = list(entries)
        edges = await self._generations.edges({entry.document.target for entry in entries})
        risky = defaultdict[str, list[Document]](list)
        for entry in entries if edges else ():
            if entry.document.since < edges.get(entry.document.target, 0):
                risky[entry.document.target].append(entry.document)
        return {
            (target, identity)
            for target, documents in risky.items()
            for identity in await self._generations.settle(target, documents)
        }

    async def _send(self, entries: list[_Entry]) -> list[dict[str, Any]]:
        """What became of each, or nothing when all were stored."""
        if not entries:
            return []
        body = b"".join([part for _, one, action in entries for part in (action, _END, one.source, b"\n")])
        newest = {target: self._generations.newest(target) for target in {entry.document.target for entry in entries}}
        response = await self._client.perform_request("POST", _PATH, params=_PARAMS, headers=_HEADERS, body=body)
        if (well := response.body.get("well")) is not None:
            if sum(well.count(_INDEX % name.encode()) for name in newest.values()) == len(entries):
                return []
            response.body.update(orjson.loads(well))
        items = [item["create"] for item in response.body["items"]]
        await self._take_back(entries, items, newest)
        return items

    async def _take_back(self, entries: list[_Entry], items: list[dict[str, Any]], newest: dict[str, str]) -> None:
        """Make that present which was created in a backing index we did not know of yet, and stored in an older one."""
        created = [
            (entry, item)
            for entry, item in zip(entries, items, strict=True)
            if item["status"] < _REFUSED and item["_index"] != newest[entry.document.target]
        ]
        if created:
            self._generations.forget()
            held = await self._held(entry for entry, _ in created)
            for entry, item in created:
                if entry.key in held:
                    item["status"] = _PRESENT


def _entries(documents: Sequence[Document]) -> Iterator[_Entry]:
    for position, document in enumerate(documents):
        yield _Entry(position, document, _action(document.target) + orjson.dumps(document.id))


@lru_cache(256)
def _action(target: str) -> bytes:
    """An action line as far as the document's id."""
    return b'{"create":{"_index":%b,"_id":' % orjson.dumps(target)


def _bytes(entries: Iterable[_Entry]) -> int:
    return sum(entry.size for entry in entries)


def _requests(entries: Iterable[_Entry], pace: Pace) -> Iterator[list[_Entry]]:
    request: list[_Entry] = []
    size = 0
    for entry in entries:
        if request and size + entry.size > pace.size:
            yield request
            request, size = [], 0
        request.append(entry)
        size += entry.size
    if request:
        yield request


def _settle(entries: list[_Entry], items: list[dict[str, Any]], outcome: Outcome) -> tuple[list[_Entry], int, str]:
    """Book what is decided into `outcome`; return what must be sent again, and the status and reason of the last.

    No items: all were stored.
    """
    if not items:
        outcome.stored += len(entries)
        return [], 0, ""
    again: list[_Entry] = []
    put_off, why = 0, ""
    for entry, item in zip(entries, items, strict=True):
        status, error = item["status"], item.get("error", {})
        if item.get("failure_store") == "used":
            outcome.rejected.append(Rejected(entry.position, "failure_store", _KEPT_ASIDE))
        elif status < _REFUSED:
            outcome.stored += 1
        elif status == _PRESENT:
            outcome.present += 1
        elif _passing(status) or error.get("type") == "cluster_block_exception":
            again.append(entry)
            put_off, why = status, _text(error)
        else:
            outcome.rejected.append(Rejected(entry.position, error.get("type", str(status)), _text(error)))
    return again, put_off, why


def _passing(status: int) -> bool:
    """Whether a status speaks of the server's state, which passes, and not of what was sent."""
    return status in (408, 429) or status >= 500


def _text(error: dict[str, Any]) -> str:
    """The reasons of an error, outermost first."""
    reasons = []
    cause: dict[str, Any] | None = error
    while cause:
        reasons.append(cause.get("reason") or cause.get("type", ""))
        cause = cause.get("caused_by")
    return ": ".join(reasons)
