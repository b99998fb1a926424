"""Lists and shows dead letters, sends them again or drops them; see `docs/dead-letters.md`."""

import getpass
import heapq
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from confluent_kafka import KafkaException

from agents.settings import Settings
from cli.deadletter_options import Component, Contains, Ids, Json, Reason, Since, Topic, Until, wanted
from operations.dead_letters.mailbox import DROPPED, REPLAYED, Wanted, search
from topics.errors import OgrewatchError
from topics.kafka.client import require
from topics.kafka.reader import Reader

PANEL = "Run"

app = typer.Typer(help="Dead letters: list, show, send again, give up.", no_args_is_help=True)

_Decided = Annotated[bool, typer.Option("--all", help="Those too that were decided.")]
_Limit = Annotated[int, typer.Option(min=1, help="Most letters: the latest.")]
_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
_All = Annotated[bool, typer.Option("--all", help="Every letter that nothing was decided of.")]


@app.command("list")
def list_letters(
    component: Component = "", reason: Reason = "", topic: Topic = "", since: Since = "", until: Until = "",
    contains: Contains = "", decided: _Decided = False, limit: _Limit = 50, as_json: Json = False,
) -> None:  # fmt: skip
    """List letters, the latest last; those that were sent again or dropped only with --all.

    Example: ogrewatch deadletter list --component index --since 24h
    """
    from rich.console import Console

    from operations.dead_letters import render as shown

    settings, number = Settings(), 0
    asked = wanted(settings, None, component, reason, topic, since, until, contains, decided)
    with _explained(), _reader(settings) as reader:
        found = ((letter.time, number := number + 1, letter, fate) for letter, fate in search(reader, settings, asked))
        latest = [(letter, fate) for *_, letter, fate in sorted(heapq.nlargest(limit, found))]
    if as_json:
        print(json.dumps([shown.as_json(*one) for one in latest]))
    elif latest:
        Console(highlight=False).print(shown.table(latest, number - len(latest)))
    else:
        print("No dead letters.")


@app.command()
def show(identity: Annotated[str, typer.Argument(metavar="ID", help="Id of a letter.")], as_json: Json = False) -> None:
    """Show all of a letter, decided or not. The exit code is 1 when there is none.

    Example: ogrewatch deadletter show normalize:raw.syslog-0-17
    """
    from operations.dead_letters import render as shown

    settings = Settings()
    with _explained(), _reader(settings) as reader:
        found = list(search(reader, settings, Wanted(ids=frozenset([identity]), decided=True)))
    if not found:
        raise _Failed(f"There is no letter {shown.safe(identity)}.")
    print(
        json.dumps([shown.as_json(*one) for one in found])
        if as_json
        else "\n\n".join(shown.page(*one) for one in found)
    )


@app.command()
def replay(
    ids: Ids = None, component: Component = "", reason: Reason = "", topic: Topic = "", since: Since = "",
    until: Until = "", contains: Contains = "", every: _All = False, yes: _Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Send records of letters again, once each. An event keeps the identity that it would have had.

    Example: ogrewatch deadletter replay --component normalize --reason encoding --since 2h
    """
    settings = Settings()
    asked = wanted(settings, ids, component, reason, topic, since, until, contains)
    _decide(settings, REPLAYED, asked, every, yes, as_json)


@app.command()
def drop(
    ids: Ids = None, component: Component = "", reason: Reason = "", topic: Topic = "", since: Since = "",
    until: Until = "", contains: Contains = "", every: _All = False, yes: _Yes = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Give letters up: they are listed no more, and nothing misses them. They are there until their time is over.

    Example: ogrewatch deadletter drop --contains "a line that nobody needs" --yes
    """
    settings = Settings()
    asked = wanted(settings, ids, component, reason, topic, since, until, contains)
    _decide(settings, DROPPED, asked, every, yes, as_json)


def _decide(settings: Settings, what: str, asked: Wanted, every: bool, yes: bool, as_json: bool) -> None:
    from operations.dead_letters.plan import carry_out, plan
    from operations.dead_letters.replay import Decider

    if every == (asked != Wanted()):
        raise typer.BadParameter("name letters by id or options, or all of them by --all")
    with _explained(), _reader(settings) as reader:
        decider = Decider(settings, f"{getpass.getuser()}@{socket.gethostname()}")
        planned = plan(reader, settings, asked)
        if not yes and not as_json and planned:
            typer.confirm(f"{len(planned):,} dead letters will be {what}. Go on?", abort=True)
        done = carry_out(reader, settings, decider, what, planned)
    if as_json:
        print(json.dumps(done))
    else:
        print(", ".join(f"{number:,} {fate}" for fate, number in done.items()) or "No dead letters.")
    if asked.ids and not planned:
        raise _Failed("None of them is there, or all were decided before.")


def _reader(settings: Settings) -> Reader:
    """A reader of Kafka. Raises `KafkaUnavailable` at once when Kafka is away."""
    require(settings.kafka)
    return Reader(settings.kafka)


class _Failed(typer.Exit):
    """Ends the command with status 1, and prints why."""

    def __init__(self, text: str) -> None:
        super().__init__(1)
        typer.echo(text, err=True)


@contextmanager
def _explained() -> Iterator[None]:
    """End the command with a sentence when a server reports an error."""
    try:
        yield
    except (typer.Exit, OgrewatchError):  # nothing has to be loaded to say that Kafka is away
        raise
    except KafkaException as error:
        from operations.dead_letters.replay import why

        raise _Failed(why(error)) from None
    except Exception as error:
        from operations.ledger.store import StoreError
        from sinks.elasticsearch.connection import words

        if isinstance(error, StoreError):
            raise _Failed(words(error)) from None
        raise
