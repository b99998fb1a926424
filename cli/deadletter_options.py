"""Declares the options that select dead letters, and turns their values into a `Wanted`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from agents.settings import Settings
from operations.dead_letters.mailbox import Wanted

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Ids of letters, as `list` shows them.")]
Component = Annotated[str, typer.Option(metavar="NAME", help="Who gave up: normalize, count, index.")]
Reason = Annotated[str, typer.Option(metavar="CLASS", help="Class of the reason, as `list` shows it.")]
Topic = Annotated[str, typer.Option(metavar="NAME", help="Where the record stood.")]
Since = Annotated[str, typer.Option(metavar="TIME", help="Given up at or after: 24h, 7d (ago), or ISO 8601 in UTC.")]
Until = Annotated[str, typer.Option(metavar="TIME", help="Given up before.")]
Contains = Annotated[str, typer.Option(metavar="TEXT", help="What the record or the error holds.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_AGO = re.compile(r"(\d+)([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def wanted(
    settings: Settings, ids: list[str] | None = None, component: str = "", reason: str = "", topic: str = "",
    since: str = "", until: str = "", contains: str = "", decided: bool = False,
) -> Wanted:  # fmt: skip
    """Select the letters that agree with all options given. Raises `typer.BadParameter`."""
    return Wanted(
        frozenset(ids or ()), component, reason, _whole(settings, topic), millis(since), millis(until),
        contains.encode("utf-8", "surrogateescape"), decided,
    )  # fmt: skip


def millis(text: str) -> int:
    """Read a time from the command line, in milliseconds since 1970; 0 for "". Raises `typer.BadParameter`."""
    if not text:
        return 0
    if found := _AGO.fullmatch(text):
        return _millis(datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])}))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 24h, 7d, or 2026-05-01T12:00") from None
    return _millis(time if time.tzinfo else time.replace(tzinfo=UTC))


def _millis(time: datetime) -> int:
    return max(1, round(time.timestamp() * 1000))


def _whole(settings: Settings, topic: str) -> str:
    """A topic's name with the installation's prefix, which may be left out."""
    return topic if not topic or topic.startswith(settings.prefix) else settings.prefix + topic
