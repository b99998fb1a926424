"""Looks at an installation, once or again and again, and shows what was found."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import Progress

from agents.settings import Settings
from operations.ledger import render
from operations.ledger.balance import Ledger, count, look, verify
from operations.ledger.scan import Step
from operations.ledger.store import Store
from topics.kafka.reader import Reader

_PAUSE = 2.0  # the least number of seconds between two looks
_REST = 9  # the pause after a look is at least so many times as long as the look, to keep the load small


def single(reader: Reader, store: Store, settings: Settings, since: int, exact: bool) -> Ledger:
    """Look once at what was received since a time in milliseconds; at every record if `exact`, or if sums are wrong.

    Blocks, with a progress bar on a terminal.
    """
    seen, given = look(reader, store, settings, since)
    if exact or seen.wrongs:
        with _progress() as step:
            seen = verify(reader, store, settings, seen, given, step)
    count(reader, store, settings, seen)
    return seen


def repeated(
    reader: Reader, store: Store, settings: Settings, since: Callable[[], int], exact: bool
) -> Iterator[Ledger]:
    """Look again and again, with pauses. `since` is asked before each look, because it may be an age."""
    while True:
        begin = time.monotonic()
        seen, given = look(reader, store, settings, since())
        if exact:
            seen = verify(reader, store, settings, seen, given, lambda *_: None)
        count(reader, store, settings, seen)
        yield seen
        time.sleep(max(_PAUSE, _REST * (time.monotonic() - begin)))


def show(seen: Ledger, as_json: bool) -> None:
    """Print a ledger as tables, or as a line of JSON."""
    if as_json:
        print(json.dumps(render.as_json(seen)), flush=True)
    else:
        Console(highlight=False).print(render.shown(seen))


@contextmanager
def screen(as_json: bool) -> Iterator[Callable[[Ledger], None]]:
    """A function that shows a ledger in place of the one before, or prints it as a line of JSON."""
    if as_json:
        yield lambda seen: show(seen, as_json)
        return
    with Live(auto_refresh=False) as live:
        yield lambda seen: live.update(render.shown(seen), refresh=True)


@contextmanager
def _progress() -> Iterator[Step]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("")
        yield lambda what, number, total: progress.update(task, description=what, completed=number, total=total)
