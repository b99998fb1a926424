"""The embedded servers start, answer, survive a kill with their data, and stop."""

import json
import time
import urllib.request
import uuid
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from stack.elasticsearch import Elasticsearch
from stack.errors import StackError
from stack.kafka import Kafka
from stack.ports import is_free


def shared(folder: Path) -> list[str]:
    """What below a folder, itself among it, others than its owner have rights to."""
    return [f"{path} {path.stat().st_mode:o}" for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077]


@pytest.mark.kill
def test_kafka_keeps_its_topics_through_a_kill(tmp_path: Path, unique: str) -> None:
    tmp_path.chmod(0o755)
    server = Kafka(tmp_path)
    try:
        assert server.start()
        server.wait_ready()
        admin = AdminClient({"bootstrap.servers": server.address})
        admin.create_topics([NewTopic(unique, 2)])[unique].result(10)
        until = time.monotonic() + 60
        while not (tmp_path / "log" / f"{unique}-0" / "00000000000000000000.log").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert shared(tmp_path) == []
        server.kill()
        assert not server.running()
        assert server.start()
        server.wait_ready()
        again = AdminClient({"bootstrap.servers": server.address})
        assert len(again.list_topics(timeout=5).topics[unique].partitions) == 2
    finally:
        server.stop()
    assert is_free(server.port)


def test_a_second_object_finds_the_running_server(tmp_path: Path) -> None:
    server = Kafka(tmp_path)
    try:
        server.start()
        again = Kafka(tmp_path)
        assert not again.start()
        assert again.address == server.address
        with pytest.raises(StackError, match="already runs on port"):
            Kafka(tmp_path, port=1).start()
        again.stop()
        assert not server.running()
    finally:
        server.stop()


@pytest.mark.kill
def test_elasticsearch_keeps_documents_through_a_kill(tmp_path: Path) -> None:
    server = Elasticsearch(tmp_path, quick=True)
    try:
        server.start()
        server.wait_ready()
        put = urllib.request.Request(
            f"{server.address}/kept/_doc/1", b'{"a": 1}', {"content-type": "application/json"}, method="PUT"
        )
        urllib.request.urlopen(put, timeout=30).close()
        keystore = (
            tmp_path / "config" / "elasticsearch.keystore"
        )  # whose mode Elasticsearch sets itself: its folder keeps it
        assert [entry for entry in shared(tmp_path) if not entry.startswith(str(keystore))] == []
        server.kill()
        server.start()
        server.wait_ready()
        with urllib.request.urlopen(f"{server.address}/kept/_doc/1", timeout=30) as answer:
            assert json.load(answer)["_source"] == {"a": 1}
    finally:
        server.stop()
    assert is_free(server.port)


def test_an_identity_that_begins_with_a_dash_is_none_the_less_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" + bytes(15)))
    server = Kafka(tmp_path)
    try:
        server.start()
        server.wait_ready()
        assert "cluster.id=-AAAA" in (tmp_path / "log" / "meta.properties").read_text()
    finally:
        server.stop()


def test_a_server_that_ends_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    server = Kafka(tmp_path, heap="1k")
    server.start()
    with pytest.raises(StackError, match=r"(?s)kafka ended while starting; its log .*kafka\.log ends:\n.*heap"):
        server.wait_ready()
    assert not server.running()
