"""Raw lines in, ECS events out as JSON lines, one for each, without Kafka."""

import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer

from agents.settings import Settings

PANEL = "Look"


def command(
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Input lines are JSON: {"message": RAW, "program": NAME or absent}.')
    ] = False,
) -> None:
    """Parse raw log lines from standard input and print one ECS event as JSON for each, in order.

    Example: ogrewatch parse < /var/log/auth.log
    """
    from agents.pipeline import Pipeline
    from streams.base import MemoryJoins
    from topics.ecs import render

    pipeline, joins = Pipeline(Settings()), MemoryJoins()
    for raw, program, error in _lines(jsonl):
        event = pipeline.event(raw, time.time_ns() // 1000, joins, program)
        if error:
            event.update(event_kind="pipeline_error", error_message=error)
        sys.stdout.buffer.write(orjson.dumps(render(event)) + b"\n")
    sys.stdout.buffer.flush()


def _lines(jsonl: bool) -> Iterator[tuple[bytes, str | None, str]]:
    for line in sys.stdin.buffer:
        yield _unwrap(line) if jsonl else (line.rstrip(b"\r\n"), None, "")


def _unwrap(line: bytes) -> tuple[bytes, str | None, str]:
    try:
        found: Any = orjson.loads(line)
        message, program = found["message"], found.get("program")
    except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError) as error:
        return line, None, f"not an object with a message: {error}"
    if not isinstance(message, str) or not (program is None or isinstance(program, str)):
        return line, None, "message and program must be strings"
    return message.encode("utf-8", "surrogatepass"), program, ""
