"""Commands while a server is away: one sentence, at once, and no library's own words."""

import subprocess
import time

import pytest

from operations.process import command_line
from stack.ports import HOST, free_port

_NOT_OURS = ("urllib3", "HTTPConnection", "caused by", "%3|", "rdkafka", "KafkaError", "Traceback")


def _run(environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command_line(*arguments), capture_output=True, text=True, timeout=120, env=environment)


def _cost(environment: dict[str, str], *arguments: str) -> float:
    begin = time.monotonic()
    _run(environment, *arguments)
    return time.monotonic() - begin


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("ping",), 1), (("ledger",), 2), (("deadletter", "list"), 1), (("deadletter", "replay", "--all", "--yes"), 1)],
)
def test_kafka_that_is_away_is_said_at_once(arguments: tuple[str, ...], status: int) -> None:
    where = f"{HOST}:{free_port()}"
    environment = {"OGREWATCH_KAFKA": where, "OGREWATCH_ELASTICSEARCH": f"http://{HOST}:{free_port()}"}
    usual = _cost(environment, arguments[0], "--help")
    begin = time.monotonic()
    done = _run(environment, *arguments)
    assert time.monotonic() - begin < 3 * usual + 3
    said = f"Kafka at {where} does not answer. Is it running? `ogrewatch up` starts one.\n"
    assert (done.returncode, done.stdout, done.stderr) == (status, "", said)


def test_elasticsearch_that_is_away_is_said(kafka: str, unique: str) -> None:
    environment = {
        "OGREWATCH_KAFKA": kafka,
        "OGREWATCH_PREFIX": f"{unique}.",
        "OGREWATCH_ELASTICSEARCH": f"http://{HOST}:{free_port()}",
    }
    assert _run(environment, "topics", "create").returncode == 0
    done = _run(environment, "ledger")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Elasticsearch does not answer (Connection refused). Is it running?\n"
    assert not [word for word in _NOT_OURS if word in done.stderr]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("stats",), ("stats", "--watch"), ("search", "x"), ("tap",), ("top",), ("status",)),
        ("explain", "--id", "raw.syslog-0-1"),
    ],
)
def test_a_web_role_that_is_away_is_said_at_once(arguments: tuple[str, ...]) -> None:
    away = str(free_port())
    environment = {
        "OGREWATCH_WEB_PORT": away,
        "OGREWATCH_KAFKA": f"{HOST}:{away}",
        "OGREWATCH_ELASTICSEARCH": f"http://{HOST}:{away}",
    }
    usual = _cost(environment, arguments[0], "--help")
    begin = time.monotonic()
    done = _run(environment, *arguments)
    assert time.monotonic() - begin < 3 * usual + 3
    said = f"Nobody answers at http://{HOST}:{away} (Connection refused). Is `ogrewatch worker web` running?"
    told = " ".join(f"{done.stdout} {done.stderr}".split())
    assert (done.returncode, said in told) == (1, True)
    assert not [word for word in _NOT_OURS if word in told]
