"""Sends searches to Elasticsearch with a deadline, and says in a sentence why there is no answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from agents.settings import Settings
from sinks.elasticsearch.connection import async_client, words
from sinks.elasticsearch.templates import attempts_name, stream_name
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

    _client: AsyncElasticsearch

    def __init__(self, settings: Settings) -> None:
        self._urls = settings.elasticsearch
        self.events = stream_name("*", settings.namespace)
        self.minutes = attempts_name(settings.namespace)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Keep a client open. The other methods work only inside this context. Raises `AccessRefused`."""
        self._client = async_client(self._urls, request_timeout=DEADLINE + _GRACE, max_retries=0)
        try:
            yield
        finally:
            await self._client.close()

    async def search(self, index: str, body: Mapping[str, Any]) -> Body:
        """Return the answer to a search; `is_complete` says whether it is whole. Raises `StoreAway`."""
        try:
            found = await self._client.search(
                index=index, body={"timeout": f"{DEADLINE}s", **body}, ignore_unavailable=True
            )
        except (ApiError, TransportError) as error:
            raise StoreAway(words(error)) from None
        return dict(found.body)

    async def health(self) -> str:
        """Return the state of the cluster: green, yellow or red. Raises `StoreAway`."""
        try:
            found = await self._client.options(request_timeout=1).cluster.health(filter_path="status")
        except (ApiError, TransportError) as error:
            raise StoreAway(words(error)) from None
        return str(found["status"])


def is_complete(answer: Mapping[str, Any]) -> bool:
    """Whether an answer is about all documents: the deadline did not cut it, and no shard failed."""
    return not answer["timed_out"] and not answer["_shards"]["failed"]


def buckets(answer: Mapping[str, Any], name: str) -> list[Any]:
    """The buckets of an aggregation; none where no index exists yet."""
    return list(answer.get("aggregations", {}).get(name, {}).get("buckets", ()))
