"""Prints events as they come."""

import json
from typing import Annotated

import typer

from cli.web_options import Url, answered
from operations import event_lines
from operations.printable import printable
from operations.web_client import WebClient

PANEL = "Look"


def command(
    text: Annotated[str, typer.Option("--filter", metavar="SEARCH", help="Only events that satisfy it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event.")] = False,
    count: Annotated[int, typer.Option(min=0, help="End after so many events; 0: go on until Ctrl-C.")] = 0,
    url: Url = None,
) -> None:
    """Print events as they come, at most 50 a second, until Ctrl-C. A note says how many more there were.

    Example: ogrewatch tap --filter 'service:sshd outcome:failure'
    """
    printed = 0
    with answered(text):
        for name, data in WebClient(url).stream({"view": "live", "q": text, "limit": 1}):
            if name != "tail":
                continue
            for row in reversed(data["rows"]):
                typer.echo(printable(json.dumps(row, ensure_ascii=False)) if as_json else event_lines.of_row(row))
                printed += 1
                if printed == count:
                    return
