"""Shows on one screen whether everything works: servers, workers, lag, ledger."""

from typing import Annotated

import orjson
import typer
from rich.console import Console

from cli.web_options import Url
from operations import status as looks
from operations.printable import printable

PANEL = "Look"


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Url = None,
) -> None:
    """Say whether everything works: servers, web role, workers, lag and ledger. The exit code is 1 when something is
    amiss.

    Example: ogrewatch status
    """
    seen = looks.look(url)
    if as_json:
        typer.echo(printable(orjson.dumps(looks.as_json(seen)).decode()))
    else:
        Console(highlight=False).print(looks.shown(seen))
    if seen.wrongs:
        raise typer.Exit(1)
