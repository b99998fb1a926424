"""Starts everything on this machine: servers, topics, index templates, workers and a demonstration."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from agents.settings import Settings
from ingest.settings import IngestSettings
from operations import start
from operations.printable import without_credentials
from stack.cache import ELASTICSEARCH, KAFKA, ensure
from stack.errors import StackError
from stack.installation import Installation
from stack.lock import locked

PANEL = "Run"

_ERRORS = Console(stderr=True)


def command(
    demo: Annotated[bool, typer.Option(help="Replay the demonstration corpus when the data is new.")] = True,
    replay: Annotated[bool, typer.Option("--replay", help="Replay it again although it has been.")] = False,
    setup_only: Annotated[
        bool, typer.Option("--setup-only", help="End after servers, topics and index templates; start no worker.")
    ] = False,
) -> None:
    """Start everything on this machine: servers, topics, index templates, workers and a demonstration.

    Returns when the first events are searchable and the live page answers; everything goes on running until
    `ogrewatch down`. Run twice it does no harm. A server that OGREWATCH_KAFKA or OGREWATCH_ELASTICSEARCH places on
    another machine is used, not started.

    Example: ogrewatch up --no-demo
    """
    settings = Settings()
    here = start.installation(settings)
    try:
        here.create()
        with locked(settings.data_dir / "up.lock", 0o600):
            _up(here, settings, demo=demo, replay=replay, setup_only=setup_only)
    except StackError as error:
        _ERRORS.print(str(error), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def _up(here: Installation, settings: Settings, *, demo: bool, replay: bool, setup_only: bool) -> None:
    _start_servers(here)
    _set_up(settings)
    if setup_only:
        return
    start.start_workers(here)
    if demo or replay:
        start.start_demonstration(here, again=replay)
    _wait_for_answers(here, settings)
    Console().print(_addresses(settings))


def _start_servers(here: Installation) -> None:
    """Start the servers. Both are fetched first: a download has its own progress display, and needs memory."""
    servers = here.servers()
    for package in (KAFKA, ELASTICSEARCH):
        if any(server.name == package.name and not server.running() for server in servers):
            ensure(package)
    for server in servers:
        server.start()
    for server in servers:
        with _step(f"{server.name.title()} at {server.address}"):
            server.wait_ready(start.START_TIMEOUT)


def _set_up(settings: Settings) -> None:
    start.wait_for_kafka(settings)
    with _step("Topics"):
        start.create_topics(settings)
    with _step("Index templates"):
        start.install_templates(settings)


def _wait_for_answers(here: Installation, settings: Settings) -> None:
    if here.demo.pid() is not None:
        with _step("First events searchable"):
            start.wait_until(lambda: start.searchable(settings), here.worker)
    with _step("Live page"):
        start.wait_until(lambda: start.healthy(settings), here.worker)


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Show a spinner while something is waited for, and afterwards how long it took."""
    begin = time.monotonic()
    with _ERRORS.status(title):
        yield
    _ERRORS.print(f"[green]✓[/] {title} [dim]{time.monotonic() - begin:.1f} s[/]", highlight=False)


def _addresses(settings: Settings) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("Live page", start.page(settings))
    table.add_row("Events by HTTP", f"http://{IngestSettings().host}:{IngestSettings().port}/events")
    table.add_row("Elasticsearch", without_credentials(settings.elasticsearch))
    table.add_row("Kafka", settings.kafka)
    table.add_row("Data and logs", str(settings.data_dir))
    table.add_row("Stop it all", "ogrewatch down")
    return table
