"""Lists and shows alerts, writes down what people do with them, and exports them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from agents.settings import Settings
from cli.deadletter_options import millis
from operations.printable import printable

if TYPE_CHECKING:
    from topics.records.acts import Kind
    from web.store.alerts import WantedAlerts

PANEL = "Look"

app = typer.Typer(help="List, show, acknowledge, close and export alerts.", no_args_is_help=True)


class State(StrEnum):
    """What people did with an alert last."""

    ALL = "all"
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What a person found."""

    TRUE_POSITIVE = "true_positive"
    FALSE_POSITIVE = "false_positive"
    BENIGN = "benign"


_State = Annotated[State, typer.Option(help="What people did with them.")]
_Rule = Annotated[str, typer.Option(metavar="NAME", help="Only of the rule with this name or id.")]
_Severity = Annotated[list[str] | None, typer.Option(metavar="LEVEL", help="Only of this level; may be repeated.")]
_Since = Annotated[str, typer.Option(metavar="TIME", help="Changed since: 24h, 7d (ago), or ISO 8601 in UTC.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of alerts, or their first 6 characters or more.")]
_Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What others should know.")]


@app.command("list")
def list_alerts(
    state: _State = State.OPEN, rule: _Rule = "", severity: _Severity = None, since: _Since = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most alerts, those that changed last.")] = 50,
    as_json: _Json = False,
) -> None:  # fmt: skip
    """List alerts, those that changed last at the end.

    Example: ogrewatch alerts list --severity high --since 24h
    """
    from operations.alerts import listed

    with _sentence():
        found = listed(Settings(), _wanted(state, rule, severity, since), limit)
    if as_json:
        print(printable(orjson.dumps(found).decode()))
        return
    for one in reversed(found["alerts"]):
        print(_row(one))
    least = "at least " if found["total_is"] != "exact" else ""
    typer.echo(f"{len(found['alerts']):,} of {least}{found['total']:,} alerts.", err=True)


@app.command()
def show(identity: Annotated[str, typer.Argument(metavar="ID")], as_json: _Json = False) -> None:
    """Show one alert: why it was raised, the lines it rests on, what to do, and what people did.

    Example: ogrewatch alerts show 08fe927fc81d
    """
    from operations.alerts import called

    with _sentence():
        (one,) = called(Settings(), [identity])
    print(printable(orjson.dumps(one).decode()) if as_json else "\n".join(map(printable, _told(one))))


@app.command()
def ack(ids: _Ids, note: _Note = "", assignee: Annotated[str, typer.Option(help="Who looks into it.")] = "") -> None:
    """Say that somebody looks into alerts.

    Example: ogrewatch alerts ack 08fe927fc81d --assignee ann
    """
    _act(ids, "acknowledge", note, assignee=assignee)


@app.command()
def close(
    ids: _Ids, note: _Note = "",
    verdict: Annotated[Verdict | None, typer.Option(help="What it was.")] = None,
) -> None:  # fmt: skip
    """Say that alerts are done with. They go on counting, and stay closed.

    Example: ogrewatch alerts close 08fe927fc81d --verdict false_positive --note 'our scanner'
    """
    _act(ids, "close", note, verdict=verdict.value if verdict else "")


@app.command()
def reopen(ids: _Ids, note: _Note = "") -> None:
    """Open alerts again.

    Example: ogrewatch alerts reopen 08fe927fc81d
    """
    _act(ids, "reopen", note)


@app.command("note")
def add_note(ids: _Ids, text: Annotated[str, typer.Option("--note", metavar="TEXT", help="The note.")]) -> None:
    """Add a note to alerts.

    Example: ogrewatch alerts note 08fe927fc81d --note 'asked the user'
    """
    _act(ids, "note", text)


@app.command()
def export(state: _State = State.ALL, rule: _Rule = "", severity: _Severity = None, since: _Since = "") -> None:
    """Print all alerts as lines of JSON, the newest first.

    Example: ogrewatch alerts export --since 30d > alerts.ndjson
    """
    from operations.alerts import exported

    def write(one: dict[str, Any]) -> None:
        sys.stdout.buffer.write(orjson.dumps(one) + b"\n")

    with _sentence():
        number = exported(Settings(), _wanted(state, rule, severity, since), write)
    sys.stdout.buffer.flush()
    typer.echo(f"{number:,} alerts.", err=True)


def _act(ids: list[str], kind: "Kind", note: str, verdict: str = "", assignee: str = "") -> None:
    from operations.alerts import act

    with _sentence():
        for identity in act(Settings(), ids, kind, note, verdict, assignee):
            print(f"{identity}  {kind}: written down; `ogrewatch alerts show` tells it in a few seconds.")


def _wanted(state: State, rule: str, severity: list[str] | None, since: str) -> "WantedAlerts":
    from web.store.alerts import LEVELS, WantedAlerts

    for level in severity or ():
        if level not in LEVELS:
            raise typer.BadParameter(f"{level!r} is none of {', '.join(LEVELS)}", param_hint="--severity")
    begin = millis(since) / 1000 if since else None
    return WantedAlerts(state.value, rule, tuple(severity or ()), begin)


@contextmanager
def _sentence() -> Iterator[None]:
    """End with a sentence when there is no answer."""
    from operations.alerts import NoAlerts

    try:
        yield
    except NoAlerts as error:
        typer.echo(printable(f"{error}"), err=True)
        raise typer.Exit(1) from None


def _row(one: dict[str, Any]) -> str:
    about = one.get("ogrewatch", {}).get("alert", {})
    texts = f"{one['id'][:12]}  {one['@timestamp'][:19]}Z  {about.get('level', ''):13}  {about.get('status', ''):12}"
    return printable(f"{texts}  {about.get('count', 0):7,}  {one.get('message', '')}")


def _told(one: dict[str, Any]) -> Iterator[str]:
    about, event, rule = one.get("ogrewatch", {}).get("alert", {}), one.get("event", {}), one.get("rule", {})
    yield f"{one.get('message', '')}"
    status, revision = about.get("status", "open"), about.get("revision", 0)
    yield f"id {one['id']}, level {about.get('level', '?')}, {status}, revision {revision}"
    yield f"why: {event.get('reason', '?')}"
    over = ", over" if about.get("over") else ""
    yield f"from {event.get('start', '?')} to {event.get('end', '?')}: {about.get('count', 0):,} events{over}"
    if group := about.get("group"):
        yield f"group: {', '.join(group)}"
    if samples := about.get("samples"):
        yield f"values: {', '.join(samples)}"
    author, license_ = ", ".join(rule.get("author", ())), rule.get("license", "")
    licensed = f", {license_}" if license_ else ""
    yield f"rule {about.get('rule', '?')} ({rule.get('id', '?')}) by {author or 'nobody named'}{licensed}"
    if reference := rule.get("reference"):
        yield f"references: {reference}"
    if runbook := about.get("runbook"):
        yield f"what to do: {runbook}"
    for line in about.get("evidence", ()):
        yield f"  {line.get('at', '')}  {line.get('id', '')}  {line.get('line', '')}"
    for done in about.get("acts", ()):
        said = " ".join(part for part in (done.get("verdict", ""), done.get("comment", "")) if part)
        yield f"{done.get('at', '')}  {done.get('by', '')}: {done.get('kind', '')}{f' ({said})' if said else ''}"
