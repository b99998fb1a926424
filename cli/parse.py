"""Prints raw lines as ECS events, one line of JSON for each, without Kafka."""

import gzip
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import orjson
import typer

from agents.settings import Settings

PANEL = "Look"

_Line = tuple[bytes, str | None, str]
"""A raw line, its program if the input names one, and what is wrong with the input."""


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Log file, plain or .gz; standard input when `-` or absent.", show_default=False),
    ] = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help='Input lines are JSON: {"message": RAW, "program": NAME or absent}.')
    ] = False,
    coverage: Annotated[
        Path | None,
        typer.Option(help="Print no events, but which share of the lines of FILE was understood; - is standard input."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="With --coverage: as many shapes of what was not understood.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="With --coverage: print one JSON object.")] = False,
) -> None:
    """Parse raw log lines and print one ECS event as JSON for each, in order.

    Examples: ogrewatch parse /var/log/auth.log; ogrewatch parse --coverage /var/log/syslog.1.gz
    """
    if coverage is not None and file is not None:
        raise typer.BadParameter("a FILE and --coverage exclude each other")
    if coverage is not None:
        _cover(coverage, jsonl, limit, as_json)
        return
    from agents.pipeline import Pipeline
    from streams.base import MemoryState
    from topics.documents.ecs import render

    pipeline, state = Pipeline(Settings()), MemoryState()
    with _opened(file or Path("-"), "FILE") as lines:
        for raw, program, error in _lines(lines, jsonl):
            event = pipeline.event(raw, time.time_ns() // 1000, state, program)
            if error:
                event.update(event_kind="pipeline_error", error_message=error)
            sys.stdout.buffer.write(orjson.dumps(render(event)) + b"\n")
            sys.stdout.buffer.flush()


def _cover(path: Path, jsonl: bool, limit: int, as_json: bool) -> None:
    from rich.console import Console

    from operations.coverage import Coverage, shown
    from streams.base import MemoryState
    from streams.dispatch import Dispatcher

    dispatcher, state, found = Dispatcher(Settings().zone), MemoryState(), Coverage()
    with _opened(path, "--coverage") as file:
        for raw, program, _ in _lines(file, jsonl):
            found.add(dispatcher.parse(raw, time.time_ns() // 1000, state, program))
    report = found.report(limit)
    if as_json:
        print(orjson.dumps(report).decode())
    else:
        Console().print(shown(report))


@contextmanager
def _opened(path: Path, option: str) -> Iterator[BinaryIO]:
    """Open a file, unpacked if it is gzip. Raises `typer.BadParameter` that names the option."""
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            yield cast(BinaryIO, opened)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise typer.BadParameter(f"{path} is no whole gzip file: {error}", param_hint=option) from error
    except (IsADirectoryError, FileNotFoundError, PermissionError) as error:
        raise typer.BadParameter(f"{path}: {error.strerror}", param_hint=option) from error


def _lines(file: Iterable[bytes], jsonl: bool) -> Iterator[_Line]:
    for line in file:
        yield _unwrap(line) if jsonl else (line.rstrip(b"\r\n"), None, "")


def _unwrap(line: bytes) -> _Line:
    from streams.mapping.json_record import read

    found = read(line.decode("utf-8", "surrogateescape"))
    message, program = (found.get("message"), found.get("program")) if found else (None, None)
    if not isinstance(message, str):
        return line.rstrip(b"\r\n"), None, "not an object with a message"
    if not (program is None or isinstance(program, str)):
        return message.encode(), None, "program is not a string"
    return message.encode(), program, ""
