"""Cuts off the ends of logs at the end of a soak: every role and the ledger must report it, and a repair must mend it.

The installation is not exact until `ogrewatch repair` has been run, so all other comparisons come before. After it,
documents and counts are those of before, and those of the lines that were written in place of lost ones.
"""

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from operations.process import command_line
from operations.soak.checks import Check, ledger
from operations.soak.expected import Cell, Expected, add
from operations.soak.fleet import ROLES, Fleet
from operations.soak.site import Site, wait_ready
from operations.soak.state import State
from stack.truncation import cut_tail
from topics.catalogue import RAW, typed
from topics.kafka.reader import Reader

LOST, NEW = 50, 5_000
"""The least number of records that each log loses and gets: more than a batch that is lost as a whole."""
_WORDS = "Kafka has lost the end of the log of"
_LIMIT = 120.0  # seconds in which every role has to report the loss, and after which waiting for others is given up
_REPAIR = 300.0  # seconds that a repair has
_LOOK = 0.5  # seconds between looks
_TOPICS = RAW[0].name, typed("authentication")


@dataclass(slots=True)
class _Logs:
    """The logs that are cut, by topic and partition: their ends, and the record that is written into each again."""

    ends: dict[tuple[str, int], int]
    records: dict[tuple[str, int], Any] = field(default_factory=dict)


def cut(site: Site, fleet: Fleet, truth: Expected, tell: Callable[[str], object]) -> Iterator[Check]:
    """Kill the broker, cut logs of a raw and a typed topic, write other records, see who reports it, repair; blocks."""
    logs = _Logs(_ends(site, [site.settings.prefix + name for name in _TOPICS]))
    site.kafka.kill()
    for (topic, partition), end in logs.ends.items():
        cut_tail(site.kafka.data_dir, topic, partition, end - LOST)
    site.kafka.start()
    wait_ready(site.kafka)
    tell(f"the last records of {len(logs.ends)} logs are gone, others are written")
    _write(site, logs)
    until = time.monotonic() + _LIMIT
    while (missing := _silent(fleet)) and time.monotonic() < until:
        time.sleep(_LOOK)
    yield Check("every role says that a log was cut", not missing, f"not {', '.join(missing)}" if missing else "all")
    yield _reported(site)
    fleet.rest()
    yield from _repaired(site, fleet, truth, logs, tell)


def _repaired(site: Site, fleet: Fleet, truth: Expected, logs: _Logs, tell: Callable[[str], object]) -> Iterator[Check]:
    """Repair, go on, and compare counts and documents with what they must be now."""
    begin = time.monotonic()
    done = _run(site, _REPAIR, "repair", "--yes")
    tell(f"repair took {time.monotonic() - begin:.0f} s: {done.stdout.strip() or done.stderr.strip()}")
    yield Check("the repair ends", done.returncode == 0, f"status {done.returncode}")
    fleet.start_all(1)
    want = _attempts(site, truth, logs)
    state, until = State(site), time.monotonic() + _LIMIT
    while _waits(state, want) and time.monotonic() < until:
        time.sleep(_LOOK)
    counted, closed, stored = state.counted(_span(want)), state.windows(), state.attempts()
    same = counted == closed == stored == want
    figures = f"{counted.total():,}, {closed.total():,} and {stored.total():,} for {want.total():,} attempts"
    yield Check("after the repair counts, closed minutes and documents are right", same, figures)
    told = ledger(site)
    yield Check("the ledger is balanced after the repair", told.kept, told.figures)


def _ends(site: Site, names: list[str]) -> dict[tuple[str, int], int]:
    with Reader(site.settings.kafka) as reader:
        found = {(name, number): end for name in names for number, (_, end) in reader.bounds(name).items()}
    return {at: end for at, end in found.items() if end > LOST}


def _write(site: Site, logs: _Logs) -> None:
    """Write copies of a record of each log."""
    from confluent_kafka import Producer

    producer = Producer(
        {"bootstrap.servers": site.settings.kafka, "linger.ms": 20, "enable.idempotence": True, "log_level": 0}
    )
    with Reader(site.settings.kafka) as reader:
        for topic, number in logs.ends:
            begin, end = reader.bounds(topic)[number]
            first = logs.records[topic, number] = _copied(reader.read(topic, {number: (begin, end)}))
            for _ in range(NEW):
                producer.produce(topic, first.value(), first.key(), number)
                producer.poll(0)
    if producer.flush(_LIMIT):
        raise TimeoutError("records were not taken by Kafka")


def _copied(messages: Iterator[Any]) -> Any:
    """The first record that is one failure whatever came before it."""
    return next(message for message in messages if b"Failed password for" in message.value() and message.key())


def _attempts(site: Site, truth: Expected, logs: _Logs) -> Counter[Cell]:
    """The attempts before the cut, and those of the new lines."""
    from agents.pipeline import Pipeline
    from streams.base import MemoryState

    found, pipeline = truth.attempts.copy(), Pipeline(site.settings)
    for (topic, _), record in logs.records.items():
        if topic == site.settings.prefix + _TOPICS[0]:
            one = Expected()
            add(one, pipeline, MemoryState(), record)
            found.update({cell: number * NEW for cell, number in one.attempts.items()})
    return found


def _waits(state: State, want: Counter[Cell]) -> bool:
    try:
        state.refresh()
        return state.uncommitted().total() > 0 or state.windows() != want
    except Exception:  # a server that does not answer yet
        return True


def _span(want: Counter[Cell]) -> range:
    minutes = sorted(minute for minute, _, _ in want)
    return range(minutes[0], minutes[-1] + 60, 60)


def _silent(fleet: Fleet) -> list[str]:
    """The roles of which no worker has reported the loss yet."""
    told = [end for end in fleet.ends if _WORDS in end]
    return [role for role in ROLES if not any(end.startswith(f"{role} ") for end in told)]


def _reported(site: Site) -> Check:
    done = _run(site, _LIMIT, "ledger", "--json")
    wrongs = orjson.loads(done.stdout)["wrongs"] if done.returncode == 1 else []
    found = [wrong for wrong in wrongs if _WORDS in wrong]
    return Check("the ledger says that logs were cut", bool(found), f"{len(found)} sentences, status {done.returncode}")


def _run(site: Site, limit: float, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = command_line(*arguments)
    return subprocess.run(command, env=site.environment, capture_output=True, text=True, check=False, timeout=limit)
