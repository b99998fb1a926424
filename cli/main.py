"""The command `ogrewatch`: one module of this folder is one command, or one group of them."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import typer

import cli
from cli.printable import guard_logs, printable
from topics.connection import Away, Refused

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
    """Run the command line. A server that is away, or will not have us, ends any command with a sentence."""
    guard_logs()
    _register()
    try:
        app()
    except (Away, Refused) as error:
        typer.echo(printable(f"{error}"), err=True)
        sys.exit(Refused.STATUS if isinstance(error, Refused) else 1)
