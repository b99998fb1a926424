"""Deletes documents that are older than the settings allow; see `docs/retention.md`."""

from typing import Annotated

import orjson
import typer

from agents.settings import Settings
from operations.printable import printable

PANEL = "Run"


def command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for each change.")] = False,
) -> None:
    """Begin new backing indices, and delete documents that are older than OGREWATCH_RETENTION_DAYS allows.

    Where Elasticsearch knows data stream life cycles, it is told how long to keep documents, and does the rest. Run it
    every hour or day. The exit code is 1 when Elasticsearch is away or refuses.

    Example: OGREWATCH_RETENTION_DAYS=90 OGREWATCH_RETENTION_WEB=14 ogrewatch retention --dry-run
    """
    from dataclasses import asdict

    from elasticsearch import ApiError, TransportError

    from operations.retention import Retention
    from sinks.elasticsearch.connection import client, words
    from sinks.elasticsearch.retention import RetentionSettings

    settings, changed = Settings(), False
    try:
        with client(settings.elasticsearch) as made:
            for change in Retention(made, settings.namespace, RetentionSettings(), dry_run).run():
                changed = True
                would = "would be " if dry_run else ""
                line = f"{would}{_WORDS[change.kind]} {change.name}: {change.text}"
                print(orjson.dumps(asdict(change)).decode() if as_json else printable(line))
    except (ApiError, TransportError) as error:
        typer.echo(printable(words(error)), err=True)
        raise typer.Exit(1) from None
    if not changed and not as_json:
        print("Nothing is due.")


_WORDS = {"lifecycle": "changed", "rollover": "rolled over", "delete": "deleted", "alerts": "deleted from"}
