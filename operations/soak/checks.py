"""Compares what an installation holds with what it should hold, and judges each promise."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException

from operations.process import command_line
from operations.soak.expected import Cell, Expected
from operations.soak.fleet import Fleet
from operations.soak.hostile import FORGED
from operations.soak.load import Load
from operations.soak.site import Site
from operations.soak.state import State

MEMORY = 300
"""The most memory of a worker, in MB."""
_LIMIT = 300.0  # seconds after which waiting for arrivals is given up
_LOOK = 1.0  # seconds between looks
_STILL = 3.0  # seconds to wait after all arrivals, to see whether too much arrives
_NAMES = 5  # the most examples that are named


@dataclass(frozen=True, slots=True)
class Check:
    """One promise, whether it was kept, and figures about it."""

    name: str
    kept: bool
    figures: str


def settle(site: Site, truth: Expected, tell: Callable[[str], object]) -> None:
    """Wait until everything has arrived or the time is over, and then for `_STILL` seconds."""
    state, until = State(site), time.monotonic() + _LIMIT
    while time.monotonic() < until:
        waiting = _waiting(state, truth)
        if not waiting:
            break
        tell(f"waiting: {waiting}")
        time.sleep(_LOOK)
    time.sleep(_STILL)


def verdict(site: Site, fleet: Fleet, load: Load, truth: Expected) -> list[Check]:
    """Run all checks. Raises the errors of the clients of Kafka and Elasticsearch."""
    state = State(site)
    return [
        _input(load, truth),
        *_documents(site, truth),
        *_counts(state, truth),
        _forged(state),
        *_rest(state, load, truth),
        ledger(site),
        _memory(fleet),
    ]


def _waiting(state: State, truth: Expected) -> str:
    """Describe what has not arrived yet."""
    from elasticsearch import ApiError, TransportError

    try:
        left = +state.uncommitted()
        if left:
            return ", ".join(f"{role} has {number:,} records left" for role, number in left.items())
        state.refresh()
        if state.windows() != truth.attempts:
            return "minutes are not closed"
    except (ApiError, TransportError, KafkaException) as error:
        return f"a server does not answer: {error}"
    return ""


def _input(load: Load, truth: Expected) -> Check:
    same = (truth.lines, truth.print) == (load.sent, load.print)
    return Check("lines in Kafka, each once", same, f"{truth.lines:,} of {load.sent:,}")


def _documents(site: Site, truth: Expected) -> Iterator[Check]:
    from operations.ledger.store import Store

    with Store(site.settings) as store:
        store.refresh()
        stored, total = store.stored(truth.ids), store.total(0)
    missing = [name for name in truth.ids if name not in stored]
    several = [name for name, number in stored.items() if number > 1]
    yield Check("no document is missing", not missing, _examples(missing, len(truth.ids)))
    yield Check("no document is there twice", not several, _examples(several, len(truth.ids)))
    strange = total - sum(stored.values())
    yield Check("no document is of no line", not strange, f"{strange:,} of {total:,}")


def _counts(state: State, truth: Expected) -> Iterator[Check]:
    minutes = sorted({minute for minute, _, _ in truth.attempts})
    span = range(minutes[0], minutes[-1] + 60, 60) if minutes else range(0)
    yield _cells("counts by minute, service and outcome", truth.attempts, lambda: state.counted(span))
    yield _cells("closed minutes add up to the counts", truth.attempts, state.windows)
    yield _cells("documents add up to the counts", truth.attempts, state.attempts)


def _cells(name: str, want: Counter[Cell], ask: Callable[[], Counter[Cell]]) -> Check:
    try:
        found = ask()
    except (LookupError, OSError) as error:
        return Check(name, False, str(error))
    wrong = [f"{cell}: {found[cell]} for {want[cell]}" for cell in {*want, *found} if found[cell] != want[cell]]
    if wrong:
        return Check(name, False, _examples(wrong, len(want)) + f"; {found.total():,} for {want.total():,} in all")
    return Check(name, True, f"{want.total():,} attempts in {len(want):,} cells")


def _forged(state: State) -> Check:
    """No document and no count has the address that strangers typed."""
    stored, counted = state.stored_from(FORGED), state.counted_from(FORGED)
    return Check("nothing that was typed became an address", not stored + counted, f"{stored}, {counted} counted")


def _rest(state: State, load: Load, truth: Expected) -> Iterator[Check]:
    left = state.uncommitted()
    yield Check("all is committed", not +left, ", ".join(f"{role} {number} left" for role, number in left.items()))
    letters = state.letters()
    found = Counter(name.partition(":")[0] for name in letters)
    want = Counter({"index": load.poison, "count": load.poison, "normalize": load.large})
    same = found == +want and truth.letters == {name for name in letters if name.startswith("normalize:")}
    yield Check("dead letters are records that are no events or too large", same, f"{_said(found)} for {_said(want)}")


def _memory(fleet: Fleet) -> Check:
    peaks = ", ".join(f"{role} {peak} MB" for role, peak in fleet.peaks.items())
    return Check(f"no worker took more than {MEMORY} MB", max(fleet.peaks.values(), default=0) <= MEMORY, peaks)


def ledger(site: Site) -> Check:
    """The verdict of `ogrewatch ledger`, which compares topics, documents and answers of count workers."""
    command = command_line("ledger", "--verify", "--json")
    done = subprocess.run(command, env=site.environment, capture_output=True, text=True, check=False, timeout=_LIMIT)
    if done.returncode:
        return Check("the ledger is balanced", False, (done.stdout or done.stderr).strip())
    counted = json.loads(done.stdout)["attempts"]
    if counted is None or not counted["settled"]:
        return Check("the ledger is balanced", False, "attempts were not compared")
    said = f"balanced, with {counted['documents']:,} attempts of minutes that are closed"
    return Check("the ledger is balanced", True, said)


def _said(numbers: Counter[str]) -> str:
    return ", ".join(f"{role} {number}" for role, number in sorted(numbers.items())) or "none"


def _examples(wrong: list[Any], of: int) -> str:
    return f"{len(wrong):,} of {of:,}" + (f", such as {', '.join(map(str, wrong[:_NAMES]))}" if wrong else "")
