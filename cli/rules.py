"""Checks, tests and lists the rules of a folder, or the packaged ones."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.settings import Settings
from operations.printable import printable

if TYPE_CHECKING:
    from alerts.rules.load import RuleSet

PANEL = "Develop"

app = typer.Typer(help="Check, test and list the rules that say which events are alerts.", no_args_is_help=True)

_Folder = Annotated[
    Path | None,
    typer.Argument(
        help="Folder with rule files; the packaged rules when absent.",
        exists=True,
        file_okay=False,
        readable=True,
        show_default=False,
    ),
]


@app.command()
def check(folder: _Folder = None) -> None:
    """Say which rules cannot be used, and why. The exit code is 1 when there is one.

    Example: ogrewatch rules check /etc/ogrewatch/rules
    """
    from operations.rules.check import problems

    rules = _loaded(folder)
    found = problems(rules)
    for one in found:
        print(printable(f"{one.where}: {one.reason}"))
    print(f"{len(rules)} rules can be loaded, {len(found)} problems.")
    if found or not len(rules):
        raise typer.Exit(1)


@app.command("test")
def run(folder: _Folder = None) -> None:
    """Run the tests that rules bring along. The exit code is 1 when one fails, or when a rule is refused.

    Example: ogrewatch rules test /etc/ogrewatch/rules
    """
    from operations.rules.check import run_tests

    rules, failed = _loaded(folder), 0
    for one in run_tests(rules, Settings()):
        failed += bool(one.reason)
        print(printable(f"{'FAILED' if one.reason else 'passed'}  {one.rule} {one.number}  {one.reason}".rstrip()))
    for error in rules.refused:
        print(printable(f"refused  {error}"))
    print(f"{len(rules.examples) - failed} tests passed, {failed} failed, {len(rules.refused)} rules refused.")
    if failed or rules.refused or not len(rules):
        raise typer.Exit(1)


@app.command("list")
def list_rules(folder: _Folder = None) -> None:
    """List level, name, kind (event, or the type of a correlation) and title of every rule.

    Example: ogrewatch rules list
    """
    from operations.rules.check import listed

    rules = listed(_loaded(folder))
    names = max((len(one.name) for one in rules), default=0)
    kinds = max((len(one.kind) for one in rules), default=0)
    for one in rules:
        print(printable(f"{one.level:13}  {one.name:{names}}  {one.kind:{kinds}}  {one.title}"))


def _loaded(folder: Path | None) -> "RuleSet":
    from alerts.rules.load import load_folder
    from operations.rules.check import PACK

    try:
        return load_folder(folder or PACK)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="FOLDER") from None
