"""`ogrewatch new-stream`: what it writes is a stream that passes the checks of all streams."""

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

import streams
from cli.new_stream import command
from streams import samples
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.registry import discover

PROJECT = Path(streams.__file__).parent.parent
app = typer.Typer()
app.command()(command)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("streams", "tests/streams"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def discovered(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, its streams found like ours."""
    monkeypatch.setattr(streams, "__path__", [*streams.__path__, str(root / "streams")])
    yield root
    for module in [name for name in sys.modules if name.startswith("streams.gadget")]:
        del sys.modules[module]


def make(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--root", str(root)])


def test_it_is_found_and_understands_its_samples(discovered: Path) -> None:
    assert make(discovered, "gadget", "--program", "gadgetd", "--program", "Gadget/main").exit_code == 0
    importlib.invalidate_caches()
    assert "gadget" in [stream.name for stream in discover()]
    dispatcher = Dispatcher("UTC")
    logs = sorted((discovered / "streams/gadget/samples").glob("*.log"))
    assert sum(len(samples.lines(log)) for log in logs) >= 12
    for log in logs:
        expected = [json.loads(line) for line in samples.expected_path(log).read_text().splitlines()]
        assert [dispatcher.parse(line, samples.RECEIVED, MemoryState()) for line in samples.lines(log)] == expected
        assert {event["event_dataset"] for event in expected} == {"gadget"}
        assert not [event for event in expected if event["source_ip"].startswith("203.")]


@pytest.mark.parametrize("programs", [["gadgetd"], ["gadgetd", "Gadget/main"]])
def test_its_own_test_passes_and_the_tools_are_content(root: Path, programs: list[str]) -> None:
    options = [part for name in programs for part in ("--program", name)]
    assert make(root, "gadget", *options).exit_code == 0
    tools = Path(sys.executable).parent
    for tool in ("check", "format --check"):
        found = subprocess.run(
            [tools / "ruff", *tool.split(), "--no-cache", "--config", PROJECT / "pyproject.toml", root],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stdout
    program = (
        "import sys, streams, pytest; streams.__path__.append(sys.argv[1]); "
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--rootdir', sys.argv[2], sys.argv[3]]))"
    )
    test = root / "tests/streams/test_gadget.py"
    (root / "tests/streams/parsing.py").symlink_to(PROJECT / "tests/streams/parsing.py")
    (root / "tests/streams/stream_checks.py").symlink_to(PROJECT / "tests/streams/stream_checks.py")
    found = subprocess.run(
        [sys.executable, "-c", program, root / "streams", root, test],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_it_is_a_command_of_ogrewatch() -> None:
    program = "from cli.main import main; main()"
    found = subprocess.run([sys.executable, "-c", program, "new-stream", "--help"], capture_output=True, check=False)
    assert found.returncode == 0
    assert b"new-stream" in found.stdout


def test_the_name_of_the_examples_is_free() -> None:
    guide = (PROJECT / "docs/adding-a-stream.md").read_text()
    for text in (command.__doc__ or "", guide):
        names = re.findall(r"ogrewatch new-stream (\w+)", text)
        assert names
        assert not [name for name in names if (PROJECT / "streams" / name).exists()]


def test_without_tests_none_is_written(root: Path) -> None:
    (root / "tests/streams").rmdir()
    assert make(root, "gadget").exit_code == 0
    assert not (root / "tests/streams").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["Gadget"], ["9lives"], ["a-b"], ["a.b"], ["../x"], [""], ["class"],
        ["gadget", "--program", "a b"], ["gadget", "--program", 'a"b'], ["gadget", "--program", ""],
    ],
)  # fmt: skip
def test_names_that_cannot_be(root: Path, arguments: list[str]) -> None:
    assert make(root, *arguments).exit_code == 2
    assert not list((root / "streams").iterdir())


def test_nothing_is_overwritten(root: Path) -> None:
    (root / "streams/text.py").touch()
    assert make(root, "text").exit_code == 2
    assert make(root, "gadget").exit_code == 0
    again = make(root, "gadget")
    assert again.exit_code == 2
    assert "there already" in " ".join(again.output.replace("│", "").split())
