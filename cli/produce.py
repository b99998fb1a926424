"""Sends raw log lines of a file, a pipe or the demonstration corpus to a raw topic, byte for byte."""

import gzip
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from agents.settings import Settings
from ingest.hosts import host_of_line
from operations.lag_control import LagLimiter
from operations.produce import LONGEST_LINE, ProduceError, Sender, Tally
from stack.demo.corpus import generate

PANEL = "Run"

DEMO_SECONDS = 60.0
INTERRUPTED = 130


class Key(StrEnum):
    """What a record is keyed by: one host's lines stay in one partition, in order, or any partition may take a line."""

    HOST = "host"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Source:
    """Lines with their numbers; how far along they are, `done()` of `total` in any unit; a rate of their own."""

    lines: Iterable[tuple[int, bytes]]
    total: float | None = None
    done: Callable[[], float] = float
    rate: float | None = None


class RateLimiter:
    """Holds lines back to a rate. After a hold-up of more than a second it does not hurry to catch up."""

    def __init__(self, rate: float | None) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._due = time.monotonic()

    def wait(self) -> None:
        """Blocks until the next line may go; short waits are saved up to a few milliseconds."""
        if not self._gap:
            return
        ahead = self._due - time.monotonic()
        if ahead > 0.003:
            time.sleep(ahead)
        elif ahead < -1:
            self._due -= ahead
        self._due += self._gap


class Meter:
    """Follows the sending: the summary's figures and, on a terminal, a progress bar; elsewhere nothing is shown."""

    def __init__(self, source: Source, tally: Tally, progress: Progress) -> None:
        self._source, self._tally, self._progress = source, tally, progress
        self._begin = self._shown = time.monotonic()
        self._task = progress.add_task("sending", total=source.total, lines=0, rate=0.0)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begin

    def due(self) -> bool:
        """Whether a tenth of a second has passed since the bar last moved."""
        return time.monotonic() - self._shown > 0.1

    def show(self) -> None:
        rate = self._tally.lines / max(self.seconds, 0.001)
        self._progress.update(self._task, completed=self._source.done(), lines=self._tally.lines, rate=rate)
        self._shown = time.monotonic()


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Log file, plain or .gz; standard input when `-` or absent.", show_default=False),
    ] = None,
    topic: Annotated[str, typer.Option(help="Topic to send to, without the installation's prefix.")] = "raw.syslog",
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Lines a second; as fast as Kafka takes them when absent.")
    ] = None,
    key: Annotated[Key, typer.Option(help="Key records by the host in the header, or not at all.")] = Key.HOST,
    demo: Annotated[bool, typer.Option("--demo", help="Send the demonstration corpus, in about a minute.")] = False,
    seed: Annotated[int, typer.Option(help="Which hour of the demonstration corpus.")] = 1,
    keep_up: Annotated[
        bool, typer.Option("--keep-up", help="Send no faster than workers store: others' lines do not wait behind.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send raw log lines to Kafka, as they are.

    Lines end at a newline and are not decoded. Empty ones are skipped, those over 8 MiB refused: then the status is 1.

    Example: zcat /var/log/auth.log.2.gz | ogrewatch produce --topic raw.syslog --rate 5000
    """
    if demo and file is not None:
        raise typer.BadParameter("a FILE and --demo exclude each other")
    settings, tally = Settings(), Tally()
    topic = settings.prefix + topic
    try:
        # First of all, since making the corpus for a Kafka that is away would only take time.
        sender = Sender(settings.kafka, topic, tally)
        with (
            _demonstration(seed, rate, tally) if demo else _source(file, tally) as source,
            _limiter(source.rate or rate, settings, keep_up) as limiter,
        ):
            seconds, finished = _send(source, sender, tally, limiter, key)
    except ProduceError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    _summarize(topic, tally, seconds, as_json)
    if not finished:
        raise typer.Exit(INTERRUPTED)
    if tally.refused:
        raise typer.Exit(1)


@contextmanager
def _limiter(rate: float | None, settings: Settings, keep_up: bool) -> Iterator[RateLimiter | LagLimiter]:
    """What holds lines back: to a rate, or to what the workers manage."""
    if not keep_up:
        yield RateLimiter(rate)
        return
    from confluent_kafka import KafkaException

    from topics.kafka.reader import Reader

    with Reader(settings.kafka) as reader:

        def backlog() -> int | None:
            try:
                return sum(reader.left(role, settings.prefix) for role in ("normalize", "index"))
            except KafkaException:
                return None

        yield LagLimiter(rate, backlog)


def _send(
    source: Source, sender: Sender, tally: Tally, limiter: RateLimiter | LagLimiter, key: Key
) -> tuple[float, bool]:
    """Sends all of it. Leaves the seconds it took, and whether it came to its end, which Ctrl-C prevents."""
    finished = True
    with _progress() as progress:
        meter = Meter(source, tally, progress)
        try:
            for number, line in source.lines:
                limiter.wait()
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


@contextmanager
def _source(file: Path | None, tally: Tally) -> Iterator[Source]:
    if file is None and sys.stdin.isatty():
        raise ProduceError("There is nothing to send: name a FILE, pipe lines in, or use --demo.")
    if file is None or file == Path("-"):
        yield Source(_numbered(sys.stdin.buffer, tally))
        return
    with _opened(file) as raw, _unpacked(file, raw) as stream:
        try:
            yield Source(_numbered(stream, tally), file.stat().st_size, lambda: float(raw.tell()))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            reason = str(error).rstrip(".")
            raise ProduceError(
                f"{file} is no whole gzip file ({reason}); the {tally.lines:,} lines read were sent."
            ) from None


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise ProduceError(f"{file} cannot be read: {error.strerror}.") from None


def _unpacked(file: Path, raw: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.open(raw)) if file.suffix == ".gz" else raw


def _numbered(stream: BinaryIO, tally: Tally) -> Iterator[tuple[int, bytes]]:
    """The lines to send, with their numbers. Never holds more than the longest line."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        text = line.removesuffix(b"\n")
        if len(text) > LONGEST_LINE:
            tally.refuse(number, f"it is longer than {LONGEST_LINE >> 20} MiB")
            _pass_over(stream)
        elif text:
            yield number, text
        else:
            tally.skipped += 1


def _pass_over(stream: BinaryIO) -> None:
    """Reads up to the end of the line."""
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


@contextmanager
def _demonstration(seed: int, rate: float | None, tally: Tally) -> Iterator[Source]:
    """The corpus of the hour that will just have passed when its last line is sent."""
    now = datetime.now(UTC)
    seconds = DEMO_SECONDS if rate is None else sum(1 for _ in generate(seed, now)) / rate
    lines = [line for _, _, line in generate(seed, now + timedelta(seconds=seconds))]
    yield Source(enumerate(lines, 1), len(lines), lambda: float(tally.lines), len(lines) / seconds)


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


def _summarize(topic: str, tally: Tally, seconds: float, as_json: bool) -> None:
    rate = tally.lines / max(seconds, 0.001)
    if as_json:
        summary = {"topic": topic, **asdict(tally), "seconds": round(seconds, 3), "lines_per_second": round(rate, 1)}
        typer.echo(orjson.dumps(summary))
        return
    left = "".join(
        f", {count:,} {word}" for count, word in ((tally.skipped, "empty skipped"), (tally.refused, "refused")) if count
    )
    size = f"{tally.bytes / 1e6:,.1f} MB"
    typer.echo(f"{tally.lines:,} lines ({size}{left}) sent to {topic} in {seconds:,.1f} s: {rate:,.0f} lines/s")
