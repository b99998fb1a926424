"""Stores alerts: one document each in a plain index, which revisions and acts of people change.

Data streams only take new documents, so alerts have an index of their own behind an alias. A change is read, merged
(`topics.documents.alert`) and written under the next version; whoever was overtaken meanwhile is refused by
Elasticsearch, and does it again. https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import ApiError, TransportError

from sinks.elasticsearch.backoff import Backoff
from sinks.elasticsearch.connection import async_client, words
from sinks.elasticsearch.mappings import alerts
from sinks.elasticsearch.verdicts import Cause, text_of
from topics.documents.alert import Document, PlacedAct, merge, operation

_TIMEOUT = 60.0  # seconds for one request
_MOST = 500  # documents in one request
_LINES = {"Content-Type": "application/x-ndjson", "Accept": "application/json"}
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_CONFLICT, _BAD, _THERE = 409, 400, "resource_already_exists_exception"


def alerts_name(namespace: str) -> str:
    """The alias of the alerts of a namespace."""
    return f"alerts-ogrewatch-{namespace}"


@dataclass(slots=True)
class News:
    """What is new of one alert."""

    revisions: list[Document] = field(default_factory=list)
    acts: list[PlacedAct] = field(default_factory=list)


class AlertSink:
    """Writes to the alias of a namespace, whose index it creates. `on_retry` and `on_wait` are as for
    `sinks.elasticsearch.bulk.ElasticsearchSink`.
    """

    def __init__(
        self,
        urls: str,
        namespace: str,
        on_retry: Callable[[int | None], object] = lambda _: None,
        on_wait: Callable[[str, int], object] = lambda *_: None,
    ) -> None:
        self._client = async_client(urls, request_timeout=_TIMEOUT, max_retries=0, retry_on_timeout=False)
        self.alias, self._on_retry, self._on_wait = alerts_name(namespace), on_retry, on_wait
        self._there = False

    async def write(self, news: Mapping[str, News]) -> dict[str, str]:
        """Store what is new of alerts, by id. Returns why documents will never be taken, by id.

        Waits for as long as Elasticsearch does not answer or is overloaded.
        """
        refused: dict[str, str] = {}
        left, backoff = dict(news), Backoff(self._on_retry, self._on_wait)
        while left:
            some = dict(list(left.items())[:_MOST])
            try:
                done = await self._write(some, refused)
            except TransportError as error:
                await backoff.wait(Cause(None, "no_answer", self.alias), words(error), len(left))
            except ApiError as error:
                self._there = False
                await backoff.wait(Cause(error.status_code, "refused", self.alias), words(error), len(left))
            else:
                left = {identity: one for identity, one in left.items() if identity not in done}
                if not done:
                    await backoff.wait(Cause(_CONFLICT, "conflict", self.alias), "others write, too", len(left))
        backoff.over()
        return refused

    async def _write(self, news: dict[str, News], refused: dict[str, str]) -> set[str]:
        """Read, merge and write once. Returns the ids that are done: stored, unchanged or refused."""
        await self._create()
        done, body, sent = set(), [], []
        stored = await self._stored(list(news))
        for identity, one in news.items():
            version, before = stored.get(identity, (0, None))
            document = merge(before, one.revisions, one.acts)
            if document is None:
                done.add(identity)
            else:
                sent.append(identity)
                body.append(operation(self.alias, identity, version + 1, document))
        if body:
            answer = await self._client.perform_request("POST", "/_bulk", headers=_LINES, body=b"".join(body))
            done |= _done(sent, answer.body["items"], refused)
        return done

    async def _stored(self, ids: list[str]) -> dict[str, tuple[int, Document]]:
        answer = await self._client.perform_request("POST", f"/{self.alias}/_mget", headers=_JSON, body={"ids": ids})
        found = [one for one in answer.body["docs"] if one.get("found")]
        return {one["_id"]: (one["_version"], one["_source"]) for one in found}

    async def _create(self) -> None:
        """Create the index behind the alias, if it is not there."""
        if self._there:
            return
        if not await self._client.indices.exists_alias(name=self.alias):
            index, alias = f"{self.alias}-000001", {self.alias: {"is_write_index": True}}
            try:
                await self._client.indices.create(index=index, aliases=alias, **alerts())
            except ApiError as error:
                if error.error != _THERE:  # another worker has created it meanwhile
                    raise
        self._there = True

    async def refresh(self) -> None:
        """Make what was written searchable now. If that fails, Elasticsearch does it at its own interval."""
        with suppress(ApiError, TransportError):
            await self._client.indices.refresh(index=self.alias, ignore_unavailable=True)

    async def close(self) -> None:
        """Close the connections. Nothing may be written afterwards."""
        await self._client.close()


def _done(ids: list[str], items: list[dict[str, Any]], refused: dict[str, str]) -> set[str]:
    """The ids of documents that are stored, or that will never be; the others were overtaken or have to wait."""
    done = set()
    for identity, item in zip(ids, items, strict=True):
        status, error = item["index"]["status"], item["index"].get("error", {})
        if status == _BAD:
            refused[identity] = text_of(error)
        if status < 300 or status == _BAD:
            done.add(identity)
        elif status != _CONFLICT:
            raise TransportError(f"{text_of(error)} (status {status})")
    return done
