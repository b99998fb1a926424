"""Ways in: each command takes logs from the network and puts them into raw topics."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

PANEL = "Run"

app = typer.Typer(help="Take logs from the network into Kafka.", no_args_is_help=True)

_PEM = "PEM file."


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
    _run(IngestSettings(**{name: value for name, value in options.items() if value is not None}))  # type: ignore[arg-type]


def _run(settings: Any) -> None:
    from ingest.http.tls import Unsafe
    from ingest.tokens import TokenError

    try:
        ended_well = asyncio.run(_serve(settings))
    except (Unsafe, TokenError, ValueError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}.", err=True)
        raise typer.Exit(1) from None
    if not ended_well:
        raise typer.Exit(1)


async def _serve(settings: Any) -> bool:
    from agents.settings import Settings
    from cli.token import token_file
    from ingest.http.proxy import proxy
    from ingest.serving import serve

    common = Settings()
    async with proxy(settings, token_file(settings.tokens), common.kafka, common.prefix) as way:

        def ready() -> None:
            scheme = "https" if settings.certificate else "http"
            typer.echo(f"Listening on {scheme}://{settings.host}:{way.port}, Kafka at {common.kafka}.", err=True)

        return await serve(way, way.service.delivery, settings.grace, ready)
