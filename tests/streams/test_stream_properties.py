"""Tests that every parser makes one valid event of any text, in bounded time (`test_linear_time` has more)."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_checks import check_event

from streams import samples
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.mapping import json_record
from streams.registry import discover
from topics.event import Event

RECEIVED = 1_795_521_600_000_000
LINES = [line for log in samples.logs() for line in samples.lines(log)]
PROGRAMS = sorted({program for stream in discover() for program in stream.programs})
ONE_EACH = sorted({stream.programs[0] for stream in discover() if stream.programs})
DISPATCHER = Dispatcher("Europe/Berlin")

_PIECES = [piece for line in LINES for piece in re.findall(rb"[^\s]+|\s+", line)]
_BYTES = st.binary(max_size=200)
_ASSEMBLED = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=6), max_size=40).map(b"".join)
_BOUND_SECONDS = 1.0
_MEBIBYTE = 1 << 20


def parsed(line: bytes, program: str | None = None) -> Event:
    return DISPATCHER.parse(line, RECEIVED, MemoryState(), program)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A sample line with pieces of it replaced, doubled or cut out."""
    line = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, len(line)))
        filling = draw(st.sampled_from(_PIECES) | st.binary(max_size=8) | st.just(line[start:end] * 2))
        line = line[:start] + filling + line[end:]
    return line


def _sound(event: Event) -> None:
    check_event(event)
    failure = event.get("error_message")
    assert failure in (None, "empty line"), failure


@settings(max_examples=1500, deadline=None)
@given(_BYTES | _ASSEMBLED)
def test_any_bytes_make_one_event(line: bytes) -> None:
    _sound(parsed(line))


@settings(max_examples=1500, deadline=None)
@given(_mutated())
def test_damaged_lines_make_one_event(line: bytes) -> None:
    _sound(parsed(line))


@settings(max_examples=1500, deadline=None)
@given(_BYTES | _ASSEMBLED, st.sampled_from(PROGRAMS))
def test_any_message_of_any_program_makes_one_event(message: bytes, program: str) -> None:
    _sound(parsed(message, program))
    _sound(parsed(b"<38>Nov 24 04:05:06 h " + program.encode() + b"[1]: " + message))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), _ASSEMBLED)
def test_any_name_of_a_program_makes_one_event(program: str, message: bytes) -> None:
    _sound(parsed(message, program))


def _records(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    found = (json_record.read(line.decode("utf-8", "replace")) for line in lines)
    return [record for record in found if record]


RECORDS = _records(LINES)
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["", "-", "0"])
)
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every object and list within a value, each with each of its keys or positions."""
    inner = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    return [place for key, member in inner for place in ((value, key), *_places(member))]


@st.composite
def _mutated_record(draw: st.DrawFn) -> dict[str, Any]:
    """A sample record with members of it replaced or left out."""
    record: dict[str, Any] = deepcopy(draw(st.sampled_from(RECORDS)))
    for _ in range(draw(st.integers(1, 4))):
        if places := _places(record):
            holder, key = draw(st.sampled_from(places))
            if draw(st.booleans()):
                holder[key] = draw(_VALUES)
            else:
                del holder[key]
    return record


@settings(max_examples=600, deadline=None)
@given(_mutated_record())
def test_damaged_records_make_one_event(record: dict[str, Any]) -> None:
    _sound(parsed(json.dumps(record).encode()))


@pytest.mark.parametrize("name", sorted({log.parent.parent.name for log in samples.logs()}))
def test_long_members_take_bounded_time(name: str) -> None:
    for record in _records(line for log in samples.logs([name]) for line in samples.lines(log))[::2]:
        for holder, key in _places(record):
            kept = holder[key]
            for filling in ("a", " ", "1", "/", ".", '"', "%", kept if isinstance(kept, str) and kept else "x="):
                holder[key] = filling * (20_000 // len(filling))
                seconds, line = _slowest(iter([json.dumps(record).encode()]))
                assert seconds < _BOUND_SECONDS / 4, line
            holder[key] = kept


def _slowest(lines: Iterator[bytes]) -> tuple[float, bytes]:
    slowest = (0.0, b"")
    for line in lines:
        start = time.process_time()
        parsed(line)
        slowest = max(slowest, (time.process_time() - start, line[:120]))
    return slowest


@pytest.mark.parametrize("program", ONE_EACH)
def test_a_mebibyte_takes_bounded_time(program: str) -> None:
    header = f"<38>Nov 24 04:05:06 h {program}[1]: ".encode()
    pieces = (b"a", b" ", b'"', b"\\", b"\x00", b"\xff", b" from ", b"=", b" ; ", b"[", b"conn=1 op=1 ", b"Failed ")
    fillings = [piece * (_MEBIBYTE // len(piece)) for piece in pieces]
    seconds, line = _slowest(start + filling for start in (header, b"") for filling in fillings)
    assert seconds < _BOUND_SECONDS, line


@pytest.mark.parametrize("line", LINES[::17], ids=range(len(LINES[::17])))
def test_a_mebibyte_within_a_line_takes_bounded_time(line: bytes) -> None:
    half = len(line) // 2
    fillings = (b"x", b" ", b'"', b" from 192.0.2.1 port 22")
    stretched = (line[:half] + filling * (_MEBIBYTE // len(filling)) + line[half:] for filling in fillings)
    seconds, shown = _slowest(stretched)
    assert seconds < _BOUND_SECONDS, shown
