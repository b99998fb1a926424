"""Searches events as the page does, and prints them as lines, JSON or CSV."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.web_options import Url, answered
from operations import event_lines
from operations.web_client import WebClient

PANEL = "Look"


class Form(StrEnum):
    """How events are printed."""

    LINES = "lines"
    NDJSON = "ndjson"
    CSV = "csv"


def command(
    terms: Annotated[
        list[str] | None, typer.Argument(metavar="TERM...", help="What to look for; see docs/api.md.")
    ] = None,
    window: Annotated[str | None, typer.Option(help="How far back: 15m, 24h, 7d.", show_default="24h")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="ISO 8601, UTC without a zone.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="With --from; now when absent.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most events, the newest ones.")] = 50,
    form: Annotated[Form, typer.Option("--format", help="Events as lines for people, or as a file.")] = Form.LINES,
    url: Url = None,
) -> None:
    """Search events: words, "phrases", field:value, field:>5, networks, a* for a beginning, - before what is unwanted.

    Example: ogrewatch search service:sshd outcome:failure ip:81.2.69.0/24 --window 1h
    """
    text = terms[0] if terms and len(terms) == 1 else " ".join(map(_term, terms or ()))
    asked = {"q": text, "window": window, "from": since, "to": until}
    with answered(text):
        client = WebClient(url)
        if form is not Form.LINES:
            client.copy("/api/v1/events", {**asked, "limit": limit, "format": form.value})
            return
        found = client.json("/api/v1/events", {**asked, "limit": min(limit, 1000)})
    for event in reversed(found["events"]):
        typer.echo(event_lines.of_document(event))
    typer.echo(event_lines.extent(found), err=True)


def _term(text: str) -> str:
    """A term of several, whose quotes the shell has taken: `user:two words` is `user:"two words"`."""
    if '"' in text or not any(letter.isspace() for letter in text):
        return text
    name, colon, value = text.partition(":")
    return f'{name}:"{value}"' if colon and name.strip() == name and " " not in name else f'"{text}"'
