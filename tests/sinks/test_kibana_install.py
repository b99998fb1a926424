"""Tests the import into Kibana with a stand-in, which refuses what Kibana is known to refuse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kibana_server import KibanaServer, kibana
from typer.testing import CliRunner

from cli.kibana import app
from sinks.elasticsearch.kibana import export
from sinks.elasticsearch.kibana.install import KibanaError, install


@pytest.fixture
def server() -> Iterator[KibanaServer]:
    with kibana() as running:
        yield running


def test_every_object_is_imported_and_again_replaces_it(server: KibanaServer) -> None:
    assert install(server.url) == len(export.objects())
    first = dict(server.saved)
    assert install(server.url + "/") == len(first)
    assert server.saved == first
    assert {kind for kind, _ in first} == {"index-pattern", "dashboard", "search"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"typeMigrationVersion": "10.1.0"}, "more recent version"),
        ({"attributes": {"title": "x", "nonsense": 1}}, "nonsense"),
        ({"references": [{"type": "index-pattern", "id": "gone", "name": "x"}]}, "missing_references"),
        ({"type": "canvas"}, "unsupported_type"),
    ],
)
def test_what_kibana_does_not_take_is_told(
    server: KibanaServer, monkeypatch: pytest.MonkeyPatch, spoil: dict[str, Any], said: str
) -> None:
    objects = export.objects()
    objects[-1] |= spoil
    monkeypatch.setattr(export, "objects", lambda: objects)
    with pytest.raises(KibanaError, match=said):
        install(server.url)
    assert not server.saved


def test_we_log_in_as_to_elasticsearch(server: KibanaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.users = {"ApiKey abc", "Basic amFuZTpzZWNyZXQ="}
    with pytest.raises(KibanaError, match="OGREWATCH_ELASTICSEARCH_API_KEY"):
        install(server.url)
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_API_KEY", "abc")
    assert install(server.url)
    monkeypatch.delenv("OGREWATCH_ELASTICSEARCH_API_KEY")
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_USER", "jane")
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH_PASSWORD", "secret")
    assert install(server.url)
    with pytest.raises(KibanaError, match="OGREWATCH_PLAINTEXT_HOSTS"):
        install("http://192.0.2.1:5601")


@pytest.mark.parametrize(
    "url", ["", "kibana:5601", "ftp://h/", "http://", "http://h:port/", "http://u:p@h/", "http://h/?q"]
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(KibanaError, match="address"):
        install(url)


def test_a_kibana_that_is_away_old_busy_or_none_is_told(server: KibanaServer, tmp_path: Path) -> None:
    server.number = "8.8.2"
    with pytest.raises(KibanaError, match=r"Kibana 8\.8\.2 is older than 8\.9"):
        install(server.url)
    server.is_ready = False
    with pytest.raises(KibanaError, match="not ready"):
        install(server.url)
    with pytest.raises(KibanaError, match="does not answer"):
        install("http://127.0.0.1:1")


def test_the_commands_say_what_they_did(server: KibanaServer, tmp_path: Path) -> None:
    run, file = CliRunner(), tmp_path / "ogrewatch.ndjson"
    assert run.invoke(app, ["export", str(file)]).exit_code == 0
    assert file.read_bytes() == export.lines()
    assert run.invoke(app, ["export", "-"]).stdout_bytes == export.lines()
    assert run.invoke(app, ["export", str(tmp_path)]).exit_code == 1
    assert "objects of ours" in run.invoke(app, ["install", server.url]).output
    assert run.invoke(app, ["install", "nowhere"]).exit_code == 1
