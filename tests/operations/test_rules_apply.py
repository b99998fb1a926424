"""`ogrewatch rules add sigma`, `apply`, `silence`: what is imported, put into force on a real Kafka, and expected."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.settings import Settings
from alerts.rules.load import load_folder
from cli.rules import app
from operations.rules.apply import in_force
from topics.kafka.admin import create_topics

RULE = """title: {title}
id: 7a0d4f4e-0002-4000-8000-{number:012}
author: Ann Author, Bob Author
{more}
logsource: {{product: {product}, category: {category}}}
detection:
    selection:
        {selection}
    condition: selection
"""
Run = Callable[..., Result]


def rule(title: str, number: int, selection: str = "Image|endswith: /nc", product: str = "linux", **more: str) -> str:
    category = more.get("category", "process_creation")
    return RULE.format(
        title=title, number=number, selection=selection, product=product, category=category, more=more.get("more", "")
    )


@pytest.fixture
def release(tmp_path: Path) -> Path:
    files = {
        "rules/linux/nc.yml": rule("Netcat", 1, more="references: [https://example.com/a]"),
        "rules/linux/old.yml": rule("Licensed", 2, more="license: MIT"),
        "rules/linux/field.yml": rule("Field", 3, "OriginalFileName: x"),
        "rules/linux/look.yml": rule("Look", 4, "CommandLine|re: '(?<!a)b'"),
        "rules/linux/slow.yml": rule("Slow", 5, "Image: x"),
        "rules/linux/twice.yml": rule("Twice", 1),
        "rules/linux/broken.yml": "title: [",
        "rules/windows/a.yml": rule("A", 6, product="windows"),
        "rules/windows/b.yml": rule("B", 7, product="windows"),
        "rules/linux/large.yml": "#" * (300 << 10),
        "README.md": "no rule",
    }
    for name, text in files.items():
        (path := tmp_path / "release" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "release"


def test_a_release_is_imported_with_author_link_and_licence(release: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["add", "sigma", str(release), "--to", str(tmp_path / "to"), "--release", "r1"])
    assert result.exit_code == 0
    assert (
        result.output.splitlines()[-1].endswith("5 refused, 2 for other log sources.") or "6 refused" in result.output
    )
    rules = {one.about.title: one.about for one in load_folder(tmp_path / "to").rules.values()}
    assert set(rules) == {"Netcat", "Licensed"}
    netcat = rules["Netcat"]
    assert (netcat.author, netcat.license, rules["Licensed"].license) == ("Ann Author, Bob Author", "DRL-1.1", "MIT")
    assert netcat.references == (
        "https://github.com/SigmaHQ/sigma/blob/r1/rules/linux/nc.yml", "https://example.com/a",
    )  # fmt: skip
    for said in (
        "refused  rules/linux/field.yml: log source linux/process_creation has no field OriginalFileName",
        "refused  rules/linux/look.yml: SigmaRegularExpressionError: Regular expression",
        "refused  rules/linux/slow.yml: nothing in it can be looked for",
        "refused  rules/linux/twice.yml: id 7a0d4f4e-0002-4000-8000-000000000001 is there already",
        "refused  rules/linux/broken.yml: ",
        "refused  rules/linux/large.yml: ",
        "no stream is log source windows/process_creation: 2 rules",
    ):
        assert said in result.output, result.output


def test_a_folder_without_rules_imports_nothing(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["add", "sigma", str(tmp_path)]).exit_code == 1


@pytest.fixture(scope="module")
def site(kafka: str) -> Settings:
    prefix = f"t{time.time_ns()}."
    create_topics(kafka, prefix=prefix, partitions=1, replication=1)
    return Settings(kafka=kafka, prefix=prefix)


@pytest.fixture
def run(site: Settings) -> Run:
    environment = {"OGREWATCH_KAFKA": site.kafka, "OGREWATCH_PREFIX": site.prefix}
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)], env=environment)


def test_what_is_applied_is_in_force_and_changes_are_named(run: Run, site: Settings, tmp_path: Path) -> None:
    (file := tmp_path / "mine.yml").write_text(rule("Mine", 1))
    assert "added     Mine" in run("apply", tmp_path, "--dry-run").output
    assert in_force(site).files is None
    first = run("apply", tmp_path)
    assert (first.exit_code, first.output.count("\n")) == (0, 2)
    applied = in_force(site).files
    assert applied is not None
    assert (applied.files, applied.pack, "@" in applied.by) == ({"mine.yml": file.read_text()}, True, True)
    assert ", 0 changes" in run("apply", tmp_path).output
    file.write_text(rule("Mine", 1, "Image|endswith: /ncat"))
    (tmp_path / "other.yml").write_text(rule("Other", 2))
    assert run("apply", tmp_path).output.splitlines()[:2] == ["added     Other", "changed   Mine (it counts anew)"]
    file.write_text(rule("My own", 1, "Image|endswith: /ncat"))
    assert run("apply", tmp_path).output.splitlines()[0] == "reworded  My own"
    alone = run("apply", tmp_path, "--no-pack").output
    assert "removed   ssh_guessing" in alone
    assert "2 rules are in force" in alone


def test_nothing_is_applied_while_a_rule_cannot_be_used(run: Run, site: Settings, tmp_path: Path) -> None:
    before = in_force(site)
    for text in ("title: [", rule("Slow", 9, "Image: x"), rule("Windows", 9, product="windows")):
        (tmp_path / "mine.yml").write_text(text)
        result = run("apply", tmp_path)
        assert (result.exit_code, "nothing was applied" in result.output) == (1, True)
    (tmp_path / "mine.yml").write_bytes(b"\xff")
    assert run("apply", tmp_path).exit_code == 1
    (tmp_path / "mine.yml").unlink()
    assert run("apply", tmp_path, "--no-pack").exit_code == 1
    assert in_force(site) == before


def test_a_rule_is_silenced_and_the_silence_ended(run: Run, site: Settings) -> None:
    run("apply")
    made = run("silence", "ssh_guessing", "--for", "2h", "--reason", "a test", "--only", "source.ip=192.0.2.7")
    identity = made.output.split()[0]
    (silence,) = in_force(site).silences.values()
    now = time.time_ns() // 1_000_000
    assert silence.covers(silence.rule, {"source.ip": "192.0.2.7"}, now)
    assert not silence.covers(silence.rule, {"source.ip": "192.0.2.8"}, now)
    assert not silence.covers(silence.rule, {"source.ip": "192.0.2.7"}, now + 7_300_000)
    assert "a test" in run("silences").output
    assert run("unsilence", identity).exit_code == 0
    assert run("silences").output == ""
    assert not in_force(site).silences
    assert run("unsilence", "nothing").exit_code == 1
    assert run("silence", "nothing", "--for", "2h", "--reason", "x").exit_code == 1
    assert run("silence", "ssh_guessing", "--for", "2y", "--reason", "x").exit_code == 2
    assert run("silence", "ssh_guessing", "--for", "2h", "--reason", "x", "--only", "x").exit_code == 2
