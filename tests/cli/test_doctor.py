"""What `ogrewatch doctor` finds well and amiss, on this machine as it is."""

import socket
import sys
import tomllib
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner

from agents.settings import Settings
from cli import doctor
from operations.doctor import OUR_PACKAGES, Finding, kafka_answers
from operations.printable import without_credentials
from stack.ports import HOST, free_port

app = typer.Typer()
app.command()(doctor.command)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of an installation that is not running."""
    monkeypatch.setenv("OGREWATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OGREWATCH_KAFKA", f"{HOST}:{free_port()}")
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH", f"http://{HOST}:{free_port()}")


def findings() -> tuple[int, dict[str, Finding]]:
    result = CliRunner().invoke(app, ["--json"])
    return result.exit_code, {entry["name"]: Finding(**entry) for entry in orjson.loads(result.stdout)}


def test_all_is_well_with_servers(kafka: str, elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OGREWATCH_KAFKA", kafka)
    monkeypatch.setenv("OGREWATCH_ELASTICSEARCH", elasticsearch_url)
    code, found = findings()
    assert [finding.says for finding in found.values() if not finding.ok] == []
    assert code == 0
    assert found["Kafka"].says == f"Answers at {kafka}, not started by `ogrewatch up`."
    assert {"Python", "Package names", "GeoIP reader", "Java", "Maven", "Cache", "Elasticsearch"} <= found.keys()


def test_absent_servers_are_told() -> None:
    code, found = findings()
    assert code == 1
    assert not found["Kafka"].ok
    assert "run `ogrewatch up`, or set OGREWATCH_KAFKA." in found["Kafka"].says
    assert "run `ogrewatch up`, or set OGREWATCH_ELASTICSEARCH." in found["Elasticsearch"].says


def test_a_port_of_another_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("OGREWATCH_ELASTICSEARCH", f"http://{HOST}:{port}")
        _, found = findings()
    assert found["Elasticsearch"].says == (
        f"Port {port} is taken: end the program that has it, or choose another port with OGREWATCH_ELASTICSEARCH."
    )


def test_an_intruder_in_our_packages_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (
        ("agents/intruder.py", ""),
        ("intruder-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: intruder\nVersion: 1\n"),
        ("intruder-1.dist-info/RECORD", "agents/intruder.py,,\n"),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    code, found = findings()
    assert code == 1
    assert "intruder (agents)" in found["Package names"].says


def test_no_java_and_no_maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("OGREWATCH_CACHE", str(tmp_path))
    _, found = findings()
    assert found["Java"].says.startswith("Java is missing: install a JDK")
    assert found["Maven"].says.startswith("Maven is missing: install it")
    assert found["Cache"].ok
    assert "will be fetched" in found["Cache"].says


def test_people_read_a_line_for_each() -> None:
    result = CliRunner().invoke(app)
    lines = result.stdout.splitlines()
    assert all(line[0] in "✓✗" for line in lines)
    assert result.exit_code == 1


def test_our_packages_are_those_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == OUR_PACKAGES


def test_passwords_are_not_shown() -> None:
    assert without_credentials("http://me:secret@a.example.com:9200,https://b.example.com") == (
        "http://a.example.com:9200,https://b.example.com"
    )


def test_records_that_one_disk_has_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topics.kafka.client.answers", lambda _: True)
    monkeypatch.setattr("topics.kafka.admin.weakly_acknowledged", lambda *_: ["raw.syslog"])
    kafka, replicas = kafka_answers(Settings())
    assert (kafka.ok, replicas.ok) == (True, False)
    assert replicas.says == "min.insync.replicas is 1 for raw.syslog: set it to 2 with kafka-configs.sh."
