"""A cluster per test: topics of its own, removed afterwards."""

from collections.abc import Iterator

import pytest
from transport_kit import Cluster


@pytest.fixture
def cluster(kafka: str, unique: str) -> Iterator[Cluster]:
    made = Cluster(kafka, unique)
    yield made
    made.clean()
