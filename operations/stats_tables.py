"""Shows answers of the web role as tables for a terminal."""

from datetime import datetime
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from operations.printable import plain


def ratio(body: dict[str, Any]) -> Table:
    """A table of logins by outcome."""
    table = _table("Logins", body, caption="There are more: --limit." if body["truncated"] else None)
    table.add_column(body["by"].title(), overflow="fold")
    for name in ("Successful", "Failed", "Unknown", "Success rate"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in body["rows"]:
        table.add_row(plain(row["name"]), *_outcomes(row))
    table.add_section()
    table.add_row("All", *_outcomes(body["total"]))
    return table


def attackers(body: dict[str, Any]) -> Table:
    """A table with one address a line; red are those that guessed a password and got in."""
    table = _table("Attackers == Ogres", body, caption=_extent(body), expand=True)
    table.add_column("Address", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Failures", justify="right", no_wrap=True)
    table.add_column("Got in", justify="right", no_wrap=True)
    table.add_column("Users tried", no_wrap=True, ratio=1)
    table.add_column("Hosts hit", no_wrap=True, ratio=1)
    table.add_column("Last seen", no_wrap=True)
    for row in body["attackers"]:
        table.add_row(*_attacker_cells(row), style=_style(row))
    return table


def attacker(body: dict[str, Any]) -> Table:
    """A table of everything that is known about one address."""
    row = body["attacker"]
    table = _table("Attacker", body, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Address", plain(row["address"]))
    table.add_row("Country", row["country"] or "unknown")
    table.add_row("Failures", f"{row['failures']:,}")
    table.add_row("Got in", f"{row['successes']:,}", style=_style(row))
    table.add_row("Users tried", _names(row, "user"))
    table.add_row("Hosts hit", _names(row, "host"))
    table.add_row("First seen", row["first_seen"])
    table.add_row("Last seen", row["last_seen"])
    table.add_row("Minutes active", f"{len(row['minutes']):,}")
    return table


def _table(what: str, body: dict[str, Any], **options: Any) -> Table:
    window = body["window"]
    title = f"{what}, {_clock(window['since'])} to {_clock(window['until'])} UTC"
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, **options)


def _extent(body: dict[str, Any]) -> str:
    """How many addresses there are of those that the table shows; it begins with those that broke in."""
    shown, total = len(body["attackers"]), body["total"]
    more = "; more with --limit" if shown < total else ""
    return f"{shown:,} of {total:,} addresses, {body['broke_in_total']:,} got in{more}."


def _outcomes(row: dict[str, Any]) -> list[str]:
    rate = "-" if row["ratio"] is None else f"{row['ratio']:.1%}"
    return [f"{row['success']:,}", f"{row['failure']:,}", f"{row['unknown']:,}", rate]


def _attacker_cells(row: dict[str, Any]) -> list[Text | str]:
    counts = [f"{row['failures']:,}", f"{row['successes']:,}"]
    names = [_names(row, "user"), _names(row, "host")]
    return [plain(row["address"]), row["country"], *counts, *names, _clock(row["last_seen"])]


def _clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%b %d %H:%M}"


def _style(row: dict[str, Any]) -> str | None:
    return "bold red" if row["broke_in"] else None


def _names(row: dict[str, Any], kind: str) -> Text:
    """How many there are (`+`: or more), and those that are known by name."""
    more = "+" if row[f"{kind}s_more"] else ""
    return plain(f"{row[f'{kind}_count']:,}{more}: {', '.join(row[f'{kind}s'])}")
