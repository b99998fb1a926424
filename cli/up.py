"""Starts everything on this machine: servers, topics, index templates, workers and a demonstration."""

import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.table import Table

from agents.settings import Settings
from ingest.settings import IngestSettings
from operations.addresses import installation, shown
from operations.process import command_line
from stack.cache import ELASTICSEARCH, KAFKA, ensure
from stack.daemon import Daemon
from stack.errors import StackError
from stack.installation import Installation
from stack.lock import locked

PANEL = "Run"

_TIMEOUT, _KAFKA_TIMEOUT, _GLANCE = 120.0, 30.0, 0.2  # seconds
_ANY = ("0.0.0.0", "::", "")
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
    here = installation(settings)
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
    _start_workers(here)
    if demo or replay:
        _start_demonstration(here, again=replay)
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
            server.wait_ready(_TIMEOUT)


def _set_up(settings: Settings) -> None:
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.templates import install
    from topics.errors import KafkaUnavailable
    from topics.kafka.admin import create_topics
    from topics.kafka.client import answers

    if not _within(_KAFKA_TIMEOUT, lambda: answers(settings.kafka)):
        raise StackError(f"Kafka at {settings.kafka} does not answer: set OGREWATCH_KAFKA to one that does.")
    with _step("Topics"), _told("Kafka", KafkaException, KafkaUnavailable):
        create_topics(
            settings.kafka, prefix=settings.prefix, partitions=settings.partitions, replication=settings.replication
        )
    with _step("Index templates"), _told("Elasticsearch", ApiError, TransportError):
        install(settings.elasticsearch)


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(_GLANCE)
    return held


def _start_workers(here: Installation) -> None:
    if here.worker.pid() is None:
        here.worker.spawn(command_line("worker"))


def _start_demonstration(here: Installation, *, again: bool) -> None:
    sent = here.data_dir / "demo.sent"
    if here.demo.pid() is None and (again or not sent.exists()):
        here.demo.spawn(command_line("produce", "--demo", "--keep-up"))
        sent.touch(0o600)


def _wait_for_answers(here: Installation, settings: Settings) -> None:
    if here.demo.pid() is not None:
        with _step("First events searchable"):
            _await(lambda: _searchable(settings), here.worker)
    with _step("Live page"):
        _await(lambda: _healthy(settings), here.worker)


def _await(reached: Callable[[], bool], worker: Daemon) -> None:
    until = time.monotonic() + _TIMEOUT
    while not reached():
        if worker.pid() is None:
            raise StackError(f"The workers ended; their log {worker.log_file} ends:\n{worker.last_words()}")
        if time.monotonic() > until:
            raise StackError(f"The workers are not done after {_TIMEOUT:.0f} s; see their log {worker.log_file}.")
        time.sleep(_GLANCE)


def _searchable(settings: Settings) -> bool:
    """Whether a search finds an event; errors count as no, since Elasticsearch may be busy with its first indices."""
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.connection import client

    with client(settings.elasticsearch, request_timeout=5) as made:
        try:
            found = made.count(index=f"logs-ogrewatch.*-{settings.namespace}", ignore_unavailable=True)
        except (ApiError, TransportError):
            return False
        return bool(found["count"])


def _healthy(settings: Settings) -> bool:
    """Whether the web role answers, and says that every partition is counted."""
    try:
        with urllib.request.urlopen(f"{_page(settings)}api/v1/health", timeout=5, context=_context(settings)) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _page(settings: Settings) -> str:
    host = "127.0.0.1" if settings.web_host in _ANY else settings.web_host
    scheme = "https" if settings.web_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.web_port}/"


def _context(settings: Settings) -> ssl.SSLContext | None:
    """A context that trusts the page's own certificate, whatever its name and whoever signed it."""
    if settings.web_certificate is None:
        return None
    context = ssl.create_default_context(cafile=settings.web_certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


@contextmanager
def _told(server: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn errors of a client into a `StackError`, whose sentence ends the command."""
    from elasticsearch import ApiError, TransportError

    from sinks.elasticsearch.connection import words

    try:
        yield
    except errors as error:
        said = words(error) if isinstance(error, ApiError | TransportError) else f"{server}: {error}"
        raise StackError(f"{server} refused its part of the set-up. {said}") from error


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Show a spinner while something is waited for, and afterwards how long it took."""
    begin = time.monotonic()
    with _ERRORS.status(title):
        yield
    _ERRORS.print(f"[green]✓[/] {title} [dim]{time.monotonic() - begin:.1f} s[/]", highlight=False)


def _addresses(settings: Settings) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_row("Live page", _page(settings))
    table.add_row("Events by HTTP", f"http://{IngestSettings().host}:{IngestSettings().port}/events")
    table.add_row("Elasticsearch", shown(settings.elasticsearch))
    table.add_row("Kafka", settings.kafka)
    table.add_row("Data and logs", str(settings.data_dir))
    table.add_row("Stop it all", "ogrewatch down")
    return table
