"""Measures the time from the arrival of a line in Kafka until it is searchable, and until it is counted."""

import subprocess
import threading
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from operations.bench.sandbox import Sandbox
from operations.produce import Sender, Tally

_LOOK = 0.05  # seconds between looks
_TICK = 0.02  # seconds between sendings
_LONGEST = 120.0  # seconds after which a line counts as lost


@dataclass(slots=True)
class Watch:
    """Records how many lines were seen at which time. Its thread asks again and again until it is told to stop."""

    ask: Callable[[], int]
    seen: list[tuple[int, float]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Ask again and again. The time of a look is the one after its answer."""
        while not self.stop.wait(_LOOK):
            self.seen.append((self.ask(), time.time()))

    def number(self) -> int:
        """The last answer."""
        return self.seen[-1][0] if self.seen else 0

    def times(self, first: int, last: int) -> list[float]:
        """The times at which the first, second, ... line was seen."""
        numbers = [number for number, _ in self.seen]
        return [self.seen[bisect_left(numbers, number)][1] for number in range(first, last + 1)]


class Probe:
    """Sends lines with attempts to log in to running workers, and records when they are searchable and counted."""

    def __init__(self, made: Sandbox, running: dict[str, subprocess.Popen[bytes]]) -> None:
        self._made, self._running = made, running
        self._sender = Sender(made.settings.kafka, f"{made.prefix}raw.syslog", Tally())
        self._sent = 0
        self.searchable, self.counted = Watch(made.searchable), Watch(self._ask_counted)

    def send(self, number: int) -> None:
        """Send lines, each of which is one failed login."""
        now = datetime.now(UTC).isoformat()
        for _ in range(number):
            self._sent += 1
            host = f"host{self._sent % 50}.example.net"
            text = f"Failed password for root from 192.0.2.{self._sent % 251} port {self._sent % 60_000 + 1024} ssh2"
            self._sender.send(self._sent, f"<38>1 {now} {host} sshd 4711 - - {text}".encode(), host.encode())
        self._sender.poll()

    def wait(self, number: int) -> None:
        """Block until so many lines are searchable and counted. Raises `TimeoutError`, also when a worker has ended."""
        self._sender.flush()
        until = time.monotonic() + _LONGEST
        while self.searchable.number() < number or self.counted.number() < number:
            ended = [role for role, process in self._running.items() if process.poll() is not None]
            if ended or time.monotonic() > until:
                raise TimeoutError(
                    f"only {self.searchable.number()} searchable, {self.counted.number()} counted {ended}"
                )
            time.sleep(_LOOK)

    def arrivals(self) -> list[float]:
        """The times at which lines arrived by the broker's clock, in seconds since 1970, in order."""
        topic, reader = self._made.prefix + "raw.syslog", self._made.reader
        return sorted(message.timestamp()[1] / 1000 for message in reader.read(topic, reader.bounds(topic)))

    def _ask_counted(self) -> int:
        try:
            with urllib.request.urlopen(f"{self._made.count_url}/v1/state", timeout=5) as answer:
                partitions = orjson.loads(answer.read())["partitions"].values()
        except OSError:  # not up yet
            return 0
        return sum(int(partition["total"]) for partition in partitions)


def latencies(probe: Probe, rate: int, seconds: int) -> dict[str, Any]:
    """Send one line to warm up; then send at the rate, and compare times of arrival with times of being seen."""
    threads = [threading.Thread(target=watch.run, daemon=True) for watch in (probe.searchable, probe.counted)]
    for thread in threads:
        thread.start()
    probe.send(1)
    probe.wait(1)
    number = _send_at_rate(probe, rate, seconds)
    probe.wait(1 + number)
    for watch in (probe.searchable, probe.counted):
        watch.stop.set()
    for thread in threads:
        thread.join()
    arrived = probe.arrivals()[1:]
    return {
        "events": number,
        "events_per_second": round((number - 1) / (arrived[-1] - arrived[0])),
        "searchable_seconds": _shares(arrived, probe.searchable.times(2, 1 + number)),
        "counted_seconds": _shares(arrived, probe.counted.times(2, 1 + number)),
    }


def _send_at_rate(probe: Probe, rate: int, seconds: int) -> int:
    """Send at a rate for so many seconds; returns the number of lines."""
    begin, sent = time.monotonic(), 0
    while sent < rate * seconds:
        due = min(rate * seconds, int((time.monotonic() - begin) * rate) + 1)
        probe.send(due - sent)
        sent = due
        time.sleep(_TICK)
    return sent


def _shares(arrived: list[float], seen: list[float]) -> dict[str, float]:
    waits = sorted(there - here for here, there in zip(arrived, seen, strict=True))
    return {f"p{share}": round(waits[len(waits) * share // 100], 3) for share in (50, 95, 99)}
