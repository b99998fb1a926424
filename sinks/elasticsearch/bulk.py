"""Writes documents with bulk `create` requests, so that one that is written twice is found present the second time.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import orjson
from elasticsearch import ApiError, BadRequestError, OrjsonSerializer, TransportError
from elasticsearch.serializer import Serializer

from sinks.base import Document, Outcome, Rejected
from sinks.elasticsearch.backing_indices import BackingIndices, came
from sinks.elasticsearch.backoff import Backoff
from sinks.elasticsearch.congestion import CongestionWindow
from sinks.elasticsearch.connection import async_client, words
from sinks.elasticsearch.verdicts import (
    PRESENT,
    REFUSED,
    Cause,
    Entry,
    Judge,
    action_of,
    body_of,
    is_taken,
    text_of,
)

_PATH = "/_bulk"
_PARAMS = {"filter_path": "errors,items.*._index,items.*.status,items.*.error,items.*.failure_store"}
_STREAM = "require_data_stream"  # servers before 8.13 do not know it
_HEADERS = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_NEVER = {"if_seq_no": str(2**53 - 1), "if_primary_term": "1", "filter_path": "error"}
_NOBODY = "ogrewatch-sample"  # the id in a request that stores nothing
_TIMEOUT = 60.0  # seconds for one request
_PING_TIMEOUT = 5.0  # seconds that a node has to answer whether it is there
_CONCURRENT = 8  # requests at a time, at most
_BAD, _TOO_LARGE, _TOO_MUCH = 400, 413, 429
_INDEX = b'"_index":"%b"'
_ASTRAY = b'"failure_store":"used"'


class _Lines(Serializer):
    """Sends the body of a bulk request as it is; the client's own serializer would copy it twice."""

    mimetype = "application/x-ndjson"

    def dumps(self, data: bytes) -> bytes:
        return data


class _Answers(OrjsonSerializer):
    """Parses answers, except for those that report no error: they stay bytes, below `well`."""

    def loads(self, data: bytes) -> Any:
        well = data.startswith(b'{"errors":false') and _ASTRAY not in data
        return {"well": data} if well else super().loads(data)


_SERIALIZERS = {found.mimetype: found for found in (_Lines(), _Answers())}


