"""Runs load and faults together, and prints whether every line was stored once and counted once."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from stack.errors import StackError

PANEL = "Develop"

INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended
_ERRORS = Console(stderr=True, highlight=False)


def command(
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long things are broken.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Which lines and which faults; a run can be repeated with it.")] = 1,
    rate: Annotated[int, typer.Option(min=1, help="Lines a second.")] = 1_000,
    absence: Annotated[
        float, typer.Option("--away", min=0, help="Instead: Elasticsearch is away once, for so many seconds.")
    ] = 0.0,
    zombies: Annotated[
        str, typer.Option(metavar="ROLE", help="Wake workers of this role behind their successors, all the time.")
    ] = "",
    cut: Annotated[bool, typer.Option("--cut", help="Last, let Kafka lose the ends of logs: then repair it.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Go on until every kind of fault was done.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep data and logs in this folder.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Break everything under load, again and again, and check that nothing was lost, doubled or miscounted.

    Servers and workers of its own are started, and ended with it: nothing else on this machine is touched. Faults are
    told as they happen. Status 0 means that every promise was kept, 1 that one was not.

    Example: ogrewatch soak --minutes 10 --seed 7
    """
    from operations.soak.fleet import ROLES
    from operations.soak.run import Plan, Soak

    if zombies and zombies not in ROLES:
        raise typer.BadParameter(f"roles are {', '.join(ROLES)}", param_hint="--zombies")

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        found = Soak(Plan(minutes, seed, rate, absence, zombies, cut, whole), _ERRORS).run(keep)
    except StackError as error:
        _ERRORS.print(str(error), style="red", soft_wrap=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    _show(found, as_json)
    if not found["exact"]:
        raise typer.Exit(1)


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(orjson.dumps(found).decode() + "\n")
        return
    table = Table("", "Promise", "Figures")
    for check in found["checks"]:
        table.add_row("[green]kept[/]" if check["kept"] else "[red]broken[/]", check["name"], check["figures"])
    console = Console(highlight=False)
    console.print(table)
    console.print("Faults: " + ", ".join(f"{name} {number}" for name, number in found["faults"].items()))
    for end in found["ends"]:
        console.print(f"Nobody asked: {end}", markup=False)
    console.print(f"Seed {found['seed']}: " + ("[green]exact[/]" if found["exact"] else "[red]not exact[/]"))
