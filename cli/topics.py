"""Creates the topics of the catalogue that are missing, and lists all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer

from agents.settings import Settings
from topics.avro.registry import Registry, register_all, subjects
from topics.catalogue import CATALOGUE
from topics.errors import RegistryRefused, RegistryUnavailable
from topics.kafka import admin

PANEL = "Run"

app = typer.Typer(help="Create and list the topics in Kafka.", no_args_is_help=True)


@app.command()
def create() -> None:
    """Create the topics that are missing, and register their schemas if OGREWATCH_SCHEMA_REGISTRY is set.

    Example: OGREWATCH_PARTITIONS=12 ogrewatch topics create
    """
    settings = Settings()
    created = admin.create_topics(
        settings.kafka,
        prefix=settings.prefix,
        partitions=settings.partitions,
        replication=settings.replication,
        raw_retention=settings.raw_retention,
    )
    print("\n".join(created) or "Nothing was missing.")
    if settings.schema_registry:
        with _told():
            register_all(Registry(settings.schema_registry), settings.prefix)
        for subject in subjects(settings.prefix).values():
            print(f"{subject.subject} is schema {subject.number}")


@app.command("list")
def list_topics(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the catalogue: partitions in Kafka (0: missing), days kept, what a topic holds.

    In JSON also the subject and the number of a topic's schema (null: not registered).

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
        schemas = _schemas(settings)
        for row in rows:
            row |= schemas.get(str(row["name"]), {})
        print(orjson.dumps(rows).decode())
        return
    for row in rows:
        print(f"{row['name']:24} {row['partitions']:4} {row['days']:4}d  {row['holds']}")


def _schemas(settings: Settings) -> dict[str, dict[str, Any]]:
    """Subject and number of each topic's schema."""
    found = subjects(settings.prefix)
    if not settings.schema_registry:
        return {topic: {"subject": one.subject, "schema_id": one.number} for topic, one in found.items()}
    with _told():
        registry = Registry(settings.schema_registry)
        return {topic: {"subject": one.subject, "schema_id": registry.find(one)} for topic, one in found.items()}


@contextmanager
def _told() -> Iterator[None]:
    """End the command with a sentence when the registry is away or refuses."""
    try:
        yield
    except (RegistryUnavailable, RegistryRefused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
