"""Measures what judging events by rules costs, beside no rules, in one process and without servers.

The lines of a corpus are parsed and encoded first, which is not measured. Then both engines judge the same batches in
turn, several times, and the least of each is taken: what else runs on the machine makes times longer, never shorter.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agents.settings import Settings
from alerts.correlation.groups import Place
from alerts.correlation.judge import Judge
from alerts.engine.engines import StagedEngine, always_decoded, staged_engines
from alerts.rules.load import RuleSet, load_folder
from operations.bench.errors import BenchError
from operations.bench.made_rules import made_rules
from operations.bench.run import read_lines
from operations.rules.lines import LineEncoder

_MOST = 200_000  # lines that are taken of a corpus; their encodings are kept in memory
_BATCH = 1000  # events of a type that are judged at a time
_ROUNDS = 5

Batches = list[tuple[str, list[bytes]]]
Engines = dict[str, StagedEngine]


def measure(number: int, corpus: Path | None, folder: Path | None) -> dict[str, Any]:
    """Figures in CPU microseconds an event. Raises `BenchError` when the folder has no rules."""
    rules = made_rules(number) if folder is None else load_folder(folder)
    if not len(rules):
        raise BenchError(f"{folder} has no rule that can be used")
    batches = list(_batches(read_lines(corpus)[:_MOST]))
    events = sum(len(values) for _, values in batches)
    begin = time.process_time()
    engines, none = staged_engines(rules.rules.values()), staged_engines([])
    compiled = time.process_time() - begin
    costs = _least(
        [lambda: _match(none, batches), lambda: _match(engines, batches), lambda: _judge(rules, engines, batches)]
    )
    without, matched, judged = (seconds / events * 1e6 for seconds in costs)
    return {
        "events": events,
        "rules": len(rules.rules),
        "correlations": len(rules.correlations),
        "us_an_event": {
            "no_rules": round(without, 2), "rules": round(matched, 2), "added": round(matched - without, 2),
            "with_correlations": round(judged, 2),
        },
        "matches": _match(engines, batches),
        "compile_seconds": round(compiled, 2),
        "always_decoded": sorted({rule.name for rule in always_decoded(engines)}),
    }  # fmt: skip


def _batches(lines: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """The encoded events of some lines, by type, in batches."""
    encoder, begun = LineEncoder(Settings()), defaultdict[str, list[bytes]](list)
    now = time.time_ns() // 1000
    for number, line in enumerate(lines):
        found = encoder.encode(line, now + 1000 * number)
        begun[found.kind].append(found.value)
        if len(begun[found.kind]) == _BATCH:
            yield found.kind, begun.pop(found.kind)
    yield from begun.items()


def _match(engines: Engines, batches: Batches) -> int:
    """Judge all batches; returns the number of matches."""
    return sum(len(engines[kind].match(values)) for kind, values in batches)


def _judge(rules: RuleSet, engines: Engines, batches: Batches) -> None:
    """Judge all batches, and gather their matches in alerts."""
    judge, offset = Judge(rules), 0
    for kind, values in batches:
        for match in engines[kind].match(values):
            judge.see(match, Place(0, offset + match.place, time.time_ns() // 1000))
        offset += len(values)


def _least(works: list[Callable[[], object]]) -> list[float]:
    """The least CPU seconds of each work, of rounds in which all have their turn."""
    found = [float("inf")] * len(works)
    gc.collect()
    gc.freeze()
    for _ in range(_ROUNDS):
        for number, work in enumerate(works):
            begin = time.process_time()
            work()
            found[number] = min(found[number], time.process_time() - begin)
    gc.unfreeze()
    return found
