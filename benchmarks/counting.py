"""Measures the most expensive cases of counting: recovering a million entries, one address with 90 % of attempts.

OGREWATCH_KAFKA=127.0.0.1:9092 python benchmarks/counting.py recovery
python benchmarks/counting.py hot
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Producer

from agents.counting.buckets import ADDRESS, MINUTE, ROW, SERVICE, Counts, Source
from agents.counting.partition_counts import PartitionCounts
from agents.counting.partition_store import PartitionStore
from agents.counting.stream_time import StreamTime
from agents.settings import Settings
from agents.state.changelog import ChangelogPartition
from agents.state.changelog_table import create_changelog
from agents.transport import Outgoing
from operations.bench.resource_usage import cpu_seconds, peak_mb
from operations.bench.sandbox import Sandbox, sandbox, workers
from topics.avro.codec import encode

ENTRIES, MINUTES = 1_000_000, 500
EVENTS, BATCH = 200_000, 1_500
TOPIC = "events.authentication"
_LIMIT = 300.0  # seconds


def recovery() -> None:
    """Write a changelog, and start a worker on it."""
    settings = Settings()
    with sandbox(settings) as made:
        _fill(made)
        begin = time.monotonic()
        with workers(made, ["count"]) as running:
            while len(_answering(made)) < settings.partitions:
                if time.monotonic() - begin > _LIMIT or running["count"].poll() is not None:
                    sys.exit("it does not answer")
                time.sleep(0.1)
            wall = time.monotonic() - begin
            print(f"{ENTRIES} entries: {wall:.1f} s until it answers, start and joining the group included, "
                  f"{cpu_seconds(running['count'].pid):.1f} CPU s, {peak_mb(running['count'].pid)} MB")  # fmt: skip


def _answering(made: Sandbox) -> list[int]:
    try:
        with urllib.request.urlopen(f"{made.count_url}/v1/attempts?limit=1") as answer:
            return list(json.load(answer)["partitions"])
    except (urllib.error.URLError, ConnectionError):
        return []


def _fill(made: Sandbox) -> None:
    settings, topic = made.settings, f"{made.prefix}{TOPIC}"
    changelog = f"{made.prefix}ogrewatch-count-counts-changelog"
    create_changelog(settings.kafka, changelog, [topic], 1, settings.keep)
    producer = Producer({"bootstrap.servers": settings.kafka, "linger.ms": 20, "compression.type": "lz4"})
    each = ENTRIES // settings.partitions
    for partition in range(settings.partitions):
        producer.produce(topic, encode("authentication", {"timestamp": 1}), partition=partition)
        part = ChangelogPartition(changelog, partition, PartitionStore(Settings(prefix=made.prefix), partition))
        part.generation = 1
        for name, key, value, _, _, _ in _entries(part, part.store.by_topic[topic], each):
            while True:
                try:
                    producer.produce(name, value, key, partition)
                    break
                except BufferError:
                    producer.poll(0.1)
    producer.flush()


def _entries(part: ChangelogPartition[PartitionStore], counts: PartitionCounts, number: int) -> Iterator[Outgoing]:
    """The records of so many addresses, spread over the last minutes, and of the sums that go with them."""
    newest = int(time.time()) // MINUTE * MINUTE
    counts.time, counts.position = StreamTime.load(newest * 1000, None), 0
    for minute in range(newest - MINUTES * MINUTE, newest, MINUTE):
        total = Counts()
        for place in range(number // MINUTES):
            source, total.failure = Source(), total.failure + 1
            source.failure = 1
            source.meet(f"user{place}", "web1", "NL", minute * 1_000_000)
            yield part.write(counts.name(ADDRESS, minute, f"2001:db8:{part.partition}::{place:x}"), source, 0)
        counts.totals = [counts.totals[0] + total.failure, counts.totals[1] + total.failure, 0]
        yield part.write(counts.name(SERVICE, minute, "sshd"), total, 0)
    yield part.write(counts.name(ROW), counts.checkpoint(), 0)


@dataclass(frozen=True)
class _Record:
    offset: int
    timestamp: int
    value: bytes
    headers: tuple[()] = ()


def hot() -> None:
    """Count a partition of many addresses and one where an address has 90 %, by turns."""
    now = int(time.time())
    partitions = [PartitionCounts(TOPIC, "authentication", ord("a"), partition, 86_400) for partition in range(2)]
    records = [[_record(now, n, hot=partition == 1 and n % 10 != 0) for n in range(EVENTS)] for partition in range(2)]
    used = [0.0, 0.0]
    for at in range(0, EVENTS, BATCH):
        for partition, counts in enumerate(partitions):
            begin = time.process_time()
            counts.count(records[partition][at : at + BATCH])
            used[partition] += time.process_time() - begin
    many, one = (seconds / EVENTS * 1e6 for seconds in used)
    print(f"microseconds of CPU an attempt: {many:.2f} of many addresses, {one:.2f} of one that has 90 %")


def _record(now: int, number: int, hot: bool) -> _Record:
    address = "203.0.113.9" if hot else f"2001:db8::{number % 20_000:x}"
    event = {
        "ogrewatch_attempt": 1, "timestamp": now * 1_000_000 + number, "event_created": now * 1_000_000,
        "ogrewatch_raw_topic": "raw.syslog", "ogrewatch_raw_partition": 0, "ogrewatch_raw_offset": number,
        "event_outcome": "failure", "ogrewatch_service": "sshd", "source_ip": address,
        "user_name": f"user{number % 500}", "host_hostname": "web1", "source_geo_country_iso_code": "NL",
    }  # fmt: skip
    return _Record(number, now * 1000 + number // 20, encode("authentication", event))


if __name__ == "__main__":
    {"recovery": recovery, "hot": hot}[sys.argv[1]]()
