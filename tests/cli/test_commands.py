"""The command line: which commands there are, and that each explains itself."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from cli import main

COMMANDS = {
    *("alerts", "backtest", "bench", "config", "deadletter", "doctor", "down", "explain", "ingest", "kibana", "ledger"),
    *("new-stream", "parse", "ping", "produce", "repair", "retention", "rules", "run", "search", "setup"),
    *("soak", "stats", "status", "tap", "token", "top", "topics", "up", "worker"),
}


def test_every_command_is_there() -> None:
    assert set(main.Commands().list_commands(None)) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main.app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize("name", ["normalize", "pipeline", "latency", "ingest", "detect"])
def test_every_benchmark_is_there(name: str) -> None:
    assert CliRunner().invoke(main.app, ["bench", name, "--help"]).exit_code == 0


def test_help_lists_commands_without_importing_them() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from cli import main\n"
        "shown = CliRunner().invoke(main.app, ['--help']); print(shown.output)\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('pydantic', 'confluent_kafka', 'aiohttp')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.rstrip().endswith("[]")
    for name in COMMANDS:
        assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_says_of_a_command_what_it_says_itself(name: str) -> None:
    described, loaded = main.Commands().get_command(None, name), main._loaded(name)
    assert described.help.split()[:5] == loaded.help.split()[:5]
    assert described.rich_help_panel in ("Run", "Look", "Develop")


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main.app, ["--version"]).output == f"ogrewatch {version('ogrewatch')}\n"


def test_a_command_that_there_is_not_is_a_wrong_usage() -> None:
    result = CliRunner().invoke(main.app, ["serch"])
    assert result.exit_code == 2
    assert "search" in result.output
