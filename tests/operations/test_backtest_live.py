"""A backtest of the demonstration hour raises the alerts that a detect worker raised for it: the same ids."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from agents.settings import Settings
from alerts.rules.load import PACK, load_folder
from operations.backtest.run import backtest
from operations.process import command_line
from operations.rules.explain import find
from operations.rules.lines import LineEncoder
from stack.demo.corpus import generate
from topics.catalogue import ALERTS
from topics.kafka.admin import create_topics
from topics.kafka.reader import Reader

RULES = load_folder(PACK)
IN_ONE_PARTITION = ("ssh_guessing", "ssh_spray", "web_login_guessing", "web_scanner", "mail_login_guessing")
"""Rules whose events are keyed by their groups. Those of LDAP are keyed by connection."""
LIMIT = 240.0  # seconds that a worker may take on a busy machine


@contextmanager
def detecting(settings: Settings, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = os.environ | {
        "OGREWATCH_KAFKA": settings.kafka, "OGREWATCH_PREFIX": settings.prefix, "OGREWATCH_DATA_DIR": str(folder),
        "OGREWATCH_PARTITIONS": "2", "OGREWATCH_ELASTICSEARCH": "http://127.0.0.1:9",
    }  # fmt: skip
    worker = subprocess.Popen(command_line("worker", "detect", "--bare"), env=environment)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


def fill(settings: Settings) -> int:
    """Write the events of an hour with ten hosts, as normalize would have written them; returns how many."""
    begin, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC)
    producer = Producer({"bootstrap.servers": settings.kafka, "partitioner": "murmur2_random", "linger.ms": 20})
    encoder, lines = LineEncoder(Settings()), list(generate(1, end, 10))
    for seconds, _, line in lines:
        found = encoder.encode(line, int((begin.timestamp() + seconds) * 1e6))
        producer.produce(f"{settings.prefix}events.{found.kind}", found.value, found.key)
        producer.poll(0)
    assert producer.flush(60) == 0
    return len(lines)


def raised(reader: Reader, settings: Settings) -> dict[str, set[str]]:
    """The ids of the alerts that were published, by rule."""
    topic, found = settings.prefix + ALERTS.name, dict[str, set[str]]()
    for message in reader.read(topic, reader.bounds(topic)):
        document = orjson.loads(message.value())
        found.setdefault(document["rule"]["id"], set()).add(document["event"]["id"])
    return found


@pytest.mark.timeout(600)
def test_a_backtest_has_the_ids_of_live_alerts(kafka: str, unique: str, tmp_path: Path) -> None:
    settings = Settings(kafka=kafka, prefix=f"{unique}.", partitions=2)
    create_topics(kafka, prefix=settings.prefix, partitions=2, replication=1)
    number = fill(settings)
    with Reader(kafka) as reader:
        with detecting(settings, tmp_path) as worker:
            until = time.monotonic() + LIMIT
            while reader.left("detect", settings.prefix):
                assert time.monotonic() < until
                assert worker.poll() is None
                time.sleep(1)
        live = raised(reader, settings)
        names = {rule.name for rule in RULES.correlations.values() if rule.id in live}
        assert {"ssh_guessing", "ssh_spray", "guessed_in"} <= names
        assert number > 5000
        for called in IN_ONE_PARTITION:
            rule = find(RULES, called)
            found = backtest(reader, settings.prefix, RULES, rule, 1, lambda done, total: None)
            assert {one.id for one in found.alerts} == live.get(rule.id, set()), rule.name
