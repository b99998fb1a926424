"""What the command line says of settings that cannot be, and of variables that are none."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agents.settings import Settings
from cli.variables import warnings
from ingest.amqp.settings import AmqpSettings
from ingest.settings import IngestSettings
from topics.environment import BadSettings, is_service_link

SECRET = "s3cret-of-somebody"


def ogrewatch(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    program = "from cli.main import main; main()"
    named = {f"OGREWATCH_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=os.environ | named, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("KEEP", "banana", "'banana' must be a valid number. It is: How long a window"),
        ("KEEP", "inf", "'inf' must be a finite number."),
        ("KEEP", "0", "'0' must be greater than 0."),
        ("PARTITIONS", "2.5", "'2.5' must be a valid integer."),
        ("WEB_PORT", "70000", "'70000' must be less than or equal to 65535."),
        ("WEB_PORT", "tcp:8090", "'tcp:8090' must be a valid integer."),
        ("LOG_LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'."),
        ("ZONE", "Mars/Olympus", "there is no such time zone."),
        ("ZONE", "../../etc/passwd", "there is no such time zone."),
        ("PREFIX", "a b", "Kafka's names have letters"),
        ("NAMESPACE", "a-b", "data streams' names have no capitals"),
        ("KAFKA", "localhost:banana", "servers are host:port, comma separated."),
        ("KAFKA", "", "servers are host:port, comma separated."),
        ("ELASTICSEARCH", f"ftp://elastic:{SECRET}@es1.example.com", "URLs are http://host:port or https://host:port"),
        ("ELASTICSEARCH", f"http://elastic:{SECRET}@es1:x", "URLs are http://host:port or https://host:port"),
        ("QUERY_URL", "127.0.0.1:6066", "URLs are http://host:port or https://host:port"),
    ],
)
def test_a_setting_that_cannot_be_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"OGREWATCH_{name}", value)
    with pytest.raises(BadSettings) as told:
        Settings()
    assert str(told.value).startswith(f"OGREWATCH_{name}: ")
    assert sentence in str(told.value)
    assert SECRET not in str(told.value)


def test_settings_of_the_receivers_say_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_INGEST_RATE", "nan")
    monkeypatch.setenv("OGREWATCH_AMQP_PREFETCH", "0")
    with pytest.raises(BadSettings, match="OGREWATCH_INGEST_RATE: 'nan' must be a finite number"):
        IngestSettings()
    with pytest.raises(BadSettings, match="OGREWATCH_AMQP_PREFETCH: '0' must be greater than or equal to 1"):
        AmqpSettings(password=SECRET)


def test_several_mistakes_are_as_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_KEEP", "x")
    monkeypatch.setenv("OGREWATCH_COUNT_PORT", "y")
    with pytest.raises(BadSettings) as told:
        Settings()
    assert [line.partition(":")[0] for line in str(told.value).splitlines()] == [
        "OGREWATCH_KEEP",
        "OGREWATCH_COUNT_PORT",
    ]


@pytest.mark.parametrize("command", [("worker",), ("stats",), ("doctor",), ("worker", "web", "--bare")])
def test_a_command_ends_with_the_sentence_and_status_2(command: tuple[str, ...]) -> None:
    ended = ogrewatch(*command, KEEP="banana")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("OGREWATCH_KEEP: 'banana' must be")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WEB_HOST", "0.0.0.0", "OGREWATCH_WEB_HOST: 0.0.0.0 is reached from other machines"),
        ("INGEST_HOST", "0.0.0.0", "0.0.0.0 is reached from other machines"),
        ("SECRET_FILE", "/dev/null", "OGREWATCH_SECRET and _SECRET_FILE are both set: one of them is meant."),
    ],
)
def test_workers_that_anybody_could_ask_do_not_start(tmp_path: Path, name: str, value: str, says: str) -> None:
    ended = ogrewatch("worker", DATA_DIR=str(tmp_path), SECRET=SECRET * 2, **{name: value})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(says)
    assert SECRET not in ended.stderr


def test_a_service_link_is_ignored_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    links = {"WEB_PORT": "tcp://10.0.0.1:8090", "WEB_PORT_8090_TCP_ADDR": "10.0.0.1", "WEB_SERVICE_HOST": "10.0.0.1"}
    ended = ogrewatch("explain", "x", **links)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.startswith("OGREWATCH_WEB_PORT is a Service link of Kubernetes, not a setting, and is ignored")
    assert len(ended.stderr.splitlines()) == 1
    monkeypatch.setenv("OGREWATCH_INGEST_PORT", "udp://[2001:db8::1]:514")
    monkeypatch.setenv("OGREWATCH_COUNT_PORT", "tcp://10.0.0.1:6066")
    assert (IngestSettings().port, Settings().count_port) == (8080, 6066)


def test_unknown_variables_are_named_and_their_values_are_not() -> None:
    environment = {
        "OGREWATCH_KEPT": SECRET, "OGREWATCH_XYZZY": SECRET, "OGREWATCH_KAFKA_PASSWORD_FILE": "x",
        "OGREWATCH_ELASTICSEARCH_CA": "x", "OGREWATCH_AMQP_URL": "x", "OGREWATCH_CACHE": "x",
        "OGREWATCH_TEST_KAFKA": "x", "OGREWATCH_PORT": "tcp://10.0.0.1:80", "OGREWATCH_SERVICE_HOST": "10.0.0.1",
        "OGREWATCH_KAFKA_PORT_9092_TCP": "tcp://10.0.0.1:9092", "OTHER": "x",
    }  # fmt: skip
    assert list(warnings(environment)) == [
        "OGREWATCH_KEPT is no setting of Ogrewatch's, and is ignored; is OGREWATCH_KEEP meant?",
        "OGREWATCH_XYZZY is no setting of Ogrewatch's, and is ignored.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "link"),
    [
        ("OGREWATCH_WEB_PORT", "8090", False),
        ("OGREWATCH_WEB_PORT", "tcp://10.0.0.1:8090/x", False),
        ("OGREWATCH_WEB_HOST", "tcp://10.0.0.1:8090", False),
        ("OGREWATCH_SERVICE_PORT_HTTP", "80", True),
        ("OGREWATCH_PORT_80_TCP_PROTO", "tcp", True),
    ],
)
def test_service_links_are_told_by_name_and_value(name: str, value: Any, link: bool) -> None:
    assert is_service_link(name, value) is link
