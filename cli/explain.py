"""One raw line in, the way it would go out: stream, attempt, topic, key and event."""

import time
from typing import Annotated, Any

import orjson
import typer

from agents.settings import Settings

PANEL = "Look"


def command(
    line: Annotated[str, typer.Argument(help="A raw log line.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what becomes of a line: its stream, whether it counts as a login attempt, its topic, key and event.

    Example: ogrewatch explain '<38>Oct  1 10:00:00 web1 sshd[7]: Invalid user x from 81.2.69.142 port 22'
    """
    found = _explained(line)
    if as_json:
        print(orjson.dumps(found).decode())
        return
    for name in ("stream", "counted", "topic", "key"):
        print(f"{name:8} {found[name]}")
    print(orjson.dumps(found["event"], option=orjson.OPT_INDENT_2).decode())


def _explained(line: str) -> dict[str, Any]:
    from agents.pipeline import Pipeline
    from streams.base import MemoryJoins
    from topics.catalogue import typed
    from topics.ecs import render
    from topics.event import key_of, kind_of

    settings = Settings()
    event = Pipeline(settings).event(line.encode("utf-8", "surrogateescape"), time.time_ns() // 1000, MemoryJoins())
    attempts = event.get("ogrewatch_attempt", 0)
    return {
        "stream": event.get("event_dataset", ""),
        "counted": f"{attempts} {event.get('event_outcome', '')} at {event['ogrewatch_service']}" if attempts else "no",
        "topic": settings.prefix + typed(kind_of(event)),
        "key": key_of(event).decode(errors="replace"),
        "event": render(event),
    }
