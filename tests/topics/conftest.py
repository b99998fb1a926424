"""Starts a Schema Registry for all tests of the folder."""

from collections.abc import Iterator

import pytest
from apicurio_kit import Apicurio


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry."""
    with Apicurio(tmp_path_factory.mktemp("apicurio")) as server:
        yield server.address
        server.kill()
