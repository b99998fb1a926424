"""Runs the receivers, which take logs from the network and put them into raw topics."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from agents.settings import Settings

PANEL = "Run"

app = typer.Typer(help="Take logs from the network into Kafka.", no_args_is_help=True)

_PEM = "PEM file."

S = TypeVar("S")


@app.callback()
def ingest() -> None:
    """Take logs from the network into Kafka. Settings are OGREWATCH_INGEST_*; options go before them."""


@app.command()
def http(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback by default.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 8080 by default.")] = None,
    certificate: Annotated[Path | None, typer.Option(help=f"Our certificate: TLS. {_PEM}")] = None,
    private_key: Annotated[Path | None, typer.Option(help=f"Its key. {_PEM}")] = None,
    client_ca: Annotated[Path | None, typer.Option(help=f"Who signs the certificates of clients. {_PEM}")] = None,
    tokens: Annotated[Path | None, typer.Option(help="File of tokens, as `ogrewatch token` writes it.")] = None,
    insecure: Annotated[bool | None, typer.Option("--insecure", help="Listen beyond loopback, asking nobody.")] = None,
) -> None:
    """Take JSON events, plain lines, Elasticsearch's _bulk and Confluent's REST by HTTP.

    Example: ogrewatch ingest http --port 8080
    """
    from ingest.settings import IngestSettings

    options = {
        "host": host,
        "port": port,
        "certificate": certificate,
        "private_key": private_key,
        "client_ca": client_ca,
        "tokens": tokens,
        "insecure": insecure,
    }
    run_http(_settings(IngestSettings, options))


def run_http(settings: Any, number: int = 0) -> None:
    """Run the HTTP receiver. `number` counts processes of a supervisor, and decides on the port of metrics."""
    _run(_serve_http(settings, number), f"listen on {settings.host}:{settings.port}")


@app.command()
def amqp(
    url: Annotated[
        str | None, typer.Option(help="amqp:// or amqps://user@host:port/vhost, without a password.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Queue to read; eventtask by default.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    ca: Annotated[Path | None, typer.Option(help=f"Who signs the broker's certificate. {_PEM}")] = None,
    certificate: Annotated[Path | None, typer.Option(help=f"Certificate that we show. {_PEM}")] = None,
    private_key: Annotated[Path | None, typer.Option(help=f"Its key. {_PEM}")] = None,
    external: Annotated[bool | None, typer.Option("--external", help="Log in with the certificate.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Port of /metrics and /healthz; none by default.")] = None,
) -> None:
    """Bring JSON events from a RabbitMQ queue. Settings are OGREWATCH_AMQP_*, the password OGREWATCH_AMQP_PASSWORD.

    Example: ogrewatch ingest amqp --url amqps://bridge@rabbitmq.example.com/ --password-file secret
    """
    from ingest.amqp.settings import AmqpSettings

    options = {
        "url": url,
        "queue": queue,
        "password_file": password_file,
        "ca": ca,
        "certificate": certificate,
        "private_key": private_key,
        "external": external,
        "metrics_port": metrics_port,
    }
    _run(_serve_amqp(_settings(AmqpSettings, options)), "show the metrics")


def _settings(kind: Callable[..., S], options: dict[str, Any]) -> S:
    """Settings from the options, else from the environment. Invalid ones end the command with status 2."""
    try:
        return kind(**{name: value for name, value in options.items() if value is not None})
    except ValueError as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None


def _run(serving: Coroutine[Any, Any, bool], task: str) -> None:
    """Run a receiver until it ends. The exit code is 2 for invalid settings, 1 for any other error.

    `task` says what could not be done when an `OSError` is raised.
    """
    from ingest.base import InvalidSettings

    try:
        ended_well = asyncio.run(serving)
    except (InvalidSettings, ValueError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"Cannot {task}: {error.strerror or error}.", err=True)
        raise typer.Exit(1) from None
    if not ended_well:
        raise typer.Exit(1)


def _say(common: "Settings", text: str) -> None:
    """Say that all is well; not among the lines of a JSON log."""
    if common.log_format == "text":
        typer.echo(text, err=True)


async def _serve_http(settings: Any, number: int) -> bool:
    from agents.settings import Settings
    from cli.token import token_file
    from ingest.http.proxy import proxy
    from ingest.runner import run_until_signal
    from topics.health import Health, serve
    from topics.kafka.client import answers
    from topics.logs import print_logs

    common = Settings()
    print_logs("ingest", common.log_level, common.log_format)
    answers(common.kafka)
    scheme = "https" if settings.certificate else "http"
    async with proxy(settings, token_file(settings.tokens), common.kafka, common.prefix) as receiver:
        health = Health()
        health.require("ingest", receiver.missing)
        port = common.metrics_port + number if common.metrics_port else 0
        serve(common.metrics_host, port, health, receiver.context.metrics.registry)
        beating = asyncio.create_task(health.beat())

        def ready() -> None:
            _say(common, f"Listening on {scheme}://{settings.host}:{receiver.port}, Kafka at {common.kafka}.")

        try:
            return await run_until_signal(receiver, receiver.context.delivery, settings.grace, ready)
        finally:
            beating.cancel()


async def _serve_amqp(settings: Any) -> bool:
    from agents.settings import Settings
    from ingest.amqp.bridge import bridge
    from ingest.runner import run_until_signal
    from topics.kafka.client import answers
    from topics.logs import print_logs

    common = Settings()
    print_logs("amqp", common.log_level, common.log_format)
    answers(common.kafka)
    async with bridge(settings, common.kafka, common.prefix) as made:

        def ready() -> None:
            _say(common, f"Reading {settings.queue} of {made.receiver.broker}, Kafka at {common.kafka}.")

        return await run_until_signal(made.receiver, made.delivery, settings.grace, ready)
