"""A corpus or a rate in, what it costs or how long it takes out, on real servers.

Topics of its own are made on the Kafka of the settings, and removed afterwards.
"""

import gzip
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from confluent_kafka import Consumer, Producer, TopicPartition

from agents.settings import Settings
from ingest.hosts import host_of_line
from operations.bench.ingest import ingest
from operations.bench.latency import Probe, latencies
from operations.bench.resource_usage import Meter, per_million, servers
from operations.bench.sandbox import Sandbox, sandbox, workers
from operations.produce import Sender, Tally
from topics.kafka.client import client_conf

PANEL = "Develop"

app = typer.Typer(help="Measure what processing costs, on real servers.", no_args_is_help=True)

_ROLES = ["normalize", "count", "index"]
_LIMIT = 900.0  # seconds
_LOOK = 0.5  # seconds between looks at how far it is
_CORPUS = typer.Option("--corpus", help="Raw lines, .gz too; our own demonstration corpus when none is given.")
_GEOIP = typer.Option("--geoip", help="GeoIP database; the packaged one when none is given.")
_JSON = typer.Option("--json", help="Print one JSON object.")


@app.command()
def normalize(
    corpus: Annotated[Path | None, _CORPUS] = None,
    geoip: Annotated[Path | None, _GEOIP] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raw topic to typed topics: header, stream, GeoIP and Avro.

    Example: ogrewatch bench normalize --corpus corpus.log --geoip GeoLite2-City.mmdb --json
    """
    _show(_measure(["normalize"], corpus, geoip), as_json)


@app.command()
def pipeline(
    corpus: Annotated[Path | None, _CORPUS] = None,
    geoip: Annotated[Path | None, _GEOIP] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raw topic to searchable and counted, all agents on.

    Example: ogrewatch bench pipeline --corpus corpus.log --json
    """
    _show(_measure(_ROLES, corpus, geoip), as_json)


@app.command()
def latency(
    rate: Annotated[int, typer.Option(min=1, help="Lines a second.")] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="For how long.")] = 30,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """How long after its arrival in Kafka an event is searchable, and counted.

    The n-th line to arrive is taken for the n-th to be found: what a line may gain or lose by that, another loses or
    gains. Looks are 50 ms apart, which is part of the figures.

    Example: ogrewatch bench latency --rate 1000 --seconds 30 --json
    """
    with sandbox(Settings()) as made:
        made.install()
        with workers(made, _ROLES) as running:
            _show(latencies(Probe(made, running), rate, seconds), as_json)


app.command()(ingest)


def _measure(roles: list[str], corpus: Path | None, geoip: Path | None) -> dict[str, Any]:
    settings, lines = Settings(), _lines(corpus)
    with sandbox(settings, geoip) as made:
        if "index" in roles:
            made.install()
        _load(settings, made.prefix, lines)
        found = _run(made, roles, len(lines))
        return {**found, "baseline": _baseline(settings, made.prefix, len(lines))}  # last: what it writes would be read


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
    """Wait until `number` are there; returns how many are."""
    _until(lambda: reached() >= number, running, "not everything arrived")
    return reached()


def _until(done: Callable[[], bool], running: dict[str, subprocess.Popen[bytes]], complaint: str) -> None:
    until = time.monotonic() + _LIMIT
    while not done():
        if time.monotonic() > until or any(process.poll() is not None for process in running.values()):
            raise typer.BadParameter(complaint)
        time.sleep(_LOOK)


def _lines(corpus: Path | None) -> list[bytes]:
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
    """A consume-and-produce loop without work: what any Python worker on librdkafka pays."""
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


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(found).decode())
        return
    for name, value in found.items():
        print(f"{name:24} {value}")
