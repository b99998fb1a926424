"""Creates the topics of the catalogue that are missing, lists all, and changes those that differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from agents.settings import Settings
from topics.avro.registry import Registry, register_all, subjects
from topics.catalogue import CATALOGUE
from topics.errors import RegistryRefused, RegistryUnavailable
from topics.kafka import admin

if TYPE_CHECKING:
    from operations.topic_plan import Difference

PANEL = "Run"
DIFFERENT = 3
"""Exit code of `plan` when something differs."""

app = typer.Typer(help="Create, list and change the topics in Kafka.", no_args_is_help=True)


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


@app.command()
def plan(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show how topics in Kafka differ from the catalogue and the settings. Changes nothing.

    The exit code is 0 when nothing differs, 3 when something does.

    Example: OGREWATCH_PARTITIONS=12 ogrewatch topics plan
    """
    from operations import topic_plan

    with _kafka():
        found = topic_plan.plan(Settings())
    if as_json:
        print(orjson.dumps([asdict(one) for one in found]).decode())
    else:
        print("\n".join(map(_line, found)) or "Nothing differs.")
    if found:
        raise typer.Exit(DIFFERENT)


@app.command()
def apply(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before anything is changed.")] = False,
    partitions: Annotated[
        bool,
        typer.Option("--add-partitions", help="Add partitions, too: every role must be stopped and have read all."),
    ] = False,
) -> None:
    """Create missing topics and change their settings, as `plan` shows, after asking.

    Partitions are added only when asked, and only while no role runs and all have read everything: a key's events go to
    another partition afterwards. The exit code is 0 when that was done, 1 when it was not.

    Example: OGREWATCH_PARTITIONS=12 ogrewatch topics apply --add-partitions
    """
    from operations import topic_plan

    settings = Settings()
    with _kafka():
        found = topic_plan.plan(settings)
        print("\n".join(map(_line, found)) or "Nothing differs.")
        doable = [one for one in found if not one.left or (partitions and one.what == topic_plan.PARTITIONS)]
        if not doable:
            return
        if not yes and not typer.confirm("Change these?"):
            raise typer.Exit(1)
        try:
            done = topic_plan.add_partitions(settings, found) if partitions else []
        except topic_plan.NotIdle as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        done += topic_plan.apply(settings, found)
    print(f"{len(done)} changes were made.")


def _line(one: "Difference") -> str:
    what = "is missing" if one.what == "missing" else f"{one.what} {one.found or '(unset)'}"
    return f"{one.topic}: {what} -> {one.wanted}{f'  (left: {one.left})' if one.left else ''}"


@contextmanager
def _kafka() -> Iterator[None]:
    """End the command with a sentence when Kafka refuses."""
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        typer.echo(f"Kafka: {error.args[0].str()}", err=True)
        raise typer.Exit(1) from None


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