class ElasticsearchSink:
    """Writes to the nodes at `urls` (comma separated), at most about `max_bytes` in one request.

    Several writes may run at a time. A document larger than `max_bytes` is sent alone. A server that is slow or
    overloaded gets less at a time (see `sinks.elasticsearch.congestion`). Before a request is sent again, `on_retry` is
    called with the status that caused it, or None when there was no answer, and `on_wait` with the type of the error
    and the number of documents. With `data_streams`, targets are data streams: documents wait for one whose template is
    missing, and never create an index of that name.
    """

    def __init__(
        self,
        urls: str,
        *,
        max_bytes: int = 4 << 20,
        data_streams: bool = False,
        on_retry: Callable[[int | None], object] = lambda _: None,
        on_wait: Callable[[str, int], object] = lambda *_: None,
    ) -> None:
        self._client = async_client(
            urls, request_timeout=_TIMEOUT, max_retries=0, retry_on_timeout=False, serializers=_SERIALIZERS
        )
        self._backing = BackingIndices(self._client)
        self._window, self._on_retry, self._on_wait = CongestionWindow(max_bytes, _CONCURRENT), on_retry, on_wait
        self._params = _PARAMS | ({_STREAM: "true"} if data_streams else {})
        self._accepted: dict[str, Document] = {}  # a document that the server has, by target

    async def write(self, documents: Sequence[Document]) -> Outcome:
        """Store documents; see `Sink.write`."""
        outcome = Outcome()
        for entries in _requests(_entries(documents), self._window):
            await self._store(entries, Judge(outcome, self._accepted), Backoff(self._on_retry, self._on_wait))
        return outcome

    async def refresh(self, index: str) -> None:
        """Make what was written searchable now. If that fails, Elasticsearch does it at its own interval."""
        try:
            await self._client.indices.refresh(index=index, ignore_unavailable=True, filter_path="_shards.failed")
        except (ApiError, TransportError) as error:
            Backoff.warn(f"no refresh of {index}: {words(error)}", Cause(None, "refresh", index))

    async def refusal(self, document: Document) -> str:
        """Why the server would refuse such a document; "" if it would store it, or if that is unknown.

        Nothing is stored: the request is for a version of the document that does not exist, which the server checks
        last.
        """
        try:
            await self._backing.rollover_bounds({document.target})
            index = self._backing.newest(document.target)
            if index != document.target:  # else there is no index yet
                source = orjson.loads(document.source)
                path = f"/{index}/_doc/{_NOBODY}"
                await self._client.perform_request("PUT", path, params=_NEVER, headers=_JSON, body=source)
        except ApiError as error:
            about = error.body.get("error", {}) if isinstance(error.body, dict) else {}
            return text_of(about) if error.status_code == _BAD and isinstance(about, dict) else ""
        except TransportError:
            return ""
        return ""

    async def reachable(self) -> bool:
        """Whether a node answers, whatever it says."""
        try:
            await self._client.options(request_timeout=_PING_TIMEOUT).info(filter_path="tagline")
        except TransportError:
            return False
        except ApiError as error:
            return error.status_code < 500
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _store(self, entries: list[Entry], judge: Judge, backoff: Backoff) -> None:
        suspects = False
        while entries:
            sent = entries
            try:
                entries = await self._unstored(entries, judge.outcome)
                sent = [*entries, *await self._controls(entries)] if suspects else entries
                async with self._window.slot(_bytes(sent)):
                    items = await self._send(sent)
            except TransportError as error:
                self._backing.forget()
                await backoff.wait(Cause(None, "no_answer"), words(error), len(entries))
            except ApiError as error:
                if error.status_code == _TOO_LARGE and len(sent) == len(entries):
                    return await self._store_halves(entries, judge, backoff)
                if error.status_code == _TOO_LARGE:  # perhaps because of the control: choose other ones
                    self._accepted.clear()
                self._backing.forget()
                await self._put_off(entries, _cause(error), words(error), backoff)
                if len(entries) > 1 and error.status_code != _BAD and _bytes(entries) > self._window.size:
                    return await self._store_halves(entries, judge, backoff)
                if error.status_code == _BAD and await self._takes_others(entries, judge):
                    return await self._isolate(entries, judge, backoff, str(error))
            else:
                verdict = judge.judge(sent, items)
                entries, suspects = verdict.again, verdict.suspects
                if entries:
                    await self._put_off(entries, verdict.cause, verdict.why, backoff)
        backoff.over()
        return None

    async def _put_off(self, entries: list[Entry], cause: Cause, why: str, backoff: Backoff) -> None:
        if cause.status == _TOO_MUCH:
            self._window.shrink(_bytes(entries))
        await backoff.wait(cause, why, len(entries))

    async def _store_halves(self, entries: list[Entry], judge: Judge, backoff: Backoff) -> None:
        if len(entries) == 1:
            text = f"{entries[0].size} bytes are more than the server takes in one request"
            judge.outcome.rejected.append(Rejected(entries[0].position, "too_large", text))
            return
        middle = len(entries) // 2
        await self._store(entries[:middle], judge, backoff)
        await self._store(entries[middle:], judge, backoff)

    async def _isolate(self, entries: list[Entry], judge: Judge, backoff: Backoff, why: str) -> None:
        """Find the documents because of which a whole request is refused, while the server takes others."""
        if len(entries) > 1:
            await self._store_halves(entries, judge, backoff)
        elif entries and not judge.prove(entries[0], "bad_request", why):
            await self._store(entries, judge, backoff)

    async def _controls(self, entries: list[Entry]) -> list[Entry]:
        """A control for each target: if the server says that it has it, it refuses other documents for their own sake.

        Those in an older backing index are left out, because they would be stored again.
        """
        targets = {entry.document.target for entry in entries}
        known = [Entry(-1, self._accepted[target], b"") for target in targets if target in self._accepted]
        found = [entry._replace(action=_line(entry.document)) for entry in known]
        return await self._unstored(found, Outcome())

    async def _takes_others(self, entries: list[Entry], judge: Judge) -> bool:
        """Whether the server takes a single document after it refused a whole request: a control, or else one of the
        entries, which is removed from them if it is stored.
        """
        try:
            if not (controls := (await self._controls(entries))[:1]) and len(entries) > 1:
                controls = await self._unstored([random.choice(entries)], Outcome())
            items = await self._send(controls)
        except (ApiError, TransportError):
            return False
        again = judge.judge(controls, items).again
        if not again and controls and controls[0] in entries:
            entries.remove(controls[0])
        return bool(controls) and all(map(is_taken, items))

    async def _unstored(self, entries: list[Entry], outcome: Outcome) -> list[Entry]:
        """Count entries that older backing indices hold as present, and return the others."""
        held = await self._held(entries)
        if not held:
            return entries
        left = [entry for entry in entries if entry.key not in held]
        outcome.present += sum(entry.position >= 0 and entry.key in held for entry in entries)
        return left

    async def _held(self, entries: Iterable[Entry]) -> set[tuple[str, str]]:
        """Targets and ids of the entries that older backing indices hold."""
        entries = list(entries)
        edges = await self._backing.rollover_bounds({entry.document.target for entry in entries})
        risky = defaultdict[str, list[Document]](list)
        for entry in entries if edges else ():
            if came(entry.document) < edges.get(entry.document.target, 0):
                risky[entry.document.target].append(entry.document)
        return {
            (target, identity)
            for target, documents in risky.items()
            for identity in await self._backing.drop_duplicates(target, documents)
        }

    async def _send(self, entries: list[Entry]) -> list[dict[str, Any]]:
        """Send one request. Returns an item for each entry, or none at all when all were stored."""
        if not entries:
            return []
        last = {entry.document.target: entry.document for entry in entries}
        newest = {target: self._backing.newest(target) for target in last}
        answer = await self._post(body_of(entries))
        if (well := answer.get("well")) is not None:
            if sum(well.count(_INDEX % name.encode()) for name in newest.values()) == len(entries):
                self._accepted |= last
                return []
            answer = orjson.loads(well)
        items = [item["create"] for item in answer["items"]]
        await self._take_back(entries, items, newest)
        return items

    async def _post(self, body: bytes) -> dict[str, Any]:
        while True:
            try:
                answer = await self._client.perform_request(
                    "POST", _PATH, params=self._params, headers=_HEADERS, body=body
                )
            except BadRequestError as error:
                if self._params is _PARAMS or f"unrecognized parameter: [{_STREAM}]" not in str(error):
                    raise
                self._params = _PARAMS
            else:
                return dict(answer.body)

    async def _take_back(self, entries: list[Entry], items: list[dict[str, Any]], newest: dict[str, str]) -> None:
        """Correct items that were created in a backing index not known yet, while an older one holds the document."""
        created = [
            (entry, item)
            for entry, item in zip(entries, items, strict=True)
            if item["status"] < REFUSED and item["_index"] != newest[entry.document.target]
        ]
        if created:
            self._backing.forget()
            held = await self._held(entry for entry, _ in created)
            for entry, item in created:
                if entry.key in held:
                    item["status"] = PRESENT


def _entries(documents: Sequence[Document]) -> Iterator[Entry]:
    for position, document in enumerate(documents):
        yield Entry(position, document, _line(document))


def _line(document: Document) -> bytes:
    """The action line of a document, without its end."""
    return _action(document.target) + orjson.dumps(document.id)


_action = lru_cache(256)(action_of)


def _cause(error: ApiError) -> Cause:
    body = error.body if isinstance(error.body, dict) else {}
    about = body.get("error")
    kind = about.get("type") if isinstance(about, dict) else None
    return Cause(error.status_code, str(kind or f"status_{error.status_code}"))


def _bytes(entries: Iterable[Entry]) -> int:
    return sum(entry.size for entry in entries)


def _requests(entries: Iterable[Entry], window: CongestionWindow) -> Iterator[list[Entry]]:
    request: list[Entry] = []
    size = 0
    for entry in entries:
        if request and size + entry.size > window.size:
            yield request
            request, size = [], 0
        request.append(entry)
        size += entry.size
    if request:
        yield request
