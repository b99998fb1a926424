"""Sets up Kafka and Elasticsearch for the workers, and says what it changed."""

from typing import Annotated

import typer

from agents.settings import Settings

PANEL = "Run"


def command(
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until Kafka and Elasticsearch answer.")] = 60.0,
) -> None:
    """Create topics, register schemas and install index templates; says what it changed, and starts no server.

    Run twice it changes nothing. The exit code is 1 when a server does not answer in time or refuses.

    Example: ogrewatch setup --wait 120
    """
    from confluent_kafka import KafkaException
    from elasticsearch import ApiError, TransportError

    from operations import setup
    from sinks.elasticsearch.connection import words
    from topics.errors import RegistryRefused, RegistryUnavailable

    settings, changes = Settings(), 0
    try:
        setup.wait_for_servers(settings, wait)
        for change in setup.set_up(settings):
            changes += 1
            typer.echo(change)
        for warning in setup.warnings(settings):
            typer.echo(warning, err=True)
    except (ApiError, TransportError) as error:
        _fail(words(error))
    except KafkaException as error:
        _fail(f"Kafka refuses: {error.args[0].str()}.")
    except (setup.ServerAway, RegistryRefused, RegistryUnavailable) as error:
        _fail(f"{error}")
    if not changes:
        typer.echo("Nothing was missing.")


def _fail(why: str) -> None:
    typer.echo(why, err=True)
    raise typer.Exit(1)
