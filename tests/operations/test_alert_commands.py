"""`ogrewatch alerts` on a real Elasticsearch and a real Kafka."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from agents.settings import Settings
from cli.alerts import app
from sinks.elasticsearch.alerts import AlertSink, News
from topics.catalogue import ACTS
from topics.kafka.admin import create_topics
from topics.kafka.reader import Reader
from topics.records.acts import Act, decode

IDS = [f"{number:02x}{'ab' * 15}" for number in range(3)]
Run = Callable[..., Result]


def document(number: int) -> dict[str, Any]:
    evidence = [{"id": "raw.syslog-0-7", "at": "2026-11-24T10:00:00.000Z", "line": "a \x1b[31m line"}]
    about = {"level": ("high", "low", "low")[number], "rule": "mine", "revision": 1, "count": 7, "evidence": evidence,
             "runbook": "Ask them."}  # fmt: skip
    return {
        "@timestamp": f"2026-11-24T10:0{number}:00.000Z", "message": f"Alert {number} of root",
        "event": {"kind": "alert", "id": IDS[number], "reason": "7 events match mine"},
        "rule": {"id": "r", "author": ["Ann", "Bob"], "license": "DRL-1.1", "reference": "https://rules.example/1"},
        "ogrewatch": {"alert": about},
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(kafka: str, elasticsearch_url: str) -> Settings:
    name = f"t{time.time_ns()}"
    create_topics(kafka, prefix=f"{name}.", partitions=1, replication=1)
    made = Settings(kafka=kafka, elasticsearch=elasticsearch_url, prefix=f"{name}.", namespace=name)

    async def store() -> None:
        sink = AlertSink(made.elasticsearch, made.namespace)
        assert not await sink.write({IDS[number]: News([document(number)]) for number in range(3)})
        await sink.refresh()
        await sink.close()

    asyncio.run(store())
    return made


@pytest.fixture
def run(site: Settings) -> Run:
    environment = {
        "OGREWATCH_KAFKA": site.kafka, "OGREWATCH_ELASTICSEARCH": site.elasticsearch,
        "OGREWATCH_PREFIX": site.prefix, "OGREWATCH_NAMESPACE": site.namespace,
    }  # fmt: skip
    return lambda *arguments, **more: CliRunner().invoke(app, arguments, env=environment | more)


def acts(site: Settings) -> list[Act]:
    topic = site.prefix + ACTS.name
    with Reader(site.kafka) as reader:
        return [decode(message.value()) for message in reader.read(topic, reader.bounds(topic))]


def test_alerts_are_listed_and_exported(run: Run) -> None:
    rows = run("list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == [identity[:12] for identity in IDS]
    assert "Alert 2 of root" in rows[-1]
    assert len(run("list", "--severity", "low", "--limit", "1").stdout.splitlines()) == 1
    assert orjson.loads(run("list", "--rule", "other", "--json").stdout)["total"] == 0
    exported = [orjson.loads(line) for line in run("export").stdout.splitlines()]
    assert [one["id"] for one in exported] == IDS[::-1]
    assert run("list", "--state", "closed").stdout == ""


def test_an_alert_is_shown_with_what_it_rests_on_and_who_wrote_the_rule(run: Run) -> None:
    output = run("show", IDS[0][:6]).stdout
    for text in ("Alert 0 of root", "7 events match mine", "Ann, Bob, DRL-1.1", "https://rules.example/1", "Ask them.",
                 "raw.syslog-0-7"):  # fmt: skip
        assert text in output
    assert "\x1b" not in output


def test_acts_are_written_down(run: Run, site: Settings) -> None:
    assert run("ack", IDS[0], IDS[1][:8], "--note", "mine", "--assignee", "ann").exit_code == 0
    assert run("close", IDS[0], "--verdict", "false_positive").exit_code == 0
    assert run("reopen", IDS[0]).exit_code == 0
    assert run("note", IDS[2], "--note", "asked").exit_code == 0
    found = acts(site)
    assert [(act.alert, act.kind, act.comment, act.verdict) for act in found] == [
        (IDS[0], "acknowledge", "mine", ""), (IDS[1], "acknowledge", "mine", ""),
        (IDS[0], "close", "", "false_positive"), (IDS[0], "reopen", "", ""), (IDS[2], "note", "asked", ""),
    ]  # fmt: skip
    assert all("@" in act.by for act in found)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("ack", "ff" * 16), "No alert has an id that begins with"),
        (("show", "0"), "is no id of an alert"),
        (("show", "../../x"), "is no id of an alert"),
        (("note", IDS[0], "--note", ""), "a note has a comment"),
        (("close", IDS[0], "--note", "x" * 5000), "is longer than 4096"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, says in result.output) == (1, True), result.output


def test_a_server_that_is_away_is_one_sentence_at_once(run: Run) -> None:
    begin = time.monotonic()
    result = run("list", OGREWATCH_ELASTICSEARCH="http://127.0.0.1:9")
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert result.output.startswith("Elasticsearch does not answer (Connection refused)")
    assert time.monotonic() - begin < 10
