"""Judges the events that Kafka still holds by a rule, and says which alerts it would have raised."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from confluent_kafka import KafkaException

from agents.settings import Settings
from alerts.rules.errors import RuleError
from cli.deadletter_options import millis
from operations.printable import printable
from topics.errors import KafkaUnavailable

if TYPE_CHECKING:
    from alerts.correlation.judge import AnyRule
    from alerts.rules.load import RuleSet
    from operations.backtest.run import Backtest, Progress

PANEL = "Look"

_Folder = Annotated[
    Path | None, typer.Option(help="Folder with rules; the packaged ones when absent.", exists=True, file_okay=False)
]


def command(
    rule: Annotated[str, typer.Argument(help="A rule file, or the name, title or id of a rule.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="24h, 7d (ago), or ISO 8601 in UTC; by arrival.")] = "24h",
    folder: _Folder = None,
    limit: Annotated[int, typer.Option(min=0, help="Alerts that are listed.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with all alerts.")] = False,
) -> None:
    """Say which alerts a rule would have raised for the events that Kafka still holds. Nothing is written.

    A file must hold one rule that raises alerts; it may hold others that this one is about.

    Example: ogrewatch backtest mine.yml --since 24h
    """
    from operations.backtest.run import backtest
    from topics.kafka.reader import Reader

    settings, (rules, chosen) = Settings(), _chosen(rule, folder)
    try:
        with Reader(settings.kafka) as reader, _bar(as_json) as progress:
            found = backtest(reader, settings.prefix, rules, chosen, millis(since), progress)
    except KafkaException as error:
        raise KafkaUnavailable(
            f"The events cannot be read from Kafka at {settings.kafka}: {error.args[0].str()}."
        ) from None
    if as_json:
        print(printable(orjson.dumps(found).decode()))
    else:
        _show(found, limit)


def _chosen(called: str, folder: Path | None) -> "tuple[RuleSet, AnyRule]":
    from alerts.rules.load import PACK, RuleSet, add_file, load_folder
    from operations.rules.explain import find

    path = Path(called)
    try:
        if path.suffix not in (".yml", ".yaml"):
            rules = load_folder(folder or PACK)
            return rules, find(rules, called)
        rules = RuleSet()
        add_file(rules, path.read_bytes(), path.name)
        for error in rules.refused:
            raise error
        both: list[AnyRule] = [*rules.rules.values(), *rules.correlations.values()]
        loud = [one for one in both if not one.silent]
        if len(loud) != 1:
            names = ", ".join(one.name for one in loud) or "none"
            raise RuleError(f"a file for a backtest holds one rule that raises alerts; there are: {names}", path.name)
        return rules, loud[0]
    except OSError as error:
        raise typer.BadParameter(f"{called}: {error.strerror}", param_hint="RULE") from None
    except RuleError as error:
        raise typer.BadParameter(f"{error}", param_hint="RULE") from None


@contextmanager
def _bar(quiet: bool) -> "Iterator[Progress]":
    """A progress bar on the standard error, if that is a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("events")
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(found: "Backtest", limit: int) -> None:
    print(printable(f"{found.rule} since {found.since}: {found.events:,} events, {found.alert_count:,} alerts."))
    if found.late or found.undecodable:
        print(f"{found.late:,} matches came too late to be judged, {found.undecodable:,} events cannot be read.")
    if not found.local:
        print("Groups of this rule cross partitions: alerts may begin at other events than live ones.")
    for hour, number in found.alerts_per_hour.items():
        print(f"{hour[:13]}h  {number:6,}  {'#' * min(number, 60)}")
    for alert in found.alerts[:limit]:
        group = ", ".join(f"{name} {value}" for name, value in alert.group.items())
        print(printable(f"{alert.id}  {alert.first} to {alert.last}  {alert.count:,} matches  {group}"))
    if len(found.alerts) > limit:
        print(f"... and {len(found.alerts) - limit:,} more; --limit or --json shows them.")
    print(f"{found.cpu_seconds} CPU seconds, {found.events_per_cpu_second:,} events a CPU second.")
