"""Tests that time is proportional to the text: of each pattern alone, each parser without its limit, and headers.

Each run takes a share; `OGREWATCH_PUMPS=0` takes everything, `OGREWATCH_PUMPS=2000` so many texts of each stream.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from pumping import chosen, fillings, patterns, pumped, searched, superlinear, tokens
from witnesses import witness

from streams import samples
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.registry import discover

_RECEIVED = samples.RECEIVED
_PUMPS = int(os.environ.get("OGREWATCH_PUMPS", "1000"))
"""Texts of each stream, and a twentieth of it of each pattern, spread over all; 0 for all."""
_UNLIMITED = Dispatcher(known=[replace(stream, longest=1 << 40) for stream in discover()])
_PARTS = 8
_SEARCHED = searched()
_SHORT = {
    "streams.auditd.values._AVC": 16_384,
    "streams.netfilter.prefix._UBIQUITI": 256,
    "streams.postfix.mail._PAIR": 4096,
    "streams.postgresql.prefix._AT": 1024,
    "streams.postgresql.prefix._NAMED": 1024,
    "streams.postgresql.prefix._PID": 1024,
    "streams.postgresql.prefix._REMOTE": 1024,
    "streams.postgresql.prefix._RETYPED": 1024,
    "streams.common.weblog._NO_USER": 16_384,
}
"""Patterns that are looked for in so many characters at most, by whoever uses them."""
_WELL_FORMED = {"streams.syslog.rfc5424._PARAMS"}
"""Patterns that are looked for only in what a linear one has matched as a whole."""


def _uses(pattern: re.Pattern[str]) -> Iterator[Callable[[str], object]]:
    """How code uses a pattern: anchored, and when it is looked for, from every place of what it is looked for in."""
    yield pattern.fullmatch
    name = _SEARCHED.get(pattern)
    if name and name not in _WELL_FORMED:
        yield partial(_look_for, pattern, _SHORT.get(name))


def _look_for(pattern: re.Pattern[str], most: int | None, text: str) -> int:
    return sum(1 for _ in pattern.finditer(text[:most]))


def _texts(pattern: re.Pattern[str]) -> Iterator[Callable[[int], str]]:
    """Texts that lead into a pattern up to a place, go on there without end, and may end as it wants or otherwise."""
    for choice in range(4):
        pieces = witness(pattern, choice)
        text, at = "".join(pieces), 0
        for piece in pieces:
            at += len(piece)
            before = text[:at]
            for filling in dict.fromkeys((piece, before[before.rfind(" ", 0, -1) + 1 :], before, " ", "a", '"', text)):
                for end in ("\0", text[at:]):
                    yield partial(pumped, before, filling, end)


_PATTERNS = sorted(patterns(), key=lambda pattern: pattern.pattern)


def test_patterns_are_found_wherever_they_are() -> None:
    known = {pattern.pattern for pattern in _PATTERNS}
    assert len(known) > 1000
    assert any("Built" in pattern for pattern in known), "in a table of bound methods in a slot"
    assert any("authentication failed for user" in pattern or "failed for user" in pattern for pattern in known)


@pytest.mark.parametrize("part", range(_PARTS))
def test_every_pattern_alone_takes_linear_time(part: int) -> None:
    for pattern in _PATTERNS[part::_PARTS]:
        texts = list(_texts(pattern))
        for make in chosen(iter(texts), _PUMPS // 20, len(texts)):
            for use in _uses(pattern):
                assert not (cost := superlinear(use, make)), f"{cost}: {pattern.pattern} on {make(200)!r}"


def _parse(line: str) -> None:
    _UNLIMITED.parse(line.encode("utf-8", "surrogateescape"), _RECEIVED, MemoryState())


def _pumps(lines: list[str]) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        parts = tokens(line)
        for at in range(1, len(parts) + 1):
            before, after = "".join(parts[:at]), "".join(parts[at:])
            yield from ((before, filling, after) for filling in fillings(parts, at))


@pytest.mark.parametrize("name", sorted({log.parent.parent.name for log in samples.logs()}))
def test_every_parser_takes_linear_time(name: str) -> None:
    raw = sorted({line for log in samples.logs([name]) for line in samples.lines(log)})
    lines = [line.decode("utf-8", "surrogateescape") for line in raw if line]
    total = sum(len(tokens(line)) for line in lines) * len(fillings(["a"], 1))
    for before, filling, after in chosen(_pumps(lines), _PUMPS, total):
        cost = superlinear(_parse, partial(pumped, before, filling, after))
        assert not cost, f"{cost}: {filling[:80]!r} between {before!r} and {after!r}"


_MEBIBYTES = 8 << 20
_STARTS = (
    "",
    "<38>",
    '<38>1 2026-11-24T04:05:06Z h p 1 m [a b="',
    "<38>1 2026-11-24T04:05:06Z h p 1 m [a ",
    "<38>Nov 24 04:05:06 ",
    "<38>Nov 24 04:05:06 h p: ",
    "2026-11-24T04:05:06.789Z h ",
    "*Nov 24 04:05:06.789 ",
    "message repeated 2 times: [ ",
    "Nov 24 04:05:06 h p: message repeated 2 times: [ ",
    "{",
    '@cee: {"a": ',
)


@pytest.mark.parametrize("start", _STARTS)
def test_a_record_of_the_largest_size_takes_linear_time(start: str) -> None:
    pieces = ("a", " ", '"', "\\", "=", "[", "] ", ": ", 'a="b" ', "\\]", "1", "<1>", "{", "[{")
    for piece in pieces:
        cost = superlinear(_parse, partial(pumped, start, piece, ""))
        assert not cost, f"{cost}: {start!r} and {piece!r}"
    began = time.thread_time()
    _parse(pumped(start, ' a="b"', "]", _MEBIBYTES))
    assert time.thread_time() - began < 8


def test_a_record_of_many_members_takes_linear_time() -> None:
    def make(length: int) -> str:
        return json.dumps({f"a{number}.b.c": {"d": [number]} for number in range(length // 25)} | {"message": "x"})

    assert not superlinear(_parse, make)
    assert not superlinear(_parse, lambda length: '{"a":' * (length // 6) + "1" + "}" * (length // 6))


def test_what_grows_with_the_square_is_noticed() -> None:
    texts = partial(pumped, "", "x" + "a" * 50, "")
    assert superlinear(re.compile("x.*y", re.DOTALL).search, texts)
    assert not superlinear(re.compile("x.*", re.DOTALL).search, texts)
