"""The command line: which commands there are, and that each explains itself."""

import pytest
from typer.testing import CliRunner

from cli import main

COMMANDS = {
    *("bench", "deadletter", "doctor", "down", "explain", "ingest", "kibana", "ledger"),
    *("new-stream", "parse", "ping", "produce", "repair", "retention", "rules", "run", "setup"),
    *("soak", "stats", "token", "topics", "up", "worker"),
}


@pytest.fixture(scope="module")
def registered() -> set[str]:
    main._register()
    return {command.name or "" for command in main.app.registered_commands} | {
        group.name or "" for group in main.app.registered_groups
    }


def test_every_command_is_there(registered: set[str]) -> None:
    assert registered == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(registered: set[str], name: str) -> None:
    result = CliRunner().invoke(main.app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize("name", ["normalize", "pipeline", "latency", "ingest", "detect"])
def test_every_benchmark_is_there(registered: set[str], name: str) -> None:
    assert CliRunner().invoke(main.app, ["bench", name, "--help"]).exit_code == 0
