"""Prints whether every log that was received is accounted for; see `docs/ledger.md`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agents.settings import Settings

if TYPE_CHECKING:
    from operations.ledger.balance import Ledger
    from operations.ledger.store import Store
    from topics.kafka.reader import Reader

PANEL = "Look"
OFF, UNKNOWN = 1, 2
"""Exit codes: something is missing or stored twice; a server does not answer."""

_Since = Annotated[
    str, typer.Option(metavar="TIME", help="What was received since: 24h, 7d (ago), or ISO 8601 in UTC.")
]


def command(
    since: _Since = "24h",
    exact: Annotated[bool, typer.Option("--verify", help="Look at every record, even if the sums are right.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="With --watch: show Prometheus metrics on 127.0.0.1.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; with --watch a line for each look.")] = False,
) -> None:
    """Say whether every log that was received is stored, a dead letter or on its way, and which partition is off.

    Sums come first. If they are not right, or with --verify, every record is looked at. Then attempts are compared, as
    documents, closed minutes and, if any answers, count workers tell of them. The exit code is 0 when all is balanced,
    1 when it is not, 2 when the servers do not say.

    Example: ogrewatch ledger --since 1h --verify
    Example: ogrewatch ledger --watch --verify --since 15m --metrics-port 9464
    """
    from cli.deadletter_options import millis

    if metrics_port is not None and not watch:
        raise typer.BadParameter("--metrics-port shows what --watch sees: say both")
    millis(since)
    _require_kafka()
    from operations.ledger import looks

    note = None if metrics_port is None else _metrics(metrics_port)
    with _servers() as (settings, reader, store):
        if not watch:
            seen = looks.single(reader, store, settings, millis(since), exact)
            looks.show(seen, as_json)
            if seen.wrongs:
                raise typer.Exit(OFF)
            return
        with looks.screen(as_json) as show:
            for seen in looks.repeated(reader, store, settings, lambda: millis(since), exact):
                if note is not None:
                    note(seen)
                show(seen)


def _metrics(port: int) -> "Callable[[Ledger], object]":
    """A function that shows a look as metrics on a port. A port that is taken ends the command with a sentence."""
    from operations.ledger.metrics import serve

    try:
        return serve(port).note
    except OSError as error:
        raise typer.BadParameter(f"no metrics on port {port}: {error}", param_hint="--metrics-port") from None


def _require_kafka() -> None:
    """End the command when Kafka is away, before anything is loaded that takes long."""
    from topics.errors import KafkaUnavailable
    from topics.kafka.client import require

    try:
        require(Settings().kafka)
    except KafkaUnavailable as error:
        _cannot_say(str(error))


@contextmanager
def _servers() -> Iterator[tuple[Settings, "Reader", "Store"]]:
    """Connect to both servers. Their errors end the command with a sentence, Ctrl-C ends it without one."""
    from confluent_kafka import KafkaException

    from operations.ledger.store import Store, StoreError
    from sinks.elasticsearch.connection import words
    from topics.errors import KafkaUnavailable, RegistryRefused, RegistryUnavailable
    from topics.kafka.client import require
    from topics.kafka.reader import Reader

    settings = Settings()
    try:
        require(settings.kafka)
        with Reader(settings.kafka) as reader, Store(settings) as store:
            yield settings, reader, store
    except KafkaException as error:
        _cannot_say(f"Kafka: {error.args[0].str()}")
    except StoreError as error:
        _cannot_say(words(error))
    except (KafkaUnavailable, RegistryUnavailable, RegistryRefused) as error:
        _cannot_say(str(error))
    except KeyboardInterrupt:
        raise typer.Exit from None


def _cannot_say(text: str) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(UNKNOWN)
