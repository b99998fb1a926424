"""Sends searches to Elasticsearch with a deadline, and says in a sentence why there is no answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from agents.settings import Settings
from sinks.elasticsearch.connection import async_client, words
from sinks.elasticsearch.templates import attempts_name, stream_name
from topics.errors import AccessRefused
from web.replies import Refused

DEADLINE = 5
"""Seconds after which a search answers with what it has found so far."""
_GRACE = 1.0  # seconds more that the answer has to arrive

Body = dict[str, Any]


class StoreAway(Refused):
    """Elasticsearch does not answer, or refuses. Live counts do not need it."""

    def __init__(self, text: str) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, text, wait=2)


class Store:
    """The documents of one installation: `events` and `minutes` are the names of their data streams."""

    def __init__(self, settings: Settings) -> None:
        self._urls = settings.elasticsearch
        self.events = stream_name("*", settings.namespace)
        self.minutes = attempts_name(settings.namespace)
        self._client: AsyncElasticsearch | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Close the client in the end. The other methods work only inside this context; the first of them opens it."""
        try:
            yield
        finally:
            if self._client is not None:
                await self._client.close()

    async def _opened(self) -> AsyncElasticsearch:
        """The client. It is made in a thread, since that may wait for certificates. Raises `StoreAway`."""
        async with self._lock:
            if self._client is None:
                options = {"request_timeout": DEADLINE + _GRACE, "max_retries": 0}
                try:
                    self._client = await asyncio.to_thread(partial(async_client, self._urls, **options))
                except AccessRefused as error:
                    raise StoreAway(str(error)) from None
            return self._client

    async def search(self, index: str, body: Mapping[str, Any]) -> Body:
        """Return the answer to a search; `is_complete` says whether it is whole. Raises `StoreAway`."""
        client = await self._opened()
        try:
            found = await client.search(index=index, body={"timeout": f"{DEADLINE}s", **body}, ignore_unavailable=True)
        except (ApiError, TransportError) as error:
            raise StoreAway(words(error)) from None
        return dict(found.body)


def is_complete(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is about all documents: the deadline did not cut it, and no shard failed."""
    return not answer["timed_out"] and not answer["_shards"]["failed"]


def buckets(answer: Mapping[str, Any], name: str) -> list[Any]:
    """The buckets of an aggregation; none where no index exists yet."""
    return list(answer.get("aggregations", {}).get(name, {}).get("buckets", ()))
