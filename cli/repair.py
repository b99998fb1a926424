"""Repairs an installation after Kafka has lost the end of logs; see `docs/truncated-logs.md`."""

from typing import TYPE_CHECKING, Annotated

import typer

from agents.settings import Settings

if TYPE_CHECKING:
    from topics.kafka.reader import Reader

PANEL = "Run"
RUNNING, UNKNOWN = 1, 2
"""Exit codes: workers run, or the repair was not confirmed; Kafka does not answer."""


def command(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before anything is changed.")] = False,
) -> None:
    """Let workers go on after Kafka has lost the end of logs, and has written other records in its place.

    Says what was lost, and asks before it changes anything. All workers must be stopped; who sends logs may go on.

    Example: ogrewatch repair
    """
    from confluent_kafka import KafkaException

    from topics.kafka.reader import Reader

    settings = Settings()
    try:
        with Reader(settings.kafka) as reader:
            _repair(reader, settings, yes)
    except KafkaException as error:
        typer.echo(f"Kafka: {error.args[0].str()}", err=True)
        raise typer.Exit(UNKNOWN) from None


def _repair(reader: "Reader", settings: Settings, yes: bool) -> None:
    from operations.repair_logs import Repair, losses, members

    found = losses(reader, settings)
    if not found:
        print("All logs are those that were processed: there is nothing to do.")
        return
    for loss in found:
        print(f"{', '.join(loss.positions)}: {loss.sentence}.")
    if running := members(settings):
        typer.echo(f"Workers run: stop those of {', '.join(running)}, and wait for ten seconds.", err=True)
        raise typer.Exit(RUNNING)
    if not yes and not typer.confirm("Repair?"):
        raise typer.Exit(RUNNING)
    Repair(reader, settings, print).run(found)
