"""Starts a Schema Registry for all tests of the folder."""

from collections.abc import Iterator

import pytest
from apicurio_kit import Apicurio


@pytest.fixture(scope="session")
def apicurio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry."""
    server = Apicurio(tmp_path_factory.mktemp("apicurio"))
    try:
        server.start()
        server.wait_ready()
        yield server.address
    finally:
        server.stop()
