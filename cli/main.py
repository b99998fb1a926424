"""Runs the command `ogrewatch`, whose commands and groups of commands are the modules of this folder."""

import os
import sys
from importlib import import_module
from pkgutil import iter_modules

import typer

import cli
from cli.variables import warnings
from operations.printable import guard_logs, printable
from topics.environment import BadSettings
from topics.errors import AccessRefused, KafkaUnavailable

app = typer.Typer(
    name="ogrewatch",
    help="Every security log of a company in one place, understood as it arrives, searchable in a second.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)


def _register() -> None:
    for found in iter_modules(cli.__path__):
        module = import_module(f"cli.{found.name}")
        if isinstance(group := getattr(module, "app", None), typer.Typer) and found.name != "main":
            app.add_typer(group, name=found.name, rich_help_panel=module.PANEL)
        elif hasattr(module, "command"):
            app.command(found.name.replace("_", "-"), rich_help_panel=module.PANEL)(module.command)


def main() -> None:
    """Run the command line.

    Invalid settings, and a server that is away or refuses the connection, end any command with a sentence.
    """
    guard_logs()
    _register()
    if not {"--bare", "--number"}.intersection(sys.argv):  # the supervisor of such a process has printed them
        for warning in warnings(os.environ):
            typer.echo(printable(warning), err=True)
    try:
        app()
    except (KafkaUnavailable, AccessRefused, BadSettings) as error:
        typer.echo("\n".join(map(printable, f"{error}".split("\n"))), err=True)
        sys.exit(getattr(error, "STATUS", 1))
