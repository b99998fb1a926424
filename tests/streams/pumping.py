"""Makes long texts that lead parsers astray, finds every pattern of the streams, and measures what a text costs.

A text is pumped by repeating something at a boundary between two of its tokens: what stands before it, blanks, quotes,
brackets, separators. Costs are seconds of CPU time of this thread. A text whose smaller form costs next to nothing is
not looked at further: if its cost grew with the square of the length, the larger form would stay below 40 ms.
"""

import ast
import gc
import inspect
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pkgutil import walk_packages
from types import BuiltinMethodType, CellType, FunctionType, ModuleType
from typing import Any

import streams

SMALL, LARGE = 25_000, 100_000
"""Characters of the two texts that are compared."""
_NOTHING = 0.0025
"""Seconds that are next to nothing for the smaller text."""
_FLOOR = 0.04
"""Seconds that the larger text may cost, whatever the smaller one does."""
_RATIO = 8.0
"""Times that the larger text may cost what the smaller does: 4 is linear, 16 quadratic."""
_CEILING = 0.5
"""Seconds that the larger text may never cost."""
_RUNS = 3

_COMMON_FILLINGS = (" ", '"', "'", "\\", '\\"', "[", "]", "(", ")", "<", ">", "{", "=", ",", ", ", ":", ": ", "; ", "/")
FILLINGS = (*_COMMON_FILLINGS, "a", "a ", "0", "0.", "a=", 'a="', "-", ".", "%", "|", "\t", "\n", "\0", "@", "#", "<a>")
_WINDOWS = (*range(1, 17), 24, 1 << 20)
"""Tokens that are repeated together."""
_TOKEN = re.compile(r"[A-Za-z]+|[0-9]+|\s+|.", re.DOTALL)


def tokens(text: str) -> list[str]:
    """The words, numbers, blanks and signs of a text."""
    return _TOKEN.findall(text)


def fillings(tokens: list[str], at: int) -> tuple[str, ...]:
    """What to repeat after that many tokens: those before it, and what ends or begins something in most logs."""
    return (*("".join(tokens[max(0, at - most) : at]) for most in _WINDOWS), tokens[at - 1] + " ", *FILLINGS)


def pumped(before: str, filling: str, after: str, size: int) -> str:
    """A text with as much of the filling in it as makes it so long."""
    return before + filling * (max(0, size - len(before) - len(after)) // len(filling)) + after


def _seconds(function: Callable[[str], object], text: str, runs: int) -> float:
    least = float("inf")
    for _ in range(runs):
        start = time.thread_time()
        function(text)
        least = min(least, time.thread_time() - start)
    return least


def superlinear(function: Callable[[str], object], make: Callable[[int], str]) -> str:
    """What texts of both sizes cost, when that is out of proportion to their length, else ""."""
    small = make(SMALL)
    if _seconds(function, small, 1) < _NOTHING:
        return ""
    least = _seconds(function, small, _RUNS)
    large = _seconds(function, make(LARGE), _RUNS)
    if least < _NOTHING or large < _FLOOR or (large < least * _RATIO and large < _CEILING):
        return ""
    return f"{least * 1000:.1f} ms for {SMALL} characters, {large * 1000:.1f} ms for {LARGE}"


def modules() -> list[ModuleType]:
    """Every module of the streams."""
    return [import_module(module.name) for module in walk_packages(streams.__path__, "streams.")]


_CONTAINERS = (dict, list, tuple, set, frozenset, CellType, partial, BuiltinMethodType)


def patterns() -> set[re.Pattern[str]]:
    """Every compiled pattern that the streams' modules reach: by name, in tables, closures, slots, bound methods."""
    waiting: list[Any] = [vars(module) for module in modules()]
    seen: set[int] = set()
    found: set[re.Pattern[Any]] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, re.Pattern):
            found.add(value)
        elif id(value) not in seen and _may_hold(value):
            seen.add(id(value))
            waiting += gc.get_referents(value)
    return {pattern for pattern in found if isinstance(pattern.pattern, str)}


def _may_hold(value: Any) -> bool:
    if isinstance(value, dict) and value.get("__name__") == "builtins":
        return False
    if isinstance(value, FunctionType | type):
        return value.__module__.startswith("streams.")
    return isinstance(value, _CONTAINERS) or type(value).__module__.startswith("streams.")


_SEARCHES = frozenset(("search", "finditer", "findall", "sub", "subn", "split"))


def searched() -> dict[re.Pattern[str], str]:
    """The patterns that code looks for anywhere in a text, rather than at one place, and their names."""
    return {
        value: f"{module.__name__}.{node.value.id}"
        for module in modules()
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute) and node.attr in _SEARCHES and isinstance(node.value, ast.Name)
        if isinstance(value := vars(module).get(node.value.id), re.Pattern)
    }


def chosen(cases: Iterator[Any], most: int, total: int) -> Iterator[Any]:
    """At most so many of the cases, spread evenly over all of them."""
    step = max(1, total // most) if most else 1
    return (case for at, case in enumerate(cases) if at % step == 0)
