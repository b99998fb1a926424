"""Sends lines of the demonstration corpus to Kafka at a rate, and keeps a fingerprint of what was sent.

The producer waits while the broker is away, and is idempotent: a line that the broker has confirmed is stored once.
"""

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from ingest.hosts import host_of_line
from operations.soak.site import Site
from topics.catalogue import typed
from topics.kafka.client import client_conf

RAW = "raw.syslog"
_TICK = 0.05  # seconds between sendings
_AHEAD = 20_000  # the most lines that wait for a broker
_POISON = 10.0  # seconds between two records that are no events
_FLUSH = 180.0  # seconds after which Kafka must have everything
_LATEST = 1800.0  # seconds at the beginning of an hour that are left out
_MASK = (1 << 64) - 1


def fingerprint(lines: Iterable[bytes]) -> int:
    """Return a number that is the same for the same lines in any order, within one process."""
    return sum(map(hash, lines)) & _MASK


class Load(threading.Thread):
    """Sends lines at a rate until it is told to stop, and now and then a record that is no event."""

    def __init__(self, site: Site, seed: int, rate: int) -> None:
        super().__init__(name="load", daemon=True)
        self._lines, self._rate, self._prefix = corpus(seed), rate, site.settings.prefix
        self._producer = Producer(_conf(site.settings.kafka))
        self._failure: KafkaError | None = None
        self._over = threading.Event()
        self.error: BaseException | None = None
        self.sent = self.delivered = self.print = 0
        self.poison = 0

    def run(self) -> None:
        """Send until the load is told to stop."""
        try:
            self._send_on()
            self._flush()
        except BaseException as error:
            self.error = error

    def finish(self) -> None:
        """Stop sending, and block until Kafka has everything. Raises the error that ended the load, if one did."""
        self._over.set()
        self.join()
        if self.error is not None:
            raise self.error

    def _send_on(self) -> None:
        begin = time.monotonic()
        poisoned = begin
        while not self._over.wait(_TICK):
            due = int((time.monotonic() - begin) * self._rate) - self.sent
            if len(self._producer) >= _AHEAD:  # lines that are due meanwhile are left out
                begin += due / self._rate
                due = 0
            self._send(due)
            if time.monotonic() - poisoned > _POISON:
                poisoned = time.monotonic()
                self._produce(typed("authentication"), b"no event %d" % self.poison, b"poison")
                self.poison += 1
            self._poll(0)

    def _send(self, number: int) -> None:
        for line in itertools.islice(self._lines, number):
            self._produce(RAW, line, host_of_line(line))
            self.sent += 1
            self.print = (self.print + hash(line)) & _MASK

    def _produce(self, topic: str, value: bytes, key: bytes | None) -> None:
        self._producer.produce(self._prefix + topic, value, key, on_delivery=self._delivered)

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        self._failure = self._failure or error
        self.delivered += error is None

    def _poll(self, seconds: float) -> None:
        self._producer.poll(seconds)
        if self._failure is not None:
            raise KafkaException(self._failure)

    def _flush(self) -> None:
        until = time.monotonic() + _FLUSH
        while len(self._producer):
            self._poll(0.1)
            if time.monotonic() > until:
                raise TimeoutError(f"{len(self._producer)} records were not taken by Kafka in {_FLUSH:.0f} s")


def corpus(seed: int) -> Iterator[bytes]:
    """Make endless lines: the last half of one hour of the corpus after the other, each of which ends about now.

    So the same minutes get events again after they were closed, and are closed again.
    """
    from stack.demo.corpus import generate

    for number in itertools.count(seed):
        for at, _, line in generate(number, datetime.now(UTC) - timedelta(seconds=60)):
            if at >= _LATEST:
                yield line


def _conf(servers: str) -> dict[str, Any]:
    return {
        **client_conf(servers),
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": 2**31 - 1,
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 20,
        "log_level": 0,
    }
