"""Differences of topics are shown and nothing is changed unasked; partitions are added only when nobody works."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from installation_kit import Place, place, until
from typer.testing import CliRunner, Result

from cli.topics import app
from topics.catalogue import CATALOGUE
from topics.kafka import admin
from topics.kafka.reader import Reader

_LINE = "<38>Oct  1 10:00:{:02d} web1 sshd[7]: Failed password for root from 192.0.2.{} port 40022 ssh2"
ROLES = ("normalize", "count", "detect", "index")


@pytest.fixture
def here(kafka: str, elasticsearch_url: str, unique: str, tmp_path: Path) -> Iterator[Place]:
    with place(kafka, elasticsearch_url, unique, tmp_path) as found:
        yield found


def run(here: Place, *arguments: str, **environment: str) -> Result:
    """A command about topics."""
    return CliRunner().invoke(app, arguments, env=here.environment | environment, catch_exceptions=False)


def test_nothing_differs_from_what_was_just_created(here: Place) -> None:
    answer = run(here, "plan")
    assert (answer.exit_code, answer.output) == (0, "Nothing differs.\n")
    assert run(here, "apply", "--yes").output == "Nothing differs.\n"


def test_what_differs_is_shown_and_changed_when_somebody_says_so(here: Place) -> None:
    name = f"{here.prefix}events.web"
    admin.set_topic(here.kafka, name, {"retention.ms": "1000", "message.timestamp.type": "CreateTime"})
    client = AdminClient({"bootstrap.servers": here.kafka})
    for future in client.delete_topics([f"{here.prefix}replay"]).values():
        future.result(30)
    until(lambda: len(json.loads(run(here, "plan", "--json").stdout)) == 3)
    shown = {(one["topic"], one["what"]): one["wanted"] for one in json.loads(run(here, "plan", "--json").stdout)}
    assert shown == {
        (name, "retention.ms"): str(7 * 86_400_000),
        (name, "message.timestamp.type"): "LogAppendTime",
        (f"{here.prefix}replay", "missing"): "2 partitions",
    }
    asked = CliRunner().invoke(app, ["apply"], env=here.environment, input="n\n")
    assert asked.exit_code == 1
    assert run(here, "plan").exit_code == 3
    assert "3 changes were made." in run(here, "apply", "--yes").output
    until(lambda: run(here, "plan").exit_code == 0)


def test_where_there_are_no_topics_all_are_missing(kafka: str, unique: str, tmp_path: Path) -> None:
    here = Place(kafka, "http://127.0.0.1:1", unique, tmp_path)
    missing = json.loads(run(here, "plan", "--json").stdout)
    assert {(one["topic"], one["what"]) for one in missing} == {
        (here.prefix + topic.name, "missing") for topic in CATALOGUE
    }


def test_a_raw_topic_is_kept_for_as_long_as_the_settings_say(here: Place) -> None:
    days = {"OGREWATCH_RAW_RETENTION": "86400"}
    assert run(here, "plan", **days).output.count("retention.ms 604800000 -> 86400000") == 2
    assert run(here, "apply", "--yes", **days).exit_code == 0
    until(lambda: run(here, "plan", **days).exit_code == 0)


def test_partitions_are_never_taken_away(here: Place) -> None:
    answer = run(here, "apply", "--yes", "--add-partitions", OGREWATCH_PARTITIONS="1")
    assert answer.exit_code == 1
    assert "more partitions than OGREWATCH_PARTITIONS says" in answer.output


@pytest.mark.kill
def test_partitions_are_added_while_nobody_works_and_everything_stays_exact(here: Place) -> None:
    more = {"OGREWATCH_PARTITIONS": "3"}
    here.send((n % 2, _LINE.format(n % 60, n % 250 + 1).encode()) for n in range(300))
    assert "normalize 300 records" in run(here, "apply", "--yes", "--add-partitions", **more).output
    with ExitStack() as stack:
        running = [stack.enter_context(here.worker(role)) for role in ROLES]
        until(lambda: len(here.documents()) == 300 and not _left(here), 200)
        refused = run(here, "apply", "--yes", "--add-partitions", **more)
        assert refused.exit_code == 1
        assert "Workers run: stop those of" in refused.output
        _stop(running)
    assert run(here, "apply", "--yes", "--add-partitions", **more).exit_code == 0
    assert set(admin.partitions_of(here.kafka, here.prefix).values()) == {1, 3}  # the topic of rules has one

    here.environment |= more
    assert run(here, "plan").exit_code == 0
    with ExitStack() as stack:
        for role in ROLES:
            stack.enter_context(here.worker(role))
        here.send((n % 3, _LINE.format(n % 60, n % 250 + 1).encode()) for n in range(300))
        until(lambda: len(here.documents()) == 600 and not _left(here), 200)
        until(lambda: here.json("ledger", "--verify")["balanced"], 60)


def _left(here: Place) -> int:
    with Reader(here.kafka) as reader:
        return sum(reader.left(role, here.prefix) for role in ROLES)


def _stop(running: list[subprocess.Popen[bytes]]) -> None:
    for process in running:
        process.send_signal(signal.SIGTERM)
    for process in running:
        assert process.wait(120) == 0
