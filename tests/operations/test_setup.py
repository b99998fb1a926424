"""Tests, on a real Kafka and Elasticsearch, that a set-up says what it changes and changes nothing the second time."""

import time
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from cli import main
from stack.ports import HOST, free_port
from topics.catalogue import CATALOGUE
from topics.kafka import admin


@pytest.fixture
def environment(
    kafka: str, elasticsearch_url: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    environment = {
        "OGREWATCH_KAFKA": kafka,
        "OGREWATCH_ELASTICSEARCH": elasticsearch_url,
        "OGREWATCH_PREFIX": f"{unique}.",
        "OGREWATCH_PARTITIONS": "2",
    }
    yield environment
    client = AdminClient({"bootstrap.servers": kafka})
    for future in client.delete_topics([f"{unique}.{topic.name}" for topic in CATALOGUE]).values():
        future.result(30)


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main.app, ["setup", *arguments], env=environment)


def test_it_says_what_it_changes_and_changes_nothing_twice(environment: dict[str, str], unique: str) -> None:
    first = run(environment)
    assert first.exit_code == 0, first.output
    created = {line for line in first.output.splitlines() if line.startswith("Topic ")}
    assert created == {f"Topic {unique}.{topic.name} was created." for topic in CATALOGUE}
    _until_nothing_is_missing(environment)
    kept = environment | {"OGREWATCH_RAW_RETENTION": "7200"}
    assert run(kept).output.splitlines() == [
        f"Settings of topic {unique}.{name} were corrected." for name in ("raw.events", "raw.syslog")
    ]
    _until_nothing_is_missing(kept)
    warned = run(environment | {"OGREWATCH_PARTITIONS": "3"})
    assert f"{unique}.raw.syslog has 2 partitions, not the 3 of OGREWATCH_PARTITIONS." in warned.output
    assert warned.exit_code == 0


def _until_nothing_is_missing(environment: dict[str, str]) -> None:
    """Brokers hear of new topics and settings a little later."""
    until = time.monotonic() + 60
    while (again := run(environment)).output != "Nothing was missing.\n":
        assert time.monotonic() < until, again.output


def test_templates_that_were_changed_are_replaced_and_told(environment: dict[str, str], elasticsearch_url: str) -> None:
    from sinks.elasticsearch.connection import client

    run(environment)
    with client(elasticsearch_url) as made:
        (found,) = made.indices.get_index_template(name="ogrewatch-logs")["index_templates"]
        template = found["index_template"]
        made.indices.put_index_template(
            name="ogrewatch-logs", index_patterns=template["index_patterns"], composed_of=[], data_stream={},
            priority=template["priority"],
        )  # fmt: skip
    assert "Template ogrewatch-logs was replaced." in run(environment).output.splitlines()


def test_a_server_that_is_away_is_waited_for_and_told(kafka: str) -> None:
    where = f"{HOST}:{free_port()}"
    done = run({"OGREWATCH_KAFKA": where}, "--wait", "1")
    assert (done.exit_code, done.output) == (1, f"Kafka at {where} does not answer within 1 s.\n")
    nowhere = f"http://{HOST}:{free_port()}"
    done = run({"OGREWATCH_KAFKA": kafka, "OGREWATCH_ELASTICSEARCH": nowhere}, "--wait", "0")
    assert (done.exit_code, done.output) == (1, "Elasticsearch does not answer within 0 s.\n")


def test_two_of_three_replicas_have_a_record_before_it_is_acknowledged() -> None:
    assert [admin.durability(number) for number in (1, 2)] == [{}, {}]
    assert admin.durability(3) == {"min.insync.replicas": "2"}
    new = admin._new(CATALOGUE[0], "", 4, 3, 7200.0)
    assert {"min.insync.replicas": "2", "retention.ms": "7200000"}.items() <= (new.config or {}).items()


def test_nothing_is_wrong_with_one_replica(environment: dict[str, str], kafka: str, unique: str) -> None:
    run(environment)
    assert admin.weakly_acknowledged(kafka, f"{unique}.") == []
