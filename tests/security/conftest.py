"""Leaves for the tests here: certificates, and servers that talk to nobody without them."""

import os
from collections.abc import Iterator

import pytest
from certificates import authority, signed
from secured import SecuredElasticsearch, SecuredKafka, Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The servers, for all tests of this folder."""
    folder = tmp_path_factory.mktemp("secured")
    ours = authority(folder, "ours")
    server, client = signed(folder, "server", ours), signed(folder, "client", ours)
    stranger = signed(folder, "stranger", authority(folder, "strange"))
    kafka = SecuredKafka(folder / "kafka", server, ours)
    elasticsearch = SecuredElasticsearch(folder / "elasticsearch", server)
    try:
        for one in (elasticsearch, kafka):
            one.start()
        for one in (elasticsearch, kafka):
            one.wait_ready()
        yield Site(folder, kafka, elasticsearch, ours, server, client, stranger)
    finally:
        for one in (elasticsearch, kafka):
            one.kill()


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests begin without settings of the one who runs them."""
    for name in [name for name in os.environ if name.startswith(("OGREWATCH_KAFKA", "OGREWATCH_ELASTICSEARCH"))]:
        monkeypatch.delenv(name)
