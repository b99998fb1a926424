"""A cluster per test: topics of its own, removed afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from transport_children import Child
from transport_kit import Cluster


@pytest.fixture
def cluster(kafka: str, unique: str) -> Iterator[Cluster]:
    made = Cluster(kafka, unique)
    yield made
    made.clean()


@pytest.fixture
def start(cluster: Cluster, unique: str, tmp_path: Path) -> Iterator[Callable[..., Child]]:
    """Start the small application in a process of its own, with these settings."""
    children: list[Child] = []

    def begin(**settings: Any) -> Child:
        children.append(Child(cluster, unique, tmp_path, **settings))
        return children[-1]

    yield begin
    for child in children:
        child.kill()
