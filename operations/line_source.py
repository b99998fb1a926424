"""Reads the lines that `ogrewatch produce` sends: a file, standard input or the demonstration corpus."""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from operations.produce import LONGEST_LINE, ProduceError, Tally
from stack.demo.corpus import generate

DEMO_SECONDS = 60.0  # in which the demonstration corpus is sent


@dataclass(frozen=True, slots=True)
class Source:
    """Lines with their numbers. `done()` of `total` are sent, in any unit; `rate` is the lines' own rate, if any."""

    lines: Iterable[tuple[int, bytes]]
    total: float | None = None
    done: Callable[[], float] = float
    rate: float | None = None


@contextmanager
def file_source(file: Path | None, tally: Tally) -> Iterator[Source]:
    """Open a file, or standard input for None and `-`. Raises `ProduceError`."""
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
    """Yield lines with their numbers. Never holds more than the longest line."""
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
    """Read up to the end of the line."""
    while (rest := stream.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


@contextmanager
def demonstration(seed: int, rate: float | None, tally: Tally) -> Iterator[Source]:
    """The lines of an hour that has just passed when its last line is sent; without a rate, in about a minute."""
    now = datetime.now(UTC)
    seconds = DEMO_SECONDS if rate is None else sum(1 for _ in generate(seed, now)) / rate
    lines = [line for _, _, line in generate(seed, now + timedelta(seconds=seconds))]
    yield Source(enumerate(lines, 1), len(lines), lambda: float(tally.lines), len(lines) / seconds)
