"""`ogrewatch backtest` on a real Kafka: the alerts of retained events have the ids that judging them live gives."""

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from confluent_kafka import Producer
from installation_kit import until
from typer.testing import CliRunner, Result

import cli.backtest
from agents.settings import Settings
from alerts.correlation.groups import Place
from alerts.correlation.judge import Judge
from alerts.engine.engines import StagedEngine
from alerts.rules.load import PACK, load_folder
from operations.backtest.run import backtest
from operations.rules.explain import find
from operations.rules.lines import Encoded, LineEncoder
from topics.kafka.admin import create_topics
from topics.kafka.reader import Reader

FAILED = b"<38>1 %s web1 sshd 7 - - Failed password for root from 192.0.2.%d port 50 ssh2"
ACCEPTED = b"<38>1 %s web1 sshd 7 - - Accepted password for root from 192.0.2.%d port 50 ssh2"
BEGIN = (time.time_ns() // 1_000_000_000 - 3600) * 1_000_000  # microseconds since 1970, an hour ago
RULES = load_folder(PACK)
app = typer.Typer()
app.command()(cli.backtest.command)


class Retained:
    """Typed topics with events, spread over partitions by their address, as normalize would."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.kafka, self.prefix, self.events = kafka, prefix, list[tuple[int, int, Encoded]]()
        create_topics(kafka, prefix=prefix, partitions=2, replication=1)
        self._encoder, self._producer = LineEncoder(Settings()), Producer({"bootstrap.servers": kafka})
        self._offsets = [0, 0]

    def add(self, line: bytes, address: int, seconds: float) -> None:
        at = BEGIN + int(seconds * 1e6)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at // 1_000_000)).encode()
        event = self._encoder.encode(line % (stamp, address), at)
        partition = address % 2
        self._producer.produce(f"{self.prefix}events.authentication", event.value, b"", partition, timestamp=at // 1000)
        self.events.append((partition, self._offsets[partition], event))
        self._offsets[partition] += 1

    def flush(self) -> None:
        assert self._producer.flush(30) == 0

    def run(self, *arguments: str) -> Result:
        environment = {"OGREWATCH_KAFKA": self.kafka, "OGREWATCH_PREFIX": self.prefix}
        return CliRunner().invoke(app, [*arguments], env=environment)


@pytest.fixture(scope="module")
def retained(kafka: str) -> Retained:
    made = Retained(kafka, f"t{time.time_ns()}.")
    for address in range(1, 9):
        for n in range(6 + address):
            made.add(FAILED, address, address * 60 + 2 * n)
    for address in (2, 5):
        made.add(ACCEPTED, address, address * 60 + 40)
    made.flush()
    return made


def live(rule: str, events: list[tuple[int, int, Encoded]]) -> set[str]:
    """The ids of the alerts that judging event by event raises."""
    judge, engine = Judge(RULES), StagedEngine("authentication", RULES.rules.values())
    found = set()
    for _, offset, event in sorted(events, key=lambda one: one[2].at):
        for match in engine.match([event.value]):
            changes = judge.see(match, Place(0, offset, event.at))
            found |= {change.alert.id for change in changes if change.rule.name == rule}
    return found


@pytest.mark.parametrize(("rule", "number"), [("ssh_guessing", 5), ("guessed_in", 2), ("ssh_spray", 0)])
def test_a_backtest_raises_the_alerts_that_are_raised_live(retained: Retained, rule: str, number: int) -> None:
    result = retained.run(rule, "--json", "--since", "2h")
    found: dict[str, Any] = orjson.loads(result.stdout)
    ids = {alert["id"] for alert in found["alerts"]}
    assert ids == live(rule, retained.events)
    assert (len(ids), found["events"], found["alert_count"]) == (number, len(retained.events), number)
    assert sum(found["alerts_per_hour"].values()) == number


def test_only_what_came_since_is_judged(retained: Retained) -> None:
    def found() -> tuple[int, list[Any]]:
        told = orjson.loads(retained.run("ssh_guessing", "--json", "--since", "1s").stdout)
        return told["events"], told["alerts"]

    until(lambda: found() == (0, []))


def test_people_are_told_who_and_how_often(retained: Retained) -> None:
    output = retained.run("ssh_guessing", "--since", "2h").output
    assert "5 alerts" in output
    assert "source.ip 192.0.2.8" in output


def test_a_draft_in_a_file_is_judged(retained: Retained, tmp_path: Path) -> None:
    (draft := tmp_path / "draft.yml").write_text(
        "title: Root fails\nname: root_fails\nid: 6f0d4f4e-0002-4000-8000-0000000000aa\n"
        "logsource: {product: ogrewatch, category: authentication}\n"
        "detection: {root: {user.name: root, event.outcome: failure}, condition: root}\n"
    )
    found = orjson.loads(retained.run(str(draft), "--json", "--since", "2h").stdout)
    assert (found["rule"], found["alert_count"], found["matches"]) == ("root_fails", 8, len(retained.events) - 2)


def test_mistakes_end_with_a_sentence(retained: Retained, tmp_path: Path) -> None:
    (broken := tmp_path / "broken.yml").write_text("title: x\n")
    for called in ("nonsense", str(broken), str(tmp_path / "absent.yml")):
        assert retained.run(called).exit_code == 2


def test_an_hour_of_the_demonstration_is_fast(kafka: str, unique: str) -> None:
    """More than 60,000 events a CPU second are aimed at; a busy machine may take three times as long."""
    made = Retained(kafka, f"{unique}.")
    for _ in range(200):
        for address in range(1, 101):
            made.add(FAILED, address, 60)
    made.flush()
    with Reader(kafka) as reader:
        found = backtest(reader, made.prefix, RULES, find(RULES, "ssh_guessing"), 1, lambda done, total: None)
    assert found.events == 20_000
    assert found.events_per_cpu_second > 20_000
