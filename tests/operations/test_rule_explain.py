"""`ogrewatch rules explain`: the test that failed is named with the value that was seen, and windows say how full."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from cli.rules import app

FAILED = "<38>Oct  1 10:00:{:02} web1 sshd[7]: Failed password for root from 192.0.2.7 port 50 ssh2"
ACCEPTED = "<38>Oct  1 10:00:30 web1 sshd[7]: Accepted password for bob from 192.0.2.7 port 50 ssh2"
MINE = """
title: Mine
name: mine
id: 6f0d4f4e-0002-4000-8000-000000000001
logsource: {product: ogrewatch, category: authentication}
detection:
    who: {SELECTION}
    not_who: {OTHER}
    condition: who and not not_who
"""


def explain(*arguments: str) -> dict[str, list[dict[str, object]]]:
    result = CliRunner().invoke(app, ["explain", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    found: dict[str, list[dict[str, object]]] = orjson.loads(result.output)
    return found


def mine(folder: Path, selection: str, other: str, line: str) -> list[object]:
    (folder / "mine.yml").write_text(MINE.replace("SELECTION", selection).replace("OTHER", other))
    (one,) = explain("mine", line, "--folder", str(folder))["judged"]
    why = one["why"]
    assert isinstance(why, list)
    assert one["holds"] is not bool(why)
    return why


@pytest.mark.parametrize(
    ("selection", "other", "why"),
    [
        ("user.name: root", "user.name: bob", []),
        ("user.name: bob", "event.outcome: success", ["user.name is 'bob': no; the event has 'root'"]),
        ("user.name|contains: [a, b]", "user.name: x",
         ["user.name contains 'a': no; the event has 'root'", "user.name contains 'b': no; the event has 'root'"]),
        ("user.name: root", "source.port|gte: 50",
         ["source.port >= 50: yes, but it must not; the event has '50'"]),
        ("user.effective.name|exists: true", "user.name: x",
         ["user.effective.name is there: no; the event has (absent)"]),
        ("source.ip|cidr: 198.51.100.0/24", "user.name: x",
         ["source.ip is in 198.51.100.0/24: no; the event has '192.0.2.7'"]),
        ("user.name|fieldref: host.hostname", "user.name: x",
         ["user.name is the value of host.hostname: no; the event has user.name 'root'; host.hostname 'web1'"]),
        ("user.name|re: '^bob$'", "user.name: x", ["user.name matches the pattern '^bob$': no; the event has 'root'"]),
        ("user.name: 'b*b?y'", "user.name: x", ["user.name is like 'b*b?y': no; the event has 'root'"]),
        ("user.name|cased: Root", "user.name: x", ["user.name is 'Root' (case counts): no; the event has 'root'"]),
    ],
)  # fmt: skip
def test_the_test_that_failed_is_named(tmp_path: Path, selection: str, other: str, why: list[str]) -> None:
    assert mine(tmp_path, selection, other, FAILED.format(1)) == why


def test_a_line_of_another_log_source_is_named_so() -> None:
    (one,) = explain("sudo_refused", FAILED.format(1))["judged"]
    assert "the event has 'sshd'" in str(one["why"]) or "the event has sshd" in str(one["why"])


def test_a_near_miss_of_a_correlation_says_how_full_its_window_is() -> None:
    found = explain("ssh_guessing", *(FAILED.format(second) for second in range(9)), ACCEPTED)
    assert [one["holds"] for one in found["judged"]] == [True] * 9 + [False]
    (group,) = found["groups"]
    assert (group["group"], group["found"], group["wanted"], group["alert"]) == (
        {"source.ip": "192.0.2.7"},
        9,
        ">= 10",
        "",
    )
    assert str(group["begin"]).endswith("10:00:00.000Z") or "10:00:00" in str(group["begin"])


def test_a_window_that_is_full_names_its_alert() -> None:
    found = explain("ssh_guessing", *(FAILED.format(second) for second in range(10)))
    assert (found["groups"][0]["found"], len(str(found["groups"][0]["alert"]))) == (10, 32)


def test_stages_in_order_are_counted() -> None:
    found = explain("guessed_in", *(FAILED.format(second) for second in range(6)))
    assert [(group["found"], group["wanted"], group["alert"]) for group in found["groups"]] == [
        (1, "all 2 in this order", "")
    ]


def test_people_are_told_the_same_and_nothing_is_terminal_code(tmp_path: Path) -> None:
    (lines := tmp_path / "lines.log").write_text(FAILED.format(1).replace("root", "\x1b[31mroot") + "\n")
    result = CliRunner().invoke(app, ["explain", "ssh_spray", "--file", str(lines)])
    assert "1 of >= 10" in result.output
    assert "\x1b" not in result.output
    assert CliRunner().invoke(app, ["explain", "nonsense"]).exit_code == 2
