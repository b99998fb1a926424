"""The ledger balances after kills, and is off by exactly what somebody took away; on the real servers."""

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch
from installation_kit import Line, Place, place, until

from operations.ledger.counts import done, facts
from operations.process import command_line
from sinks.elasticsearch.templates import stream_name
from stack.ports import free_port
from topics.kafka.reader import Reader

LINES = 3_000
BROKEN = """
from agents import pipeline
from topics.avro.codec import CodecError
encode = pipeline.encode
def broken(kind, event):
    if event["ogrewatch_raw_offset"] % 500 == 7:
        raise CodecError("a defect")
    return encode(kind, event)
pipeline.encode = broken
"""
FORGETFUL = """
from agents.pipeline import Pipeline
records = Pipeline.records
Pipeline.records = lambda self, batch, state: records(self, [one for one in batch if one.offset != 7], state)
"""
DIES = """
import os
from sinks.elasticsearch.bulk import ElasticsearchSink
write = ElasticsearchSink.write
async def dies(self, documents):
    await write(self, documents)
    os.kill(os.getpid(), 9)
ElasticsearchSink.write = dies
"""


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def _lines(number: int) -> list[Line]:
    text = "<38>May  1 10:00:00 web1 sshd[7]: Failed password for root from 192.0.2.%d port 4711 ssh2"
    return [(n % 2, (text % (n % 250)).encode()) for n in range(number)]


def _settled(here: Place) -> dict[str, Any]:
    """The sums once nobody has anything left to do."""
    found: dict[str, Any] = until(lambda: None if (seen := here.json("ledger"))["under_way"] else seen)
    return found


def _delete(here: Place, ids: list[str]) -> None:
    with Elasticsearch(here.elasticsearch) as client:
        hits = client.search(index=stream_name("*", here.name), query={"ids": {"values": ids}}, source=False)
        for hit in hits["hits"]["hits"]:
            client.delete(index=hit["_index"], id=hit["_id"], refresh=True)
        assert len(hits["hits"]["hits"]) == len(ids)


def _wait_for_events(here: Place) -> None:
    topic = f"{here.prefix}events.authentication"
    with Reader(here.kafka) as reader:
        until(lambda: any(end for _, end in reader.bounds(topic).values()), pause=0.02)


