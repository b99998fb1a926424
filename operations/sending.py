"""Sends the lines of a source at a limited rate, with a progress bar on a terminal."""

import time
from enum import StrEnum

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from ingest.hosts import host_of_line
from operations.lag_control import LagLimiter
from operations.line_source import Source
from operations.produce import Sender, Tally
from operations.rate_limit import RateLimiter


class Key(StrEnum):
    """The key of records: the host, so that its lines stay in one partition in order, or none."""

    HOST = "host"
    NONE = "none"


class Meter:
    """Measures the sending, and shows a progress bar on a terminal."""

    def __init__(self, source: Source, tally: Tally, progress: Progress) -> None:
        self._source, self._tally, self._progress = source, tally, progress
        self._begin = self._shown = time.monotonic()
        self._task = progress.add_task("sending", total=source.total, lines=0, rate=0.0)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    def due(self) -> bool:
        """Whether a tenth of a second has passed since the bar last moved."""
        return time.monotonic() - self._shown > 0.1

    def show(self) -> None:
        """Move the bar."""
        rate = self._tally.lines / max(self.seconds, 0.001)
        self._progress.update(self._task, completed=self._source.done(), lines=self._tally.lines, rate=rate)
        self._shown = time.monotonic()


def send(source: Source, sender: Sender, tally: Tally, limit: RateLimiter | LagLimiter, key: Key) -> tuple[float, bool]:
    """Send all lines. Returns the seconds it took, and whether all were sent, which Ctrl-C prevents."""
    finished = True
    with _progress() as progress:
        meter = Meter(source, tally, progress)
        try:
            for number, line in source.lines:
                limit.wait()
                sender.send(number, line, host_of_line(line) if key is Key.HOST else None)
                if meter.due():
                    sender.poll()
                    meter.show()
        except KeyboardInterrupt:
            finished = False
        finally:
            # Also when reading failed: what was read is sent.
            sender.flush()
            meter.show()
    return meter.seconds, finished


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
