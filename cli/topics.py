"""The catalogue of topics: create what is missing, list what there is."""

from typing import Annotated

import orjson
import typer

from agents.settings import Settings
from topics import admin
from topics.catalogue import CATALOGUE

PANEL = "Run"

app = typer.Typer(help="Create and list the topics in Kafka.", no_args_is_help=True)


@app.command()
def create() -> None:
    """Create the topics that are missing.

    Example: OGREWATCH_PARTITIONS=12 ogrewatch topics create
    """
    settings = Settings()
    created = admin.create_topics(
        settings.kafka, prefix=settings.prefix, partitions=settings.partitions, replication=settings.replication
    )
    print("\n".join(created) or "Nothing was missing.")


@app.command("list")
def list_topics(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the catalogue: partitions in Kafka (0: missing), days kept, what a topic holds.

    Example: ogrewatch topics list --json
    """
    settings = Settings()
    there = admin.partitions_of(settings.kafka, settings.prefix)
    rows = [
        {
            "name": settings.prefix + topic.name,
            "partitions": there.get(settings.prefix + topic.name, 0),
            "days": topic.retention // 86_400,
            "key": topic.key,
            "holds": topic.holds,
        }
        for topic in CATALOGUE
    ]
    if as_json:
        print(orjson.dumps(rows).decode())
        return
    for row in rows:
        print(f"{row['name']:24} {row['partitions']:4} {row['days']:4}d  {row['holds']}")