@pytest.mark.kill
def test_it_balances_after_kills_and_is_off_by_what_is_deleted(here: Place) -> None:
    here.send(_lines(2 * LINES))
    with here.worker("normalize", BROKEN), here.worker("index"):
        _wait_for_events(here)  # killed before the first commit, which comes after a second
    with here.worker("normalize", BROKEN), here.worker("index"):
        seen = _settled(here)
    dead = 2 * (LINES // 500)
    assert (seen["received"], seen["stored"], seen["dead_lettered"]) == (2 * LINES, 2 * LINES - dead, dead)
    exact = here.json("ledger", "--verify")
    assert (exact["balanced"], exact["exact"], exact["missing"]) == (True, True, 0)
    assert [exact[name] for name in ("received", "stored", "dead_lettered")] == [2 * LINES, 2 * LINES - dead, dead]
    assert sum(row["events"] for row in exact["typed"] if row["events"]) == 2 * LINES - dead
    assert [row["letters"] for row in exact["raw"][:2]] == [dead // 2, dead // 2]
    assert sum(row["repeated"] for row in exact["typed"]) > 0
    assert "Balanced since" in here.run("ledger")

    gone = [f"{here.prefix}raw.syslog-1-{offset}" for offset in (0, 100, 2999)]
    _delete(here, gone)
    off = here.json("ledger", status=1)
    assert (off["exact"], off["missing"]) == (True, 3)
    assert sorted(i for row in off["typed"] for i in row["missing_ids"]) == sorted(gone)
    assert "is off by" in here.run("ledger", status=1)


@pytest.mark.kill
def test_what_normalize_passed_over_is_missed(here: Place) -> None:
    here.send(_lines(100))
    with here.worker("normalize", FORGETFUL), here.worker("index"):
        until(lambda: len(here.documents()) == 98)
        until(lambda: _unfinished(here) == 0)
    off = here.json("ledger", status=1)
    assert [row["missing_offsets"] for row in off["raw"][:2]] == [[7], [7]]


def _unfinished(here: Place) -> int:
    with Reader(here.kafka) as reader:
        return facts(reader, here.settings, 0, done(reader, here.settings)).in_flight()


@pytest.mark.kill
def test_ends_of_transactions_are_not_missed(here: Place) -> None:
    producer = Producer({"bootstrap.servers": here.kafka, "transactional.id": here.name})
    producer.init_transactions()
    for number in range(3):
        producer.begin_transaction()
        producer.produce(f"{here.prefix}raw.syslog", b"<13>May  1 10:00:00 web1 app: hello", partition=0)
        if number == 1:
            producer.flush()
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    with here.worker("normalize"), here.worker("index"):
        until(lambda: len(here.documents()) == 2)
        seen = until(lambda: None if (found := here.json("ledger"))["under_way"] else found)
    assert (seen["balanced"], seen["exact"], seen["received"], seen["stored"]) == (True, True, 2, 2)


@pytest.mark.kill
def test_an_event_stored_twice_is_noticed(here: Place) -> None:
    here.send(_lines(10))
    with here.worker("normalize"), here.worker("index"):
        until(lambda: len(here.documents()) == 10)
        _settled(here)
    identity, document = next(iter(here.documents().items()))
    with Elasticsearch(here.elasticsearch) as client:
        client.create(index=stream_name("web", here.name), id=identity, document=document, refresh=True)
    off = here.json("ledger", status=1)
    assert [i for row in off["typed"] for i in row["doubled_ids"]] == [identity]


@pytest.mark.kill
def test_what_a_killed_worker_has_stored_is_stored_once_though_the_stream_has_rolled_over(here: Place) -> None:
    here.send(_lines(200))
    with here.worker("normalize"):
        with here.worker("index", DIES) as process:
            assert process.wait(60) == -signal.SIGKILL
        assert here.documents()  # none of which is committed
        with Elasticsearch(here.elasticsearch) as client:
            client.indices.rollover(alias=stream_name("authentication", here.name))
        with here.worker("index"):
            seen = _settled(here)
    assert (seen["balanced"], seen["received"], seen["stored"]) == (True, 200, 200)
    assert here.json("ledger", "--verify")["balanced"]


@pytest.mark.kill
def test_a_letter_that_was_sent_again_is_no_excuse(here: Place) -> None:
    here.send(_lines(20))
    with here.worker("normalize", BROKEN), here.worker("index"):
        until(lambda: len(here.documents()) == 18)
        assert _settled(here)["dead_lettered"] == 2
        assert here.json("deadletter", "drop", f"normalize:{here.prefix}raw.syslog-1-7") == {"dropped": 1}
        assert here.json("ledger")["dead_lettered"] == 2
    assert here.json("deadletter", "replay", "--all") == {"replayed": 1}
    assert here.json("ledger", "--verify")["stored"] == 18
    with here.worker("normalize", FORGETFUL.replace("one.offset != 7", "not one.topic.endswith('replay')")):
        until(lambda: _unfinished(here) == 0)
    off = here.json("ledger", status=1)
    assert [row["missing_offsets"] for row in off["raw"][:2]] == [[7], []]


@pytest.mark.kill
def test_watching_prints_a_line_for_each_look_until_it_is_interrupted(here: Place) -> None:
    here.send(_lines(4))
    command = command_line("ledger", "--watch", "--json")
    with subprocess.Popen(command, env=here.environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    assert [look["under_way"] for look in looks] == [4, 4]


@pytest.mark.kill
def test_metrics_say_of_each_partition_what_became_of_it(here: Place) -> None:
    here.send(_lines(20))
    with here.worker("normalize", BROKEN), here.worker("index"):
        assert _settled(here)["dead_lettered"] == 2
    port = free_port()
    command = command_line("ledger", "--watch", "--verify", "--json", "--metrics-port", str(port))
    with subprocess.Popen(command, env=here.environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # of the first look, which has been noted by now
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            found = answer.read().decode()
        process.terminate()
    sums = {"balanced": 1, "received": 20, "stored": 18, "dead_lettered": 2, "under_way": 0, "missing": 0}
    for name, value in sums.items():
        assert f"ogrewatch_ledger_{name} {value}.0\n" in found
    raw = f'{{partition="1",role="normalize",topic="{here.prefix}raw.syslog"}}'
    for name, value in {"consumed": 10, "produced": 9, "dead_lettered": 1, "lag": 0, "missing": 0}.items():
        assert f"ogrewatch_ledger_partition_{name}{raw} {value}.0\n" in found
    assert _sum(found, "stored", "events.authentication") == 18
    assert _sum(found, "present", "events.authentication") == _sum(found, "doubled", "events.authentication") == 0


def _sum(metrics: str, name: str, topic: str) -> float:
    """Over all partitions."""
    lines = [line for line in metrics.splitlines() if line.startswith(f"ogrewatch_ledger_partition_{name}{{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if f'{topic}"' in line)


def test_metrics_are_of_a_watch(here: Place) -> None:
    here.run("ledger", "--metrics-port", "9464", status=2)


def test_before_anything_was_sent_it_balances(here: Place) -> None:
    seen = here.json("ledger", "--verify")
    assert (seen["balanced"], seen["received"], seen["under_way"]) == (True, 0, 0)


def test_servers_that_do_not_answer_are_no_balance(here: Place) -> None:
    here.environment["OGREWATCH_ELASTICSEARCH"] = "http://127.0.0.1:9"
    here.run("ledger", status=2)
