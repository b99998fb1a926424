"""Checks, tests and lists the rules of a folder, or the packaged ones."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from agents.settings import Settings
from alerts.rules.errors import RuleError
from operations.printable import printable

if TYPE_CHECKING:
    from alerts.rules.load import RuleSet
    from operations.rules.explain import Explanation

PANEL = "Develop"
_MOST = 64 << 20  # bytes of a file with lines

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


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="Name, title or id of a rule.")],
    lines: Annotated[list[str] | None, typer.Argument(metavar="[LINE]...", help="Raw lines, in their order.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder with rule files.", exists=True, file_okay=False)] = None,
    file: Annotated[typer.FileBinaryRead | None, typer.Option(help="File with raw lines; - is the input.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a rule asks; of each line, which test failed; and of a correlation, how full its windows are.

    Example: ogrewatch rules explain ssh_guessing '<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user x from 192.0.2.7'
    """
    from operations.rules.explain import explain as explained
    from operations.rules.explain import find

    rules = _loaded(folder)
    given = [line.encode("utf-8", "surrogateescape") for line in lines or ()]
    given += [line for line in (file.read(_MOST).split(b"\n") if file is not None else ()) if line]
    try:
        found = explained(rules, find(rules, rule), given, time.time_ns() // 1000, Settings())
    except RuleError as error:
        raise typer.BadParameter(f"{error}", param_hint="RULE") from None
    print(printable(orjson.dumps(found).decode()) if as_json else "\n".join(_told(found)))


def _told(found: "Explanation") -> Iterator[str]:
    from operations.rules.explain import tree

    yield from (printable(f"{text}") for text in (f"{found.name}: {found.kind}", *found.about))
    for one in found.judged:
        yield "\n" + printable(one.line)
        yield printable(f"{one.rule} {'matches' if one.holds else 'does not match'}")
        yield from (printable(f"  because {why}") for why in one.why)
        yield from (printable(f"    {text}") for text in tree(one.steps))
    for group in found.groups:
        named = ", ".join(f"{name} {value}" for name, value in group.group.items()) or "(all)"
        opened = f", alert {group.alert}" if group.alert else ", no alert"
        yield "\n" + printable(
            f"window of {named}: {group.found:g} of {group.wanted}, {group.begin} to {group.end}{opened}"
        )


def _loaded(folder: Path | None) -> "RuleSet":
    from alerts.rules.load import load_folder
    from operations.rules.check import PACK

    try:
        return load_folder(folder or PACK)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}", param_hint="FOLDER") from None
