"""Feeds damaged lines to every stream's parser: each must give one valid event, in bounded time and size.

The suite takes 20,000 lines. `scripts/fuzz-parsers` takes 1,000,000 and prints what they cost; a failure names a line.
"""

import json
import os
import random
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from stream_checks import check_event

from streams import samples
from streams.base import MemoryState
from streams.common.text import _is_ip, is_ip
from streams.dispatch import Dispatcher
from streams.registry import discover
from streams.syslog.timestamps import _clf, clf
from topics.event import Event

_LINES = int(os.environ.get("OGREWATCH_FUZZ_LINES", "20000"))
_SEED = int(os.environ.get("OGREWATCH_FUZZ_SEED", "1"))
_TOKEN = re.compile(rb"[A-Za-z]+|[0-9]+|\s+|.", re.DOTALL)
_SIGNS = (
    b'"',
    b"'",
    b"\\",
    b"[",
    b"]",
    b"(",
    b")",
    b"<",
    b">",
    b"{",
    b"}",
    b"=",
    b",",
    b":",
    b";",
    b" ",
    b"\0",
    b"\xff",
)
_FOREVER = 200
"""One line in so many is pumped up to `_LONG` bytes."""
_LONG = 40_000
_SLOWEST = 2e-6
"""Seconds of CPU time that a byte may cost, beyond `_START` for the line: ten times what it costs on the average."""
_START = 0.02
_WIDEST = 40
"""Times that an event may be as long as its line, in JSON, beyond `_SPARE_BYTES`."""
_SPARE_BYTES = 8192
_JOINED_BYTES = 65_536
"""Bytes of earlier lines that an event may have: no value that is kept is larger (`agents.state.correlation`)."""
_MORE_MEMORY = 200 << 20
"""Bytes by which the process may grow once it has parsed the first tenth."""


@dataclass
class _Figures:
    """What a run has seen."""

    datasets: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    size: int = 0
    slowest: tuple[float, bytes] = (0.0, b"")
    widest: float = 0.0


class _Lines:
    """Damaged lines, the same ones for a seed. Each stream gets as many, whether it has many samples or few."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        found = [[_TOKEN.findall(line) for line in samples.lines(log) if line] for log in samples.logs()]
        self._streams = [lines for lines in found if lines]
        self._programs = sorted({program for stream in discover() for program in stream.programs})

    def __iter__(self) -> Iterator[tuple[bytes, str | None]]:
        while True:
            parts = list(self._any())
            for _ in range(self._random.randint(1, 5)):
                self._damage(parts)
            if self._random.randrange(_FOREVER) == 0:
                self._pump(parts)
            named = self._random.random() < 0.1
            yield b"".join(parts), self._random.choice(self._programs) if named else None

    def _any(self) -> list[bytes]:
        return self._random.choice(self._random.choice(self._streams))

    def _damage(self, parts: list[bytes]) -> None:
        """Double, cut out, replace, or put in: a sign, some bytes, or a piece of another stream's line."""
        at = self._random.randrange(len(parts) + 1)
        end = min(len(parts), at + self._random.randint(0, 12))
        match self._random.randrange(6):
            case 0:
                parts[at:at] = parts[at:end]
            case 1:
                del parts[at:end]
            case 2:
                parts[at:end] = [self._random.randbytes(self._random.randint(0, 6))]
            case 3:
                parts[at:at] = [self._random.choice(_SIGNS)] * self._random.randint(1, 4)
            case 4:
                parts[at:at] = [str(self._random.choice((0, -1, 2**31, 2**63, 2**64, 10**40))).encode()]
            case _:
                other = self._any()
                start = self._random.randrange(len(other))
                parts[at:at] = other[start : start + 10]

    def _pump(self, parts: list[bytes]) -> None:
        at = self._random.randrange(len(parts) + 1)
        piece = b"".join(parts[max(0, at - self._random.randint(1, 16)) : at]) or self._random.choice(_SIGNS)
        parts[at:at] = [piece * (_LONG // len(piece) + 1)]


def _check(event: Event, line: bytes, joined: int = 0) -> float:
    """Assert that the event is sound, and return how many times as long as its line it is. Up to `joined` bytes may be
    of earlier lines.
    """
    check_event(event)
    assert event.get("error_message") in (None, "empty line"), event.get("error_message")
    size = len(json.dumps(event, ensure_ascii=False).encode())
    assert size <= _WIDEST * len(line) + _SPARE_BYTES + joined, f"an event of {size} bytes"
    return (size - _SPARE_BYTES) / max(len(line), 1)


def _run(dispatcher: Dispatcher, state: MemoryState, line: bytes, program: str | None, figures: _Figures) -> None:
    start = time.thread_time()
    event = dispatcher.parse(line, samples.RECEIVED, state, program)
    seconds = time.thread_time() - start
    if seconds > _START + _SLOWEST * len(line):  # the machine may have done something else: it is not so slow twice
        start = time.thread_time()
        dispatcher.parse(line, samples.RECEIVED, state, program)
        seconds = min(seconds, time.thread_time() - start)
    assert seconds <= _START + _SLOWEST * len(line), f"{seconds:.3f} s"
    wide = _check(event, line, _JOINED_BYTES)
    if wide > _WIDEST:
        wide = _check(dispatcher.parse(line, samples.RECEIVED, MemoryState(), program), line)
    figures.widest = max(figures.widest, wide)
    figures.datasets[event["event_dataset"]] += 1
    figures.seconds += seconds
    figures.size += len(line)
    figures.slowest = max(figures.slowest, (seconds, line[:200]))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.timeout(0 if _LINES > 100_000 else 300)
def test_damaged_lines_by_the_million_make_one_sound_event_each() -> None:
    figures, dispatcher, state = _Figures(), Dispatcher("Europe/Berlin"), MemoryState()
    memory = 0
    for at, (line, program) in enumerate(_Lines(_SEED)):
        if at == _LINES // 10:
            memory = _peak()
        if at == _LINES:
            break
        try:
            _run(dispatcher, state, line, program, figures)
        except Exception as error:
            raise AssertionError(f"line {at} of seed {_SEED}, for {program}: {line[:4000]!r}") from error
    grown = _peak() - memory
    assert grown < _MORE_MEMORY, f"{grown >> 20} MB more after {_LINES} lines"
    assert len(figures.datasets) > 50
    print(
        f"\n{_LINES:,} lines of {figures.size >> 20} MB, {len(figures.datasets)} datasets, "
        f"{1e6 * figures.seconds / _LINES:.0f} us a line, slowest {1000 * figures.slowest[0]:.1f} ms, "
        f"widest event {figures.widest:.1f} times its line, {grown >> 20} MB more at the end"
    )


def test_long_texts_are_not_remembered() -> None:
    """A memory of the last few thousand texts must not hold a stranger's long ones."""
    before = [remembered.cache_info().currsize for remembered in (_is_ip, _clf)]
    assert not is_ip("1" * 100)
    assert clf("1" * 100) is None
    assert [remembered.cache_info().currsize for remembered in (_is_ip, _clf)] == before
