"""Asks the web role for live counts of logins, and prints them as a table or as JSON."""

import time
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.live import Live

from cli.web_options import Url, answered
from operations import stats_tables
from operations.web_client import WebClient

PANEL = "Look"

_PAUSE = 1.0  # seconds between two answers of --watch
_ERRORS = Console(stderr=True, soft_wrap=True, highlight=False)


class What(StrEnum):
    """What can be asked for."""

    RATIO = "ratio"
    ATTACKERS = "attackers"
    ATTACKER = "attacker"


class By(StrEnum):
    """What logins can be told apart by."""

    SERVICE = "service"
    ADDRESS = "address"
    USER = "user"
    HOST = "host"
    COUNTRY = "country"


def command(
    what: Annotated[What, typer.Argument(help="Logins by outcome, all attackers, or one.")] = What.RATIO,
    address: Annotated[str | None, typer.Argument(help="The attacker's address.")] = None,
    window: Annotated[
        str | None, typer.Option(help="Such as 90s, 5m, 1h or 24h.", show_default="5m, attackers 1h, attacker 24h")
    ] = None,
    by: Annotated[By, typer.Option(help="What the ratio tells apart.")] = By.SERVICE,
    limit: Annotated[int | None, typer.Option(min=1, max=1000, help="Most rows.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as it came.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it again every second, until Ctrl-C.")] = False,
    url: Url = None,
) -> None:
    """Show successful and failed logins as counted at this moment. The exit code is 1 when nobody answers,
    2 when what is asked for cannot be.

    Example: ogrewatch stats attackers --window 1h --limit 10
    """
    if (what is What.ATTACKER) != (address is not None):
        raise typer.BadParameter("`attacker` takes an address, and nothing else does")
    asked = {"window": window, "limit": limit, "by": by.value if what is What.RATIO else None}
    client = WebClient(url)
    with answered():
        if watch:
            _watch(client, what, address, asked, as_json)
        elif as_json:
            typer.echo(client.get(_path(what, address), asked))
        else:
            _print(what, client.json(_path(what, address), asked))


def _watch(client: "WebClient", what: What, address: str | None, asked: dict[str, Any], as_json: bool) -> None:
    """Show the answer again and again, in place of the one before, or as a line of JSON each; until Ctrl-C."""
    if as_json:
        while True:
            typer.echo(client.get(_path(what, address), asked))
            time.sleep(_PAUSE)
    with Live(console=Console(highlight=False), auto_refresh=False, screen=True) as live:
        while True:
            live.update(_TABLES[what](client.json(_path(what, address), asked)), refresh=True)
            time.sleep(_PAUSE)


def _path(what: What, address: str | None) -> str:
    if what is What.RATIO:
        return "/api/v1/auth/ratio"
    return f"/api/v1/attackers/{quote(address, safe='')}" if address else "/api/v1/attackers"


def _print(what: What, body: dict[str, Any]) -> None:
    Console(highlight=False).print(_TABLES[what](body))
    if missing := body["partitions"]["missing"]:
        numbers = ", ".join(map(str, missing))
        _ERRORS.print(f"Too low: partitions {numbers} of {body['partitions']['of']} do not answer.", style="yellow")


_TABLES = {What.RATIO: stats_tables.ratio, What.ATTACKERS: stats_tables.attackers, What.ATTACKER: stats_tables.attacker}
