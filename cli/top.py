"""Shows who attacks at this moment, on one screen that renews itself."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from cli.web_options import Url, answered
from operations.top_screen import Screen
from operations.web_client import WebClient

PANEL = "Look"


def command(
    window: Annotated[str, typer.Option(help="Such as 5m, 1h or 24h.")] = "1h",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most addresses.")] = 20,
    batch: Annotated[bool, typer.Option("--batch", help="Print one screen and end.")] = False,
    url: Url = None,
) -> None:
    """Show logins, attackers and the state of the installation as they change, until Ctrl-C.

    Example: ogrewatch top --window 5m
    """
    screen, console = Screen(limit), Console(highlight=False)
    with answered():
        events = WebClient(url).stream({"view": "live", "window": window, "limit": limit})
        if batch:
            _first(screen, events)
            console.print(screen.shown())
            return
        with Live(console=console, auto_refresh=False, screen=True) as live:
            for name, data in events:
                if screen.take(name, data):
                    live.update(screen.shown(), refresh=True)


def _first(screen: Screen, events: Any) -> None:
    for name, data in events:
        screen.take(name, data)
        if screen.complete:
            return
