"""Runs the command `ogrewatch`, whose commands and groups of commands are the modules of this folder.

The module of a command is imported when that command is run. Help and shell completion read its docstring instead, so
that they answer at once.
"""

import ast
import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

import cli
from operations.printable import guard_logs, printable
from topics.errors import AccessRefused, BadSettings, KafkaUnavailable


class _About(NamedTuple):
    """What is known of a command from its text: its module, its help, its panel, and whether it is a group."""

    module: str
    help: str
    panel: str
    group: bool


class Commands(TyperGroup):
    """The commands by name. Those that are only listed are described, and not imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in order."""
        return sorted(_all())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A description of the command, which cannot be run."""
        about = _all().get(cmd_name)
        return None if about is None else TyperCommand(cmd_name, help=about.help, rich_help_panel=about.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, for one that is run."""
        if args[0] in _all():
            return args[0], _loaded(args[0]), args[1:]
        near = get_close_matches(args[0], _all(), 1, 0.6)
        return ctx.fail(f"There is no command {args[0]!r}.{f' Is {near[0]} meant?' if near and args[0] else ''}")


app = typer.Typer(
    name="ogrewatch",
    cls=Commands,
    help="Every security log of a company in one place, understood as it arrives, searchable in a second.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ogrewatch {version('ogrewatch')}")
        raise typer.Exit


@app.callback()
def _of_all(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="TOML file of settings, as OGREWATCH_CONFIG; the environment wins.")
    ] = None,
) -> None:
    from topics.config_file import VARIABLE, file_variables

    if config is not None:
        os.environ[VARIABLE] = str(config.absolute())
    if os.environ.get(VARIABLE):
        _warn(file_variables())


def _warn(variables: Mapping[str, str]) -> None:
    """Print a sentence for each variable that is no setting."""
    from cli.variables import warnings

    for warning in warnings(variables):
        typer.echo(printable(warning), err=True)


@cache
def _all() -> dict[str, _About]:
    """All commands by name, from the texts of their modules."""
    folder = Path(cli.__file__).parent
    found = {module.name: _about(module.name, folder / f"{module.name}.py") for module in iter_modules([str(folder)])}
    return {name.replace("_", "-"): about for name, about in found.items() if about is not None}


def _about(name: str, file: Path) -> _About | None:
    """What a module says about its command; None for one that has none."""
    if name == "main":
        return None
    panel, text, group = "Commands", None, False
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == "command":
            text = ast.get_docstring(node)
        elif isinstance(node, ast.Assign) and isinstance(target := node.targets[0], ast.Name):
            if target.id == "PANEL" and isinstance(node.value, ast.Constant):
                panel = str(node.value.value)
            elif target.id == "app" and isinstance(node.value, ast.Call):
                text, group = _help_of(node.value), True
    return None if text is None else _About(name, text, panel, group)


def _help_of(call: ast.Call) -> str:
    """The help of a group, as its `typer.Typer(help=...)` says it."""
    for keyword in call.keywords:
        if keyword.arg == "help":
            return str(ast.literal_eval(keyword.value))
    return ""


def _loaded(name: str) -> Any:
    """Import a command or a group."""
    about = _all()[name]
    module: Any = import_module(f"cli.{about.module}")
    if about.group:
        found: Any = typer.main.get_group(module.app)
    else:
        single = typer.Typer(add_completion=False)
        single.command(name)(module.command)
        found = typer.main.get_command(single)
    found.name = name
    return found


def main() -> None:
    """Run the command line.

    Invalid settings, and a server that is away or refuses the connection, end any command with a sentence.
    """
    guard_logs()
    if len(sys.argv) > 1 and not {"--bare", "--number", "--help", "--version"}.intersection(sys.argv):
        _warn(os.environ)  # the supervisor of a process with a number has done so
    try:
        app()
    except (KafkaUnavailable, AccessRefused, BadSettings) as error:
        typer.echo("\n".join(map(printable, f"{error}".split("\n"))), err=True)
        sys.exit(getattr(error, "STATUS", 1))
