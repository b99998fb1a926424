"""Measures what processing costs and how long it takes, on the servers of the settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from operations.bench.errors import BenchError

PANEL = "Develop"

app = typer.Typer(help="Measure what processing costs, on real servers.", no_args_is_help=True)

_CORPUS = typer.Option("--corpus", help="Raw lines, .gz too; our own demonstration corpus when none is given.")
_GEOIP = typer.Option("--geoip", help="GeoIP database; the packaged one when none is given.")
_JSON = typer.Option("--json", help="Print one JSON object.")


@app.command()
def normalize(
    corpus: Annotated[Path | None, _CORPUS] = None,
    geoip: Annotated[Path | None, _GEOIP] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raw topic to typed topics: header, stream, GeoIP and Avro.

    Example: ogrewatch bench normalize --corpus corpus.log --geoip GeoLite2-City.mmdb --json
    """
    from operations.bench.run import measure

    _show(_finished(lambda: measure(["normalize"], corpus, geoip)), as_json)


@app.command()
def pipeline(
    corpus: Annotated[Path | None, _CORPUS] = None,
    geoip: Annotated[Path | None, _GEOIP] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raw topic to searchable and counted, all agents on.

    Example: ogrewatch bench pipeline --corpus corpus.log --json
    """
    from operations.bench.run import ROLES, measure

    _show(_finished(lambda: measure(ROLES, corpus, geoip)), as_json)


@app.command("latency")
def _latency(
    rate: Annotated[int, typer.Option(min=1, help="Lines a second.")] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="For how long.")] = 30,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """How long after its arrival in Kafka an event is searchable, and counted.

    The n-th line to arrive is taken for the n-th to be found: what a line may gain or lose by that, another loses or
    gains. Looks are 50 ms apart, which is part of the figures.

    Example: ogrewatch bench latency --rate 1000 --seconds 30 --json
    """
    from operations.bench.run import latency

    _show(_finished(lambda: latency(rate, seconds)), as_json)


@app.command()
def ingest(as_json: Annotated[bool, _JSON] = False) -> None:
    """HTTP request to raw topic, beside a handler that only reads and answers.

    Example: ogrewatch bench ingest --json
    """
    from operations.bench.ingest import measure

    found = _finished(measure)
    if as_json:
        print(orjson.dumps(found).decode())
        return
    for server, cases in found.items():
        for name, figures in cases.items():
            print(f"{server:6} {name:22} {figures}")


@app.command()
def detect(
    rules: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many rules: the packaged ones, then made ones.")
    ] = 200,
    folder: Annotated[
        Path | None, typer.Option(help="Rules of a folder instead.", exists=True, file_okay=False)
    ] = None,
    corpus: Annotated[Path | None, _CORPUS] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """What judging events by rules costs, beside no rules; in this process, and without servers.

    Example: ogrewatch bench detect --rules 200 --corpus corpus.log --json
    """
    from operations.bench.detect import measure

    _show(_finished(lambda: measure(rules, corpus, folder)), as_json)


def _finished(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return measure()
    except BenchError as error:
        raise typer.BadParameter(f"{error}") from None


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(found).decode())
        return
    for name, value in found.items():
        print(f"{name:24} {value}")
