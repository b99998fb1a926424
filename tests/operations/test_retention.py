"""Old documents are deleted, by us or by Elasticsearch itself, and never what a data stream writes to."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from elasticsearch import Elasticsearch
from typer import Typer
from typer.testing import CliRunner

from cli.retention import command
from operations.retention import Change, Retention
from sinks.base import Document
from sinks.elasticsearch.bulk import ElasticsearchSink
from sinks.elasticsearch.retention import KINDS, RetentionSettings
from sinks.elasticsearch.templates import install, stream_name
from topics.environment import BadSettings

_DAY = 86_400_000
_NOW = time.time_ns() // 1_000_000


class Eager(RetentionSettings):
    """Rolls over as soon as there is a document."""

    def conditions(self) -> dict[str, Any]:
        return {"max_docs": 1, "min_docs": 1}


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    with Elasticsearch(elasticsearch_url) as made:
        yield made


def changes(
    client: Elasticsearch, namespace: str, settings: RetentionSettings, days: float, **more: Any
) -> list[Change]:
    """What is done `days` from now."""
    return list(Retention(client, namespace, settings, now=_NOW + int(days * _DAY), **more).run())


def backing(client: Elasticsearch, stream: str) -> list[str]:
    """The backing indices of a data stream, and of nothing else."""
    return sorted(client.indices.get(index=stream, features="settings", expand_wildcards="all"))


async def store(url: str, stream: str, identity: str) -> None:
    sink = ElasticsearchSink(url)
    outcome = await sink.write([Document(stream, identity, orjson.dumps({"@timestamp": "2026-05-01T10:00:00Z"}))])
    await sink.refresh(stream)
    await sink.close()
    assert outcome.stored == 1


async def test_old_backing_indices_go_and_the_newest_stays(
    elasticsearch_url: str, client: Elasticsearch, unique: str
) -> None:
    install(elasticsearch_url)
    web, audit = stream_name("web", unique), stream_name("audit", unique)
    for stream in (web, audit):
        await store(elasticsearch_url, stream, "first")
    settings = Eager(days=90, web=14)

    assert {change.kind for change in changes(client, unique, settings, 0, dry=True)} == {"rollover"}
    assert [len(backing(client, stream)) for stream in (web, audit)] == [1, 1]  # a dry run changes nothing
    assert {change.name for change in changes(client, unique, settings, 0)} == {web, audit}
    assert [len(backing(client, stream)) for stream in (web, audit)] == [2, 2]
    assert changes(client, unique, settings, 0) == []  # the new ones are empty

    before = backing(client, web)
    (dry,) = changes(client, unique, settings, 15, dry=True)
    assert (dry.kind, dry.name) == ("delete", before[0])
    assert backing(client, web) == before
    assert changes(client, unique, settings, 15) == [dry]
    assert backing(client, web) == before[1:]
    assert len(backing(client, audit)) == 2
    assert len(changes(client, unique, settings, 91)) == 1
    assert changes(client, unique, settings, 10_000) == []  # nothing but what is written to
    for stream in (web, audit):
        await store(elasticsearch_url, stream, "second")


async def test_nothing_is_deleted_unless_somebody_says_so(
    elasticsearch_url: str, client: Elasticsearch, unique: str
) -> None:
    install(elasticsearch_url)
    stream = stream_name("system", unique)
    await store(elasticsearch_url, stream, "first")
    assert changes(client, unique, RetentionSettings(), 0) == []  # the real conditions, which the server takes
    client.indices.rollover(alias=stream)
    assert changes(client, unique, RetentionSettings(), 10_000) == []
    assert len(backing(client, stream)) == 2


def test_alerts_go_when_nobody_touched_them(client: Elasticsearch, unique: str) -> None:
    name = f"alerts-ogrewatch-{unique}"
    dates = {"properties": {"ogrewatch.alert.acted_at": {"type": "date"}, "@timestamp": {"type": "date"}}}
    client.indices.create(index=f"{name}-000001", aliases={name: {}}, mappings=dates)
    young, old = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_NOW / 1000 - days * 86_400)) for days in (1, 40))
    for identity, at, acted in (("old", old, None), ("young", young, None), ("acted", old, young), ("gone", old, old)):
        alert = {"acted_at": acted} if acted else {}
        client.index(index=name, id=identity, document={"@timestamp": at, "ogrewatch": {"alert": alert}})
    client.indices.refresh(index=name)
    settings = RetentionSettings(alerts=30)
    assert [change.text[:8] for change in changes(client, unique, settings, 0, dry=True)] == ["2 alerts"]
    assert [change.text[:8] for change in changes(client, unique, settings, 0)] == ["2 alerts"]
    assert {hit["_id"] for hit in client.search(index=name)["hits"]["hits"]} == {"young", "acted"}
    assert changes(client, unique, settings, 0) == []
    client.indices.delete(index=f"{name}-000001")


def test_templates_tell_the_server_how_long(
    elasticsearch_url: str, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> dict[str, Any]:
        found = client.indices.get_index_template(name="ogrewatch-*")["index_templates"]
        templates = {one["name"]: one["index_template"].get("template", {}) for one in found}
        return {
            name: known["lifecycle"].get("data_retention") for name, known in templates.items() if "lifecycle" in known
        }

    monkeypatch.setenv("OGREWATCH_RETENTION_DAYS", "90")
    monkeypatch.setenv("OGREWATCH_RETENTION_WEB", "14")
    monkeypatch.setenv("OGREWATCH_RETENTION_ATTEMPTS", "0")
    install(elasticsearch_url)
    try:
        assert len(told()) == len(KINDS)
        assert told()["ogrewatch-logs-web"] == "14d"
        assert told()["ogrewatch-logs-audit"] == "90d"
        assert told()["ogrewatch-auth"] is None
    finally:
        for name in ("DAYS", "WEB", "ATTEMPTS"):
            monkeypatch.delenv(f"OGREWATCH_RETENTION_{name}")
        install(elasticsearch_url)
    assert set(told().values()) == {None}


@contextmanager
def full_server(lifecycle: dict[str, Any]) -> Iterator[tuple[Elasticsearch, list[tuple[str, str, Any]]]]:
    """Stands in for a server with life cycles, which has one stream of web; and what it was asked to change."""
    asked: list[tuple[str, str, Any]] = []
    stream = "logs-ogrewatch.web-full"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            about = {"data_stream": stream, "settings": {"index": {"creation_date": "1000"}}}
            answers: dict[str, dict[str, Any]] = {
                f"/{stream}": {f".ds-{stream}-2020.01.01-00000{n}": about for n in (1, 2)},
                f"/_data_stream/{stream}/_lifecycle": {"data_streams": [{"name": stream, "lifecycle": lifecycle}]},
            }
            self._answer(200 if path in answers else 404, answers.get(path, {"error": "not found"}))

        def do_PUT(self) -> None:
            asked.append(("PUT", self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self._answer(200, {"acknowledged": True})

        def do_DELETE(self) -> None:
            asked.append(("DELETE", self.path, None))
            self._answer(200, {"acknowledged": True})

        do_POST = do_DELETE

        def do_HEAD(self) -> None:
            self.send_response(404)
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()

        def _answer(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in (("Content-Type", "application/json"), ("X-Elastic-Product", "Elasticsearch"),
                                ("Content-Length", str(len(body)))):  # fmt: skip
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            with Elasticsearch(f"http://127.0.0.1:{server.server_port}") as client:
                yield client, asked
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_knows_life_cycles_is_told_and_deletes_by_itself() -> None:
    with full_server({"enabled": True, "data_retention": "90d"}) as (client, asked):
        assert changes(client, "full", RetentionSettings(days=90), 10_000) == []
        assert len(changes(client, "full", RetentionSettings(web=14), 10_000, dry=True)) == 1
        assert asked == []
        (change,) = changes(client, "full", RetentionSettings(web=14), 10_000)
        assert (change.kind, change.text) == ("lifecycle", "keeps documents 14d (before: 90d)")
        wanted = {"enabled": True, "data_retention": "14d"}
        assert asked == [("PUT", "/_data_stream/logs-ogrewatch.web-full/_lifecycle", wanted)]


def test_the_command_says_what_it_did(elasticsearch_url: str, unique: str) -> None:
    app = Typer()
    app.command()(command)
    known = {"OGREWATCH_ELASTICSEARCH": elasticsearch_url, "OGREWATCH_NAMESPACE": unique}
    assert CliRunner().invoke(app, ["--dry-run"], env=known).output == "Nothing is due.\n"
    away = CliRunner().invoke(app, [], env=known | {"OGREWATCH_ELASTICSEARCH": "http://127.0.0.1:1"})
    assert away.exit_code == 1
    assert "does not answer" in away.output


def test_days_that_cannot_be_are_refused() -> None:
    with pytest.raises(BadSettings, match="OGREWATCH_RETENTION_WEB"):
        RetentionSettings(web=-1)
