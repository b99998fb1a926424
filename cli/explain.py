"""Shows how one raw line would be processed: header, stream, attempt, enrichment, topic, key and event."""

import time
from typing import Annotated, Any

import orjson
import typer

from agents.settings import Settings
from operations.printable import printable

PANEL = "Look"

_HEADER = ("host_hostname", "process_name", "process_pid", "log_syslog_priority")
_ENRICHED = ("source_geo_country_iso_code", "source_geo_city_name", "source_as_number", "source_as_organization_name")


def command(
    line: Annotated[str, typer.Argument(help="A raw log line.")],
    program: Annotated[str | None, typer.Option(help="The program that wrote it, if it has no header.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what becomes of a line: its header, its stream, whether it counts as a login attempt, where it goes.

    Example: ogrewatch explain '<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user x from 81.2.69.142 port 22'
    """
    found = _explained(line, program)
    if as_json:
        print(printable(orjson.dumps(found).decode()))
        return
    for name in ("header", "enriched"):
        told = ", ".join(f"{column} {value}" for column, value in found[name].items())
        print(f"{name:8} {printable(told) or 'nothing'}")
    for name in ("stream", "counted", "topic", "key"):
        print(f"{name:8} {printable(found[name])}")
    print(printable(orjson.dumps(found["event"], option=orjson.OPT_INDENT_2).decode(), keep="\n"))


def _explained(line: str, program: str | None) -> dict[str, Any]:
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
        "event": render(event),
    }


def _named(event: dict[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    from topics.fields import FIELDS

    return {FIELDS[column].ecs: event[column] for column in columns if column in event}
