"""Sends raw log lines of a file, a pipe or the demonstration corpus to a raw topic, byte for byte."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from agents.settings import Settings
from operations.line_source import demonstration, file_source
from operations.produce import ProduceError, Sender, Tally
from operations.rate_limit import limiter
from operations.sending import Key, send

PANEL = "Run"

INTERRUPTED = 130  # the exit code after Ctrl-C


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Log file, plain or .gz; standard input when `-` or absent.", show_default=False),
    ] = None,
    topic: Annotated[str, typer.Option(help="Topic to send to, without the installation's prefix.")] = "raw.syslog",
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Lines a second; as fast as Kafka takes them when absent.")
    ] = None,
    key: Annotated[Key, typer.Option(help="Key records by the host in the header, or not at all.")] = Key.HOST,
    demo: Annotated[bool, typer.Option("--demo", help="Send the demonstration corpus, in about a minute.")] = False,
    seed: Annotated[int, typer.Option(help="Which hour of the demonstration corpus.")] = 1,
    keep_up: Annotated[
        bool, typer.Option("--keep-up", help="Send no faster than workers store: others' lines do not wait behind.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send raw log lines to Kafka, as they are.

    Lines end at a newline and are not decoded. Empty ones are skipped, those over 8 MiB refused: then the status is 1.

    Example: zcat /var/log/auth.log.2.gz | ogrewatch produce --topic raw.syslog --rate 5000
    """
    if demo and file is not None:
        raise typer.BadParameter("a FILE and --demo exclude each other")
    settings, tally = Settings(), Tally()
    topic = settings.prefix + topic
    try:
        # First of all, since making the corpus for a Kafka that is away would only take time.
        sender = Sender(settings.kafka, topic, tally)
        with (
            demonstration(seed, rate, tally) if demo else file_source(file, tally) as source,
            limiter(source.rate or rate, settings, keep_up) as limit,
        ):
            seconds, finished = send(source, sender, tally, limit, key)
    except ProduceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _summarize(topic, tally, seconds, as_json)
    if not finished:
        raise typer.Exit(INTERRUPTED)
    if tally.refused:
        raise typer.Exit(1)


def _summarize(topic: str, tally: Tally, seconds: float, as_json: bool) -> None:
    rate = tally.lines / max(seconds, 0.001)
    if as_json:
        summary = {"topic": topic, **asdict(tally), "seconds": round(seconds, 3), "lines_per_second": round(rate, 1)}
        typer.echo(orjson.dumps(summary))
        return
    left = "".join(
        f", {count:,} {word}" for count, word in ((tally.skipped, "empty skipped"), (tally.refused, "refused")) if count
    )
    size = f"{tally.bytes / 1e6:,.1f} MB"
    typer.echo(f"{tally.lines:,} lines ({size}{left}) sent to {topic} in {seconds:,.1f} s: {rate:,.0f} lines/s")
