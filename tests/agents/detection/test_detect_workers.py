"""Detect workers on a real Kafka and Elasticsearch: the same alerts whatever is killed, stopped or moved."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from detection_kit import RULES, event
from elasticsearch import Elasticsearch, NotFoundError

from alerts.correlation.groups import Place
from alerts.correlation.judge import Judge
from alerts.engine.engines import PlainEngine
from alerts.rules.load import RuleSet, add_file
from operations.process import command_line
from sinks.elasticsearch.alerts import alerts_name
from sinks.elasticsearch.templates import install
from topics.catalogue import CATALOGUE
from topics.kafka.admin import create_topics
from topics.kafka.reader import Reader
from topics.records.acts import Act
from topics.records.acts import encode as encode_act
from topics.records.rules import KEY, RuleFiles
from topics.records.rules import encode as encode_rules

PARTITIONS, LIMIT = 2, 150.0


class Installation:
    """Topics of their own on a Kafka, and workers on them."""

    def __init__(self, kafka: str, elasticsearch: str, unique: str, folder: Path) -> None:
        self.prefix, self.namespace, self.kafka, self.folder = f"{unique}.", unique, kafka, folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | {
            "OGREWATCH_KAFKA": kafka, "OGREWATCH_ELASTICSEARCH": elasticsearch, "OGREWATCH_PREFIX": self.prefix,
            "OGREWATCH_NAMESPACE": unique, "OGREWATCH_PARTITIONS": str(PARTITIONS), "OGREWATCH_DATA_DIR": str(folder),
        }  # fmt: skip
        self.producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2_random", "linger.ms": 20})
        create_topics(kafka, prefix=self.prefix, partitions=PARTITIONS, replication=1)

    def start(self, role: str = "detect") -> "subprocess.Popen[bytes]":
        """Start a worker."""
        child = [sys.executable, str(Path(__file__).with_name("detect_child.py"))]
        command = child if role == "detect" else command_line("worker", role, "--bare")
        with (self.folder / f"{role}.log").open("ab") as log:
            self.workers.append(subprocess.Popen(command, env=self.environment, stderr=log))
        return self.workers[-1]

    def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Write a record."""
        self.producer.produce(self.prefix + topic, value, key)
        self.producer.poll(0)

    def feed(self, begin: int, end: int) -> None:
        """Write events as normalize does, twenty a second: bursts of eight addresses, one after the other."""
        for number in range(begin, end):
            address = f"192.0.2.{number // 100 % 8 + 10 * (number % 3)}"
            outcome = "success" if number % 50 == 49 else "failure"
            value = event(number, number / 20, outcome, address, f"user{number % 5}")
            self.send("events.authentication", address.encode(), value)
        assert self.producer.flush(60) == 0

    def published(self) -> dict[str, dict[str, Any]]:
        """The last revision of each alert. Fails if a revision was published with two contents."""
        last: dict[str, dict[str, Any]] = {}
        known: dict[tuple[str, int], bytes] = {}
        with Reader(self.kafka) as reader:
            topic = self.prefix + "alerts"
            for message in reader.read(topic, dict(reader.bounds(topic))):
                document = orjson.loads(message.value() or b"")
                identity, revision = document["event"]["id"], document["ogrewatch"]["alert"]["revision"]
                assert known.setdefault((identity, revision), message.value() or b"") == message.value()
                if identity not in last or revision > last[identity]["ogrewatch"]["alert"]["revision"]:
                    last[identity] = document
        return last

    def expected(self) -> set[str]:
        """The alerts about addresses, by an oracle: every event decoded, in the order of its partition, each once."""
        rules, found = RuleSet(), set()
        add_file(rules, RULES, "rules.yml")
        with Reader(self.kafka) as reader:
            topic = self.prefix + "events.authentication"
            for partition, span in reader.bounds(topic).items():
                judge, engine = Judge(rules), PlainEngine("authentication", rules.rules.values())
                seen = set[tuple[str, int]]()
                for message in reader.read(topic, {partition: span}):
                    for match in engine.match([message.value() or b""]):
                        raw, at = match.view.reference.offset, match.view.reference.at
                        if (match.rule.id, raw) not in seen:
                            seen.add((match.rule.id, raw))
                            changes = judge.see(match, Place(0, 0, at))
                            found |= {one.alert.id for one in changes if "." in one.key[0]}
        return found

    def left(self) -> int:
        """How much detect has still to read."""
        with Reader(self.kafka) as reader:
            return reader.left("detect", self.prefix)

    def clean(self) -> None:
        """Leave nothing behind."""
        for worker in self.workers:
            worker.kill()
            worker.wait(30)
        names = [self.prefix + topic.name for topic in CATALOGUE] + [f"{self.prefix}ogrewatch-detect-groups-changelog"]
        for future in AdminClient({"bootstrap.servers": self.kafka}).delete_topics(names).values():
            future.exception(30)


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(kafka, elasticsearch_url, unique, tmp_path)
    made.send("rules", KEY, encode_rules(RuleFiles({"rules.yml": RULES.decode()}, pack=False)))
    assert made.producer.flush(60) == 0
    yield made
    made.clean()


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


