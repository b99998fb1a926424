"""A corpus in, what it costs to process out: CPU seconds per million events of each process, on real servers.

Topics of its own are made on the Kafka of the settings, and removed afterwards. CPU is read from /proc (Linux).
"""

import gzip
import os
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from agents.settings import Settings
from cli.itself import ogrewatch
from cli.sending import Sender, Tally, host_of
from stack.installation import Installation
from topics.admin import create_topics, partitions_of
from topics.catalogue import CATALOGUE, DEADLETTER, TYPED

PANEL = "Develop"

app = typer.Typer(help="Measure what processing costs, on real servers.", no_args_is_help=True)

_LIMIT = 900.0  # seconds
_TICKS = os.sysconf("SC_CLK_TCK")
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
    _measure(["normalize"], corpus, geoip, as_json)


@app.command()
def pipeline(
    corpus: Annotated[Path | None, _CORPUS] = None,
    geoip: Annotated[Path | None, _GEOIP] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raw topic to searchable, all agents on.

    Example: ogrewatch bench pipeline --corpus corpus.log --json
    """
    _measure(["normalize", "index"], corpus, geoip, as_json)


@dataclass(slots=True)
class Meter:
    """CPU seconds and peak memory of processes, by role. A worker is one process, a server too."""

    processes: dict[str, int]
    begin: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self.begin = {role: _cpu(pid) for role, pid in self.processes.items()}

    def seconds(self) -> dict[str, float]:
        """Since the meter was made, or since a process that was added later began."""
        return {role: _cpu(pid) - self.begin.get(role, 0.0) for role, pid in self.processes.items()}

    def peak_mb(self) -> dict[str, int]:
        return {role: _peak(pid) for role, pid in self.processes.items()}


def _measure(roles: list[str], corpus: Path | None, geoip: Path | None, as_json: bool) -> None:
    settings = Settings()
    lines = _lines(corpus)
    with tempfile.TemporaryDirectory() as folder, _topics(settings) as prefix:
        _load(settings, prefix, lines)
        environment = os.environ | {
            "OGREWATCH_PREFIX": prefix,
            "OGREWATCH_NAMESPACE": prefix.rstrip("."),
            "OGREWATCH_DATA_DIR": folder,
            **({"OGREWATCH_GEOIP": str(geoip)} if geoip else {}),
        }
        found = _run(settings, roles, environment, prefix, len(lines))
        baseline = _baseline(settings, prefix, len(lines))  # afterwards: what it writes would be read
    _show({**found, "baseline": baseline}, as_json)


def _run(settings: Settings, roles: list[str], environment: dict[str, str], prefix: str, number: int) -> dict[str, Any]:
    reached = _searchable(settings, prefix) if "index" in roles else _typed(settings, prefix)
    meter = Meter(_servers(settings))
    begin, workers = time.monotonic(), {role: _worker(role, environment) for role in roles}
    meter.processes |= {role: process.pid for role, process in workers.items()}
    try:
        while (there := reached()) < number:
            if time.monotonic() - begin > _LIMIT or any(process.poll() is not None for process in workers.values()):
                raise typer.BadParameter(f"only {there} of {number} arrived")
            time.sleep(0.5)
        wall, seconds, peak = time.monotonic() - begin, meter.seconds(), meter.peak_mb()
    finally:
        for process in workers.values():
            process.send_signal(signal.SIGKILL)
            process.wait()
    return {
        "events": there,
        "wall_seconds": round(wall, 2),
        "events_per_second": round(number / wall),
        "cpu_seconds_per_million": _per_million(seconds, number),
        "peak_rss_mb": {role: peak[role] for role in roles},
    }


def _worker(role: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(ogrewatch("worker", role, "--bare"), env=environment)


def _lines(corpus: Path | None) -> list[bytes]:
    if corpus is None:
        from stack.corpus import generate

        return [line for _, _, line in generate(1, datetime.now(UTC))]
    with gzip.open(corpus) if corpus.suffix == ".gz" else corpus.open("rb") as file:
        return [line for line in file.read().split(b"\n") if line]


def _load(settings: Settings, prefix: str, lines: list[bytes]) -> None:
    sender = Sender(settings.kafka, f"{prefix}raw.syslog", Tally())
    for number, line in enumerate(lines, 1):
        sender.send(number, line, host_of(line))
    sender.flush()


def _baseline(settings: Settings, prefix: str, number: int) -> dict[str, float]:
    """A consume-and-produce loop without work: what any Python worker on librdkafka pays."""
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": prefix, "enable.auto.commit": False})
    topic = f"{prefix}raw.syslog"
    count = partitions_of(settings.kafka, prefix)[topic]
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
    producer = Producer({"bootstrap.servers": settings.kafka, "linger.ms": 20, "compression.type": "lz4"})
    begin, wall, left = time.process_time(), time.monotonic(), number
    while left > 0:
        for message in consumer.consume(5000, 1.0):
            left -= message.error() is None
            producer.produce(f"{prefix}raw.events", message.value(), message.key())
        producer.flush()
    consumer.close()
    used = time.process_time() - begin
    return {**_per_million({"loop": used}, number), "wall_seconds": round(time.monotonic() - wall, 2)}


def _typed(settings: Settings, prefix: str) -> Callable[[], int]:
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": prefix})
    names = [prefix + topic.name for topic in (*TYPED, DEADLETTER)]

    def reached() -> int:
        ends = [
            consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=10)[1]
            for name in names
            for partition in range(settings.partitions)
        ]
        return sum(ends)

    return reached


def _searchable(settings: Settings, prefix: str) -> Callable[[], int]:
    from elasticsearch import ApiError, Elasticsearch

    from sinks.elasticsearch.setup import install

    install(settings.elasticsearch, prefix.rstrip("."))
    client = Elasticsearch(settings.elasticsearch.split(","), request_timeout=60)
    index = f"logs-ogrewatch.*-{prefix.rstrip('.')}"

    def reached() -> int:
        try:
            return int(client.count(index=index, ignore_unavailable=True)["count"])
        except ApiError:  # an index that is being made
            return 0

    return reached


@contextmanager
def _topics(settings: Settings) -> Iterator[str]:
    prefix = f"bench{uuid.uuid4().hex[:8]}."
    create_topics(settings.kafka, prefix=prefix, partitions=settings.partitions, replication=1)
    try:
        yield prefix
    finally:
        client = AdminClient({"bootstrap.servers": settings.kafka})
        for future in client.delete_topics([prefix + topic.name for topic in CATALOGUE]).values():
            future.result(30)


def _servers(settings: Settings) -> dict[str, int]:
    """Process ids of the embedded servers, when they are ours; servers elsewhere are not measured."""
    here = Installation.of(settings.data_dir, settings.kafka, settings.elasticsearch)
    names = {"kafka": "broker", "elasticsearch": "elasticsearch"}
    pids = {names[server.name]: server.daemon.pid() for server in here.servers()}
    return {name: pid for name, pid in pids.items() if pid is not None}


def _cpu(pid: int) -> float:
    """CPU seconds of a process and its children: Elasticsearch's launcher has the server as its child."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = [
        int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()
    ]
    return (int(fields[11]) + int(fields[12])) / _TICKS + sum(_cpu(child) for child in children)


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def _per_million(seconds: dict[str, float], number: int) -> dict[str, float]:
    return {role: round(value * 1e6 / number, 2) for role, value in seconds.items()}


def _show(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(found).decode())
        return
    for name, value in found.items():
        print(f"{name:24} {value}")
