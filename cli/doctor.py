"""Prints what `operations.doctor` finds about this machine and this installation."""

from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markup import escape

from agents.settings import Settings
from operations.doctor import CHECKS, Finding

PANEL = "Look"


def command(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Check this machine and this installation. The exit code is 1 when something is amiss.

    Example: ogrewatch doctor --json
    """
    findings = [finding for check in CHECKS for finding in check(Settings())]
    if as_json:
        typer.echo(orjson.dumps([asdict(finding) for finding in findings], option=orjson.OPT_INDENT_2))
    else:
        _print(findings)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    console, width = Console(soft_wrap=True, highlight=False), max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "[green]✓[/]" if finding.ok else "[red]✗[/]"
        console.print(f"{mark} {finding.name:{width}}  {escape(finding.says)}")
