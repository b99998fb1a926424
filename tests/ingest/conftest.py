"""Starts a proxy for each test on raw topics that the tests of a file share; each test sees only its own records."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from http_kit import Proxy, Raw, running


@pytest.fixture(scope="module")
def raw_topics(kafka: str) -> Iterator[Raw]:
    """Raw topics that exist."""
    made = Raw(kafka, f"t{uuid.uuid4().hex[:10]}.")
    made.create()
    yield made
    made.delete()


@pytest.fixture
def raw(raw_topics: Raw) -> Raw:
    """Raw topics in which nothing of other tests is seen."""
    raw_topics.mark()
    return raw_topics


@pytest.fixture
async def proxy(raw: Raw, tmp_path: Path) -> AsyncIterator[Proxy]:
    """A proxy with the default settings."""
    async with running(raw.servers, raw.prefix, tmp_path) as made:
        yield made
