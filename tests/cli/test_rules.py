"""`ogrewatch rules`: what is wrong with rules is said, tests pass and fail as they should, and all rules are listed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.rules import app

GOOD = """
title: Root logs in
name: root_login
id: 6f0d4f4e-0002-4000-8000-000000000001
level: high
logsource: {product: ogrewatch, category: authentication}
detection: {root: {user.name: root, event.outcome: failure}, condition: root}
---
ogrewatch:
    tests:
        - {expect: EXPECTED, lines: [{line: "sshd[7]: Failed password for root from 192.0.2.7 port 50 ssh2"}]}
"""
SLOW = """
title: Anything
name: anything
id: 6f0d4f4e-0002-4000-8000-000000000002
logsource: {product: ogrewatch, category: authentication}
detection: {short: {user.name|contains: x}, condition: short}
"""
UNKNOWN = 'title: "No \\e[31mid"\nlogsource: {product: ogrewatch}\ndetection: {a: {user.name: root}, condition: a}\n'
Run = Callable[..., Result]


@pytest.fixture
def rules(tmp_path: Path) -> Run:
    """Runs a command on a folder with one file of the text given."""

    def run(command: str, text: str) -> Result:
        (tmp_path / "mine.yml").write_text(text)
        return CliRunner().invoke(app, [command, str(tmp_path)])

    return run


def good(expected: object = 1) -> str:
    return GOOD.replace("EXPECTED", str(expected))


def test_the_packaged_rules_are_checked_and_listed_by_default() -> None:
    assert CliRunner().invoke(app, ["check"]).exit_code == 0
    lines = CliRunner().invoke(app, ["list"]).output.splitlines()
    assert (lines[0].split()[0], lines[-1].split()[0]) == ("high", "informational")
    assert any(line.split()[:3] == ["informational", "login_failed", "event"] for line in lines)
    assert any("ssh_guessing" in line and "event_count" in line for line in lines)


def test_a_good_rule_passes_and_is_listed(rules: Run) -> None:
    assert rules("check", good()).exit_code == 0
    result = rules("test", good())
    assert (result.exit_code, result.output.splitlines()[0]) == (0, "passed  root_login 1")
    assert rules("list", good()).output.split() == ["high", "root_login", "event", "Root", "logs", "in"]


def test_a_refused_rule_is_named_with_its_reason(rules: Run) -> None:
    for command in ("check", "test"):
        result = rules(command, f"{good()}---\n{UNKNOWN}")
        assert result.exit_code == 1
        assert "mine.yml" in result.output
        assert "there is no id" in result.output
        assert "\x1b" not in result.output


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00", "title: x"])
def test_a_file_that_is_no_rule_is_named(rules: Run, text: str) -> None:
    result = rules("check", text)
    assert (result.exit_code, result.output.startswith("mine.yml: ")) == (1, True), result.output


def test_a_rule_without_a_literal_is_a_problem_unless_it_is_allowed(rules: Run) -> None:
    result = rules("check", SLOW)
    assert result.exit_code == 1
    assert result.output.startswith("anything: has no literal")
    assert rules("check", f"{SLOW}---\nogrewatch: {{allow_slow: true}}\n").exit_code == 0


@pytest.mark.parametrize("expected", [0, 2])
def test_a_test_with_another_number_of_alerts_fails(rules: Run, expected: int) -> None:
    result = rules("test", good(expected))
    assert result.exit_code == 1
    assert f"FAILED  root_login 1  1 alerts instead of {expected}" in result.output


@pytest.mark.parametrize("line", ["{times: x}", "{wait: .inf}", "{every: -1}", "{times: 100001}", "{lien: x}", "3"])
def test_a_test_that_cannot_be_run_fails_with_a_reason(rules: Run, line: str) -> None:
    result = rules("test", f"{good()}        - {{expect: 0, lines: [{line}]}}\n")
    assert result.exit_code == 1
    assert "FAILED  root_login 2  a" in result.output or "FAILED  root_login 2  `" in result.output
    assert "1 tests passed, 1 failed" in result.output


def test_a_folder_without_rules_and_a_folder_that_is_none_are_no_success(tmp_path: Path) -> None:
    for command in ("check", "test"):
        assert CliRunner().invoke(app, [command, str(tmp_path)]).exit_code == 1
        assert CliRunner().invoke(app, [command, str(tmp_path / "absent")]).exit_code == 2
