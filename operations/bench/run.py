"""Measures throughput, processor time, memory and latency of the workers on real servers.

Topics of its own are made on the Kafka of the settings, and removed afterwards.
"""

import gzip
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from agents.settings import Settings
from ingest.hosts import host_of_line
from operations.bench.errors import BenchError
from operations.bench.latency import Probe, latencies
from operations.bench.resource_usage import Meter, per_million, servers
from operations.bench.sandbox import Sandbox, sandbox, workers
from operations.produce import Sender, Tally
from topics.kafka.client import client_conf

ROLES = ["normalize", "count", "index"]
_LIMIT = 900.0  # seconds until a run is given up
_LOOK = 0.5  # seconds between two looks at the progress


def latency(rate: int, seconds: int) -> dict[str, Any]:
    """Send lines at a rate, and return how long after its arrival in Kafka a line is searchable, and counted."""
    with sandbox(Settings()) as made:
        made.install()
        with workers(made, ROLES) as running:
            return latencies(Probe(made, running), rate, seconds)


def measure(roles: list[str], corpus: Path | None, geoip: Path | None) -> dict[str, Any]:
    """Process a corpus with the roles given, and return figures. Raises `BenchError` when not everything arrives."""
    settings, lines = Settings(), read_lines(corpus)
    with sandbox(settings, geoip) as made:
        if "index" in roles:
            made.install()
        _load(settings, made.prefix, lines)
        found = _run(made, roles, len(lines))
        # The baseline comes last, because workers would read what it writes.
        return {**found, "baseline": _baseline(settings, made.prefix, len(lines))}


def _run(made: Sandbox, roles: list[str], number: int) -> dict[str, Any]:
    meter, begin = Meter(servers(made.settings)), time.monotonic()
    with workers(made, roles) as running:
        meter.processes |= {role: process.pid for role, process in running.items()}
        there = _arrival(made.searchable if "index" in roles else made.typed, running, number)
        wall = time.monotonic() - begin
        if "count" in roles:
            _until(lambda: made.uncounted() == 0, running, "not everything was counted")
        counted, seconds, peak = time.monotonic() - begin, meter.seconds(), meter.peaks()
    return {
        "events": there,
        "wall_seconds": round(wall, 2),
        **({"counted_seconds": round(counted, 2)} if "count" in roles else {}),
        "events_per_second": round(number / wall),
        "cpu_seconds_per_million": per_million(seconds, number),
        "peak_rss_mb": {role: peak[role] for role in roles},
    }


def _arrival(reached: Callable[[], int], running: dict[str, subprocess.Popen[bytes]], number: int) -> int:
    """Block until `number` records have arrived; returns how many have."""
    _until(lambda: reached() >= number, running, "not everything arrived")
    return reached()


def _until(done: Callable[[], bool], running: dict[str, subprocess.Popen[bytes]], complaint: str) -> None:
    until = time.monotonic() + _LIMIT
    while not done():
        if time.monotonic() > until or any(process.poll() is not None for process in running.values()):
            raise BenchError(complaint)
        time.sleep(_LOOK)


def read_lines(corpus: Path | None) -> list[bytes]:
    """The lines of a corpus, without empty ones; those of the demonstration when none is given."""
    if corpus is None:
        from stack.demo.corpus import generate

        return [line for _, _, line in generate(1, datetime.now(UTC))]
    with gzip.open(corpus) if corpus.suffix == ".gz" else corpus.open("rb") as file:
        return [line for line in file.read().split(b"\n") if line]


def _load(settings: Settings, prefix: str, lines: list[bytes]) -> None:
    sender = Sender(settings.kafka, f"{prefix}raw.syslog", Tally())
    for number, line in enumerate(lines, 1):
        sender.send(number, line, host_of_line(line))
    sender.flush()


def _baseline(settings: Settings, prefix: str, number: int) -> dict[str, float]:
    """Measure a loop that only consumes and produces: the least that any Python worker on librdkafka costs."""
    consumer = Consumer(client_conf(settings.kafka) | {"group.id": prefix, "enable.auto.commit": False})
    topic = f"{prefix}raw.syslog"
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(settings.partitions)])
    producer = Producer(client_conf(settings.kafka) | {"linger.ms": 20, "compression.type": "lz4"})
    begin, wall, left = time.process_time(), time.monotonic(), number
    while left > 0:
        for message in consumer.consume(5000, 1.0):
            left -= message.error() is None
            producer.produce(f"{prefix}raw.events", message.value(), message.key())
        producer.flush()
    consumer.close()
    used = time.process_time() - begin
    return {**per_million({"loop": used}, number), "wall_seconds": round(time.monotonic() - wall, 2)}
