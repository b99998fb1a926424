"""`ogrewatch parse`: one event for each line, whatever the lines are; and what it says of a file of logs."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.parse import command
from operations.coverage import masked

FAILED = "Failed password for root from 192.0.2.1 port 22 ssh2"
app = typer.Typer()
app.command()(command)


def parse(lines: bytes, *arguments: str) -> list[dict[str, Any]]:
    found = CliRunner().invoke(app, [*arguments], input=lines, catch_exceptions=False)
    assert found.exit_code == 0
    return [json.loads(line) for line in found.stdout_bytes.split(b"\n")[:-1]]


def test_a_line_is_an_event() -> None:
    lines = f"<38>Nov 24 04:05:06 h sshd[7]: {FAILED}\n\nsomething\r\n\x00\xff".encode("latin-1")
    events = parse(lines)
    assert [event.get("process", {}).get("pid") for event in events] == [7, None, None, None]
    assert [event["event"]["kind"] for event in events] == ["event", "pipeline_error", "event", "event"]
    assert events[2]["event"]["original"] == "something"


@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_a_file_is_parsed(tmp_path: Path, name: str) -> None:
    path, text = tmp_path / name, f"<38>Nov 24 04:05:06 h sshd[7]: {FAILED}\n".encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert [event["process"]["pid"] for event in parse(b"", str(path))] == [7]
    assert parse(text, "-") == parse(b"", str(path))


def test_a_file_that_cannot_be_parsed_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 100_000)[:50])
    for arguments in ([str(tmp_path / "absent")], [str(tmp_path)], [str(broken)], ["a", "--coverage", "b"]):
        found = CliRunner().invoke(app, arguments)
        assert found.exit_code == 2


def jsonl(*lines: str | dict[str, Any]) -> list[dict[str, Any]]:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    events = parse(text.encode("utf-8", "surrogateescape"), "--jsonl")
    assert len(events) == len(lines)
    return events


def test_an_object_is_a_line_and_its_program() -> None:
    named, headed, both, record = jsonl(
        {"message": FAILED, "program": "sshd"},
        {"message": f"Nov 24 04:05:06 h sshd[7]: {FAILED}"},
        {"message": f"Nov 24 04:05:06 h sshd[7]: {FAILED}", "program": "sshd", "more": 1},
        {"message": json.dumps({"MESSAGE": FAILED, "SYSLOG_IDENTIFIER": "sshd", "_HOSTNAME": "h"}), "program": None},
    )
    for event in (named, headed, both, record):
        assert (event["event"]["dataset"], event["source"]["ip"]) == ("sshd", "192.0.2.1")
    for event in (headed, both, record):
        assert event["host"]["hostname"] == "h"


@pytest.mark.parametrize(
    ("line", "original"),
    [
        ("", None), ("{", "{"), ("5", "5"), ("[]", "[]"), ("null", "null"), ("{}", "{}"), ("caf\udce9", "caf\\xe9"),
        ('{"message": 5}', '{"message": 5}'), ('{"program": "sshd"}', '{"program": "sshd"}'),
        ('{"message": null}', '{"message": null}'), ('{"message": "x", "program": 7}', "x"), ("[" * 5000, "[" * 5000),
        ('{"message": "x", "program": ["sshd"]}', "x"),
    ],
)  # fmt: skip
def test_what_is_no_such_object_is_an_error(line: str, original: str | None) -> None:
    before, event, after = jsonl({"message": "a"}, line, {"message": "b"})
    assert (before["message"], after["message"]) == ("a", "b")
    assert event["event"]["kind"] == "pipeline_error"
    assert event["event"].get("original") == original
    assert event["error"]["message"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"\\ud800 x"', "\\ud800 x"), ('"a\x01b"', "a\x01b"), ('"a\\u0000b"', "a\x00b"), ('"\udcff"', "\\udcff"),
        ('"a\\nb"', "a\nb"), ('"x", "n": NaN', "x"), ('"x", "message": "y"', "y"), ('"x", "n": 1e999', "x"),
    ],
)  # fmt: skip
def test_odd_json_is_read_all_the_same(text: str, message: str) -> None:
    (event,) = jsonl('{"message": ' + text + "}")
    assert (event["event"]["kind"], event["message"]) == ("event", message)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b" ")), min_size=1, max_size=30))
def test_as_many_events_as_lines(lines: list[bytes]) -> None:
    for arguments in ([], ["--jsonl"]):
        events = parse(b"\n".join(lines) + b"\n", *arguments)
        assert len(events) == len(lines)
        assert all("@timestamp" in event and "kind" in event["event"] for event in events)


LOG = "".join(
    [f"Nov 24 04:05:0{at} h sshd[{at}]: {FAILED}\n" for at in range(8)]
    + [f"Nov 24 04:05:06 h sshd[7]: strange 0x{at}f [2001:db8::{at}]:22\n" for at in range(1, 3)]
    + ["Nov 24 04:05:06 h gadgetd: \x1b[31mred\n", "\n"]
)


@pytest.mark.parametrize("name", ["x.log", "x.log.gz"])
def test_coverage(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(LOG.encode()) if name.endswith("gz") else LOG.encode())
    (report,) = parse(b"", "--coverage", str(path), "--json", "--limit", "2")
    assert {name: report[name] for name in ("lines", "understood", "share", "errors", "of_no_stream")} == {
        "lines": 12, "understood": 8, "share": 0.6667, "errors": 1, "of_no_stream": 2,
    }  # fmt: skip
    assert report["streams"] == [{"stream": "sshd", "lines": 10, "understood": 8, "share": 0.8}]
    shapes = [(row["lines"], row["program"], row["shape"]) for row in report["shapes"]]
    assert shapes == [(2, "sshd", "strange HEX [ADDRESS]:N"), (1, "gadgetd", "\x1b[Nmred")]
    assert report["shapes"][0]["example"].endswith("strange 0x1f [2001:db8::1]:22")


def test_coverage_for_people_obeys_no_line() -> None:
    found = CliRunner().invoke(app, ["--coverage", "-"], input=LOG)
    assert found.exit_code == 0
    assert "80.0%" in found.output
    assert "[Nmred" in found.output
    assert "\x1b[" not in found.output


def test_coverage_of_records() -> None:
    lines = b'{"message": "' + FAILED.encode() + b'", "program": "sshd"}\nnot JSON\n'
    (report,) = parse(lines, "--coverage", "-", "--json", "--jsonl")
    assert (report["lines"], report["understood"]) == (2, 1)


def test_coverage_of_nothing(tmp_path: Path) -> None:
    (report,) = parse(b"", "--coverage", "-", "--json")
    assert (report["lines"], report["share"], report["streams"], report["shapes"]) == (0, 0.0, [], [])
    assert CliRunner().invoke(app, ["--coverage", str(tmp_path / "none")]).exit_code == 2


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("from 192.0.2.1 port 22", "from ADDRESS port N"),
        ("192.0.2.1:22 -> [::1]:80.", "ADDRESS:N -> [ADDRESS]:N."),
        ("at 04:05:06", "at N:N:N"),
        ("id deadbeef01 cafebabe 0xff", "id HEX cafebabe HEX"),
        ("host12 v1.2.3", "hostN vN.N.N"),
        ("x" * 1000, "x" * 160),
    ],
)
def test_shapes(message: str, shape: str) -> None:
    assert masked(message) == shape
