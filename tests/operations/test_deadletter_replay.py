"""Records that workers could not process become letters, and events once they can be; on the real servers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from elasticsearch import Elasticsearch
from installation_kit import Place, place, until

from operations.dead_letters.mailbox import REPLAYED, Wanted
from operations.dead_letters.plan import carry_out, plan
from operations.dead_letters.replay import Decider, why
from sinks.elasticsearch.templates import stream_name
from topics.kafka.reader import Reader
from topics.records.provenance import IDENTITY
from topics.records.replay import origin_header

POISON = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for poison from 192.0.2.1 port 4711 ssh2"
GOOD = b"<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.1 port 4711 ssh2"
DEFECT = """
from agents import pipeline
from topics.avro.codec import CodecError
from topics.kafka.reader import Reader
encode = pipeline.encode
def broken(kind, event):
    if "poison" in event["event_original"]:
        raise CodecError("a defect of \\x1b[31mthis version")
    return encode(kind, event)
pipeline.encode = broken
"""


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


@pytest.mark.kill
def test_what_a_defect_refused_is_stored_under_its_own_id_once_that_is_mended(here: Place) -> None:
    here.send([(0, GOOD), (0, POISON), (1, GOOD)])
    here.send([(1, POISON)], headers=[(IDENTITY, b"a token")])
    with here.worker("normalize", DEFECT, kill=False):
        letters = until(lambda: found if len(found := here.json("deadletter", "list")) == 2 else None)
        here.json("deadletter", "replay", letters[0]["id"])
        again = until(lambda: found if len(found := here.json("deadletter", "list")) == 2 else None)
    _same(letters[0], next(letter for letter in again if letter["id"] == letters[0]["id"]))
    ids = [f"normalize:{here.prefix}raw.syslog-{partition}-1" for partition in (0, 1)]
    assert sorted(letter["id"] for letter in letters) == ids
    forged = origin_header(f"{here.prefix}raw.syslog", 0, 99, 1)
    here.send([(0, GOOD), (1, GOOD)], headers=[forged])  # believed in no topic that others write
    with here.worker("normalize"), here.worker("index"):
        until(lambda: len(here.documents()) == 4)
        assert here.json("deadletter", "replay", "--component", "normalize") == {"replayed": 2}
        documents = until(lambda: found if len(found := here.documents()) == 6 else None)
    assert set(documents) == {f"{here.prefix}raw.syslog-{p}-{o}" for p in (0, 1) for o in (0, 1, 2)}
    received = {letter["id"]: letter["received"] for letter in letters}
    late = documents[f"{here.prefix}raw.syslog-1-1"]
    assert late["event"]["created"] == received[ids[1]]
    assert late["ogrewatch"]["ingest"]["identity"] == "a token"
    assert here.json("deadletter", "list") == []
    assert {letter["fate"]["fate"] for letter in here.json("deadletter", "list", "--all")} == {"replayed"}
    assert here.json("deadletter", "replay", "--all") == {}


def _same(first: dict[str, Any], again: dict[str, Any]) -> None:
    """A letter that failed again is another letter about the same record."""
    assert again["received"] == first["received"]
    assert again["letter"] != first["letter"]


@pytest.mark.kill
def test_what_elasticsearch_refused_is_stored_once_it_takes_it(here: Place) -> None:
    stream = stream_name("authentication", here.name)
    with Elasticsearch(here.elasticsearch) as client:
        client.indices.put_index_template(
            name=here.name, index_patterns=[stream], data_stream={}, priority=900, composed_of=["ogrewatch-ecs"],
            template={"mappings": {"properties": {"user": {"properties": {"name": {"type": "date"}}}}},
                      "settings": {"index.mapping.ignore_malformed": False}},
        )  # fmt: skip
        try:
            here.send([(0, GOOD), (1, b"<13>May  1 10:00:00 web1 app: hello")])
            with here.worker("normalize"), here.worker("index"):
                letter = until(lambda: here.json("deadletter", "list"))[0]
                assert (letter["component"], letter["topic"]) == ("index", f"{here.prefix}events.authentication")
                client.indices.delete_index_template(name=here.name)
                client.indices.rollover(alias=stream)
                assert here.json("deadletter", "replay", letter["id"]) == {"replayed": 1}
                documents = until(lambda: found if len(found := here.documents()) == 2 else None)
                assert f"{here.prefix}raw.syslog-0-0" in documents
        finally:
            client.options(ignore_status=404).indices.delete_index_template(name=here.name)


@pytest.mark.kill
def test_what_is_stored_already_is_not_sent_again(here: Place) -> None:
    here.send([(0, POISON)])
    with here.worker("normalize", DEFECT):
        until(lambda: here.json("deadletter", "list"))
    identity = f"{here.prefix}raw.syslog-0-0"
    with Elasticsearch(here.elasticsearch) as client:
        client.create(
            index=stream_name("system", here.name), id=identity, document={"@timestamp": "2026-05-01T10:00:00Z"},
            refresh=True,
        )  # fmt: skip
    assert here.json("deadletter", "replay", "--all") == {"present": 1}
    with Reader(here.kafka) as reader:
        assert set(reader.bounds(f"{here.prefix}replay").values()) == {(0, 0)}
    assert here.json("deadletter", "list") == []


def test_of_two_that_decide_at_a_time_the_earlier_does_nothing(here: Place) -> None:
    here.give_up("normalize", "raw.syslog", 5)
    settings = here.settings
    with Reader(settings.kafka) as reader:
        first = Decider(settings, "first")
        planned = plan(reader, settings, Wanted())
        second = Decider(settings, "second")
        with pytest.raises(KafkaException) as raised:
            carry_out(reader, settings, first, REPLAYED, planned)
        assert why(raised.value).startswith("Another replay or drop has begun")
        assert carry_out(reader, settings, second, REPLAYED, planned) == {"replayed": 1}
        topic = f"{here.prefix}replay"
        sent = until(lambda: list(reader.read(topic, reader.bounds(topic))))
    assert [message.value() for message in sent] == [b"value"]
