"""Shows how one raw line would be processed: header, stream, attempt, enrichment, topic, key, rules and event."""

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer

from agents.settings import Settings
from cli.web_options import Url, answered
from operations.printable import printable
from operations.web_client import WebClient

PANEL = "Look"

_HEADER = ("host_hostname", "process_name", "process_pid", "log_syslog_priority")
_ENRICHED = ("source_geo_country_iso_code", "source_geo_city_name", "source_as_number", "source_as_organization_name")


def command(
    line: Annotated[str | None, typer.Argument(help="A raw log line.", show_default=False)] = None,
    program: Annotated[str | None, typer.Option(help="The program that wrote it, if it has no header.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Folder with rules instead of the packaged ones.", exists=True)
    ] = None,
    identity: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="An event that came, as raw.syslog-1-14369.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    url: Url = None,
) -> None:
    """Show what becomes of a line: header, stream, whether it is a login attempt, where it goes, which rules it meets.

    With --id: what became of an event, where it is stored, or why it is a dead letter.

    Example: ogrewatch explain --id raw.syslog-1-14369
    Example: ogrewatch explain '<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user x from 81.2.69.142 port 22'
    """
    if (line is None) == (identity is None):
        raise typer.BadParameter("give a line, or --id")
    if identity is not None:
        _print_event(identity, as_json, url)
        return
    found = _explained(line or "", program, rules)
    if as_json:
        print(printable(orjson.dumps(found).decode()))
        return
    for name in ("header", "enriched"):
        told = ", ".join(f"{column} {value}" for column, value in found[name].items())
        print(f"{name:8} {printable(told) or 'nothing'}")
    for name in ("stream", "counted", "topic", "key"):
        print(f"{name:8} {printable(found[name])}")
    print(f"{'rules':8} {printable(', '.join(found['rules'])) or 'none'}")
    print(printable(orjson.dumps(found["event"], option=orjson.OPT_INDENT_2).decode(), keep="\n"))


def _print_event(identity: str, as_json: bool, url: str | None) -> None:
    """Print where an event came from and what became of it, as the web role says."""
    with answered():
        found = WebClient(url).json(f"/api/v1/events/{quote(identity, safe='')}")
    if as_json:
        print(printable(orjson.dumps(found).decode()))
        return
    if found["raw"] is not None:
        print(f"{'line':12} {printable(found['raw']['text'])}")
    for step in found["steps"]:
        print(f"{step['step']:12} {printable(step['says'])}")
    for why in filter(None, (found["raw_missing"], found["store_error"])):
        print(f"{'missing':12} {printable(why)}")
    print(printable(orjson.dumps(found["event"], option=orjson.OPT_INDENT_2).decode(), keep="\n"))


def _explained(line: str, program: str | None, folder: Path | None) -> dict[str, Any]:
    from agents.pipeline import Pipeline
    from streams.base import MemoryState
    from topics.catalogue import typed
    from topics.documents.ecs import iso, render
    from topics.event import key_of, kind_of

    settings, raw = Settings(), line.encode("utf-8", "surrogateescape")
    event = Pipeline(settings).event(raw, time.time_ns() // 1000, MemoryState(), program)
    attempts = event.get("ogrewatch_attempt", 0)
    return {
        "header": {"@timestamp": iso(event["timestamp"])} | _named(event, _HEADER),
        "stream": event.get("event_dataset", ""),
        "counted": f"{attempts} {event.get('event_outcome', '')} at {event['ogrewatch_service']}" if attempts else "no",
        "enriched": _named(event, _ENRICHED),
        "topic": settings.prefix + typed(kind_of(event)),
        "key": key_of(event).decode(errors="replace"),
        "rules": _met(raw, program, folder, settings),
        "event": render(event),
    }


def _met(raw: bytes, program: str | None, folder: Path | None, settings: Settings) -> list[str]:
    """The names of the rules that hold for a line."""
    from alerts.rules.load import PACK, load_folder
    from operations.rules.explain import met
    from operations.rules.lines import LineEncoder

    event = LineEncoder(settings).encode(raw, time.time_ns() // 1000, program)
    return [rule.name for rule in met(load_folder(folder or PACK), event)]


def _named(event: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    from topics.fields import FIELDS

    return {FIELDS[column].ecs: event[column] for column in columns if column in event}
