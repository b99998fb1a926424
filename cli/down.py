"""Stops what `ogrewatch up` started, and removes the data if that is asked for."""

from typing import Annotated

import typer
from rich.console import Console

from agents.settings import Settings
from stack.errors import StackError
from stack.installation import Installation

PANEL = "Run"


def command(
    remove_data: Annotated[
        bool, typer.Option("--remove-data", help="Remove servers' and workers' data afterwards; downloads stay.")
    ] = False,
) -> None:
    """Stop what `ogrewatch up` started: demonstration, workers, Elasticsearch, Kafka.

    Each is asked to end and has a minute to do so. Harmless when nothing runs.

    Example: ogrewatch down --remove-data
    """
    here = Installation(Settings().data_dir)
    console = Console(stderr=True)
    with console.status("Stopping"):
        stopped = here.stop()
    console.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.", highlight=False)
    if remove_data:
        _remove(here, console)


def _remove(here: Installation, console: Console) -> None:
    try:
        removed = here.remove()
    except StackError as error:
        console.print(str(error), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    what = f"Removed the data in {here.data_dir}" if removed else f"There is no data in {here.data_dir}"
    console.print(f"{what}; the cache of downloads stays.", soft_wrap=True, highlight=False)
