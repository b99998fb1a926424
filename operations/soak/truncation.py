"""Cuts off the ends of logs at the end of a soak, and checks that every role and the ledger report it.

The installation is not exact afterwards until `ogrewatch repair` has been run, so all comparisons come before.
"""

import subprocess
import time
from collections.abc import Callable, Iterator

import orjson

from operations.process import command_line
from operations.soak.checks import Check
from operations.soak.fleet import ROLES, Fleet
from operations.soak.site import Site, wait_ready
from stack.truncation import cut_tail
from topics.catalogue import RAW, typed
from topics.kafka.reader import Reader

LOST, NEW = 50, 5_000
"""The least number of records that each log loses and gets: more than a batch that is lost as a whole."""
_WORDS = "Kafka has lost the end of the log of"
_LIMIT = 120.0  # seconds in which every role has to report the loss
_LOOK = 0.5  # seconds between looks
_TOPICS = RAW[0].name, typed("authentication")


def cut(site: Site, fleet: Fleet, tell: Callable[[str], object]) -> Iterator[Check]:
    """Kill the broker, cut logs of a raw and a typed topic, write other records, and check who reports it; blocks."""
    names = [site.settings.prefix + name for name in _TOPICS]
    ends = _ends(site, names)
    site.kafka.kill()
    for (topic, partition), end in ends.items():
        cut_tail(site.kafka.data_dir, topic, partition, end - LOST)
    site.kafka.start()
    wait_ready(site.kafka)
    tell(f"the last records of {len(ends)} logs are gone, others are written")
    _write(site, ends)
    until = time.monotonic() + _LIMIT
    while (missing := _silent(fleet)) and time.monotonic() < until:
        time.sleep(_LOOK)
    yield Check("every role says that a log was cut", not missing, f"not {', '.join(missing)}" if missing else "all")
    yield _ledger(site)


def _ends(site: Site, names: list[str]) -> dict[tuple[str, int], int]:
    with Reader(site.settings.kafka) as reader:
        found = {(name, number): end for name in names for number, (_, end) in reader.bounds(name).items()}
    return {at: end for at, end in found.items() if end > LOST}


def _write(site: Site, ends: dict[tuple[str, int], int]) -> None:
    """Write copies of the first record of each log."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": site.settings.kafka, "linger.ms": 20})
    with Reader(site.settings.kafka) as reader:
        for topic, number in ends:
            begin, end = reader.bounds(topic)[number]
            first = next(reader.read(topic, {number: (begin, end)}), None)
            for _ in range(NEW):
                producer.produce(topic, first.value() if first else b"<13>line", first.key() if first else None, number)
                producer.poll(0)
    producer.flush(60)


def _silent(fleet: Fleet) -> list[str]:
    """The roles of which no worker has reported the loss yet."""
    told = [end for end in fleet.ends if _WORDS in end]
    return [role for role in ROLES if not any(end.startswith(f"{role} ") for end in told)]


def _ledger(site: Site) -> Check:
    done = subprocess.run(
        command_line("ledger", "--json"),
        env=site.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT,
    )
    wrongs = orjson.loads(done.stdout)["wrongs"] if done.returncode == 1 else []
    found = [wrong for wrong in wrongs if _WORDS in wrong]
    return Check("the ledger says that logs were cut", bool(found), f"{len(found)} sentences, status {done.returncode}")
