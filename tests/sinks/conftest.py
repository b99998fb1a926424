"""Makes a data stream for each test on a real server."""

from collections.abc import Iterator

import pytest
from elasticsearch import ApiError, Elasticsearch

from sinks.elasticsearch.templates import install, stream_name


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as client:
        yield client


@pytest.fixture
def stream(elasticsearch_url: str, unique: str, client: Elasticsearch) -> Iterator[str]:
    """The data stream of a namespace of its own."""
    install(elasticsearch_url)
    name = stream_name("authentication", unique)
    yield name
    try:
        client.indices.delete_data_stream(name=name)
    except ApiError:  # a build without the data stream API keeps the stream
        assert unique in name
