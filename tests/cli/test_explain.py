"""`ogrewatch explain`: the way of one line, for people and for scripts."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.explain import command

app = typer.Typer()
app.command()(command)
LINE = "<38>Nov 24 04:05:06 web1 sshd[7]: Failed password for root from 81.2.69.142 port 22 ssh2"


def explain(*arguments: str) -> dict[str, Any]:
    found = CliRunner().invoke(app, [*arguments, "--json"])
    assert found.exit_code == 0
    explained: dict[str, Any] = json.loads(found.stdout)
    return explained


def test_a_login_is_explained_step_by_step() -> None:
    found = explain(LINE)
    header = dict(found["header"])
    assert header.pop("@timestamp") == found["event"]["@timestamp"]
    assert header == {"host.hostname": "web1", "process.name": "sshd", "process.pid": 7, "log.syslog.priority": 38}
    assert (found["stream"], found["counted"]) == ("sshd", "1 failure at sshd")
    assert (found["topic"], found["key"]) == ("events.authentication", "81.2.69.142")
    assert found["enriched"]["source.geo.country_iso_code"] == "GB"
    assert found["rules"] == ["login_failed", "ssh_failed"]
    assert found["event"]["user"]["name"] == "root"


@pytest.mark.parametrize(("program", "stream"), [("sshd", "sshd"), ("gadgetd", "syslog.unparsed")])
def test_a_program_may_be_named(program: str, stream: str) -> None:
    found = explain("Failed password for root from 192.0.2.1 port 22 ssh2", "--program", program)
    assert (found["stream"], found["header"]["process.name"]) == (stream, program)


@pytest.mark.parametrize("line", ["", "{}", "x", "caf\udce9", '{"message": "x"}'])
def test_any_line_is_explained(line: str) -> None:
    found = explain(line)
    assert found["counted"] == "no"
    assert found["topic"] == "events.system"


def test_people_are_told_the_same() -> None:
    found = CliRunner().invoke(app, [LINE])
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["header", "enriched", "stream", "counted", "topic", "key"]
    assert lines[6].split() == ["rules", "login_failed,", "ssh_failed"]
    assert json.loads("\n".join(lines[7:]))["event"]["dataset"] == "sshd"
