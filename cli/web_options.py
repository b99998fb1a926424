"""Declares the option --url of commands that ask the web role, and ends them with a sentence without an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from operations.printable import printable
from operations.web_client import NoAnswer


def _checked(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise typer.BadParameter("a URL begins with http:// or https://")
    return url


Url = Annotated[
    str | None,
    typer.Option(help="Where the web role answers.", show_default="from the settings", callback=_checked),
]


@contextmanager
def answered(search: str = "") -> Iterator[None]:
    """End the command with a sentence when there is no answer, and without one at Ctrl-C.

    A mistake in `search` is shown under its column.
    """
    try:
        yield
    except NoAnswer as error:
        if error.column:
            typer.echo(printable(search), err=True)
            typer.echo(" " * (error.column - 1) + "^" * max(1, error.length), err=True)
        typer.echo(printable(str(error)), err=True)
        raise typer.Exit(error.status) from None
    except KeyboardInterrupt:
        raise typer.Exit from None