def about_addresses(published: dict[str, dict[str, Any]]) -> set[str]:
    return {identity for identity, one in published.items() if "source" in one}


@pytest.mark.kill
@pytest.mark.timeout(600)
def test_alerts_are_the_same_through_kills_pauses_and_moves(here: Installation) -> None:
    first, second = here.start(), here.start()
    here.feed(0, 3_000)
    until(lambda: here.published(), "nothing was published")
    first.kill()
    here.feed(2_900, 6_000)  # a normalize that was killed writes some of it again
    here.start()
    until(lambda: len(here.published()) > 8, "its successor published nothing")
    second.send_signal(signal.SIGSTOP)
    here.feed(6_000, 8_000)
    time.sleep(8)  # longer than its session: the third takes over
    here.feed(8_000, 9_000)
    second.send_signal(signal.SIGCONT)
    until(lambda: about_addresses(here.published()) == here.expected() and not here.left(), "alerts differ")
    users = [one for one in here.published().values() if one["rule"]["name"] == "Failures of a user"]
    assert sum(one["ogrewatch"]["alert"]["count"] for one in users) <= 9_000 * 49 // 50


def test_an_alert_is_a_document_that_people_act_on(here: Installation, elasticsearch_url: str) -> None:
    install(elasticsearch_url)
    here.start()
    here.start("index")
    here.feed(0, 400)
    client, alias = Elasticsearch(elasticsearch_url), alerts_name(here.namespace)

    def stored() -> dict[str, dict[str, Any]]:
        try:
            client.indices.refresh(index=alias)
            found = client.search(index=alias, size=100)["hits"]["hits"]
        except NotFoundError:
            return {}
        return {one["_id"]: one["_source"] for one in found}

    until(lambda: stored() and stored().keys() == here.published().keys(), "not all are stored")
    identity, document = next((one for one in stored().items() if one[1]["rule"]["name"] == "Guessing"), ("", {}))
    assert document["event"]["kind"] == "alert"
    assert document["ogrewatch"]["alert"]["status"] == "open"
    for kind, more in (("acknowledge", {}), ("close", {"verdict": "benign"})):
        act = Act(identity, kind, "ann", int(time.time() * 1000), **more)  # type: ignore[arg-type]
        here.send("alerts.acts", identity.encode(), encode_act(act))
    here.send("alerts.acts", b"x", b"no act")
    assert here.producer.flush(60) == 0

    def about() -> dict[str, Any]:
        return dict(stored()[identity]["ogrewatch"]["alert"])

    until(lambda: about()["status"] == "closed", "the acts did not come back")
    assert (about()["verdict"], about()["acted_by"], len(about()["acts"])) == ("benign", "ann", 2)
    here.feed(800, 1_200)  # the same address once more: revisions go on
    until(lambda: here.published()[identity]["ogrewatch"]["alert"]["over"] or not here.left(), "it does not end")
    assert about()["status"] == "closed"
    changed = RULES.replace(b"condition: {gte: 5}", b"condition: {gte: 2}").replace(b"title: Guessing", b"title: Twice")
    here.send("rules", KEY, encode_rules(RuleFiles({"rules.yml": changed.decode()}, pack=False)))
    assert here.producer.flush(60) == 0
    began = time.monotonic()
    for second in range(1_200, 40_000):
        here.feed(second, second + 1)
        time.sleep(0.05)
        if second % 10 == 0 and any(one["rule"]["name"] == "Twice" for one in here.published().values()):
            break
        assert time.monotonic() - began < LIMIT
