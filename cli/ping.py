"""Sends a line through everything, and waits until its document is found."""

from typing import Annotated

import typer

from agents.settings import Settings

PANEL = "Look"


def command(
    wait: Annotated[float, typer.Option(min=1, help="Seconds until the document has to be found.")] = 30.0,
) -> None:
    """Send a line to Kafka, and wait until its document is found in Elasticsearch. The exit code is 1 if it is not.

    The line is stored like any other: one document of program `ogrewatch` a call.

    Example: ogrewatch ping --wait 60
    """
    from operations.ping import NoPong, ping

    try:
        pong = ping(Settings(), wait)
    except NoPong as why:
        typer.echo(f"{why}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{pong.identity} was found after {pong.seconds:.1f} s.")
