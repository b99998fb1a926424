"""Sends lines of the demonstration corpus and hostile ones to Kafka at a rate, and keeps a fingerprint of all.

The producer waits while the broker is away, and is idempotent: a line that the broker has confirmed is stored once.
"""

import itertools
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from ingest.hosts import host_of_line
from operations.soak import hostile
from operations.soak.site import Site
from topics.catalogue import typed
from topics.kafka.client import client_conf

RAW = "raw.syslog"
_TICK = 0.05  # seconds between sendings
_AHEAD = 20_000  # the most lines that wait for a broker
_POISON = 10.0  # seconds between two records that are no events
_LARGE = 8.0  # seconds between two records that are too large
_ORDINARY = 20  # lines of the corpus for each hostile one
_DAYS = 2  # days that a broker's wrong clock is ahead
_FLUSH = 180.0  # seconds after which Kafka must have everything
_LATEST = 1800.0  # seconds at the beginning of an hour that are left out
_MASK = (1 << 64) - 1


def fingerprint(lines: Iterable[bytes]) -> int:
    """Return a number that is the same for the same lines in any order, within one process."""
    return sum(map(hash, lines)) & _MASK


class Load(threading.Thread):
    """Sends lines at a rate until it is told to stop, and now and then a record that is no event or too large."""

    def __init__(self, site: Site, seed: int, rate: int) -> None:
        super().__init__(name="load", daemon=True)
        self._lines, self._rate, self._prefix = mixed(seed), rate, site.settings.prefix
        self._random = Random(f"{seed} load")
        self._producer = Producer(_conf(site.settings.kafka))
        self._large = Producer(_conf(site.settings.kafka) | {"message.max.bytes": 64 << 20})
        self._ahead = threading.Event()
        self._failure: KafkaError | None = None
        self._over = threading.Event()
        self.error: BaseException | None = None
        self.sent = self.delivered = self.print = 0
        self.poison = self.large = 0

    def run(self) -> None:
        """Send until the load is told to stop."""
        try:
            self._send_on()
            self._flush()
        except BaseException as error:
            self.error = error

    def send_ahead(self) -> None:
        """Send a line with a time that is two days ahead, which Kafka keeps if the topic lets senders say the time."""
        self._ahead.set()

    def finish(self) -> None:
        """Stop sending, and block until Kafka has everything. Raises the error that ended the load, if one did."""
        self._over.set()
        self.join()
        if self.error is not None:
            raise self.error

    def _send_on(self) -> None:
        begin = poisoned = large = time.monotonic()
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
            if time.monotonic() - large > _LARGE and not len(self._large):
                large = time.monotonic()
                self._send_large()
            if self._ahead.is_set():
                self._ahead.clear()
                self._send(1, int((time.time() + _DAYS * 86_400) * 1000))
            self._poll(0)

    def _send(self, number: int, at: int = 0) -> None:
        for line in itertools.islice(self._lines, number):
            self._produce(RAW, line, host_of_line(line), at)
            self._note(line)

    def _send_large(self) -> None:
        line = hostile.too_large(self._random)
        self._large.produce(self._prefix + RAW, line, host_of_line(line), on_delivery=self._delivered)
        self._note(line)
        self.large += 1

    def _note(self, line: bytes) -> None:
        self.sent += 1
        self.print = (self.print + hash(line)) & _MASK

    def _produce(self, topic: str, value: bytes, key: bytes | None, at: int = 0) -> None:
        self._producer.produce(self._prefix + topic, value, key, timestamp=at, on_delivery=self._delivered)

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        self._failure = self._failure or error
        self.delivered += error is None

    def _poll(self, seconds: float) -> None:
        self._producer.poll(seconds)
        self._large.poll(0)
        if self._failure is not None:
            raise KafkaException(self._failure)

    def _flush(self) -> None:
        until = time.monotonic() + _FLUSH
        while left := len(self._producer) + len(self._large):
            self._poll(0.1)
            if time.monotonic() > until:
                raise TimeoutError(f"{left} records were not taken by Kafka in {_FLUSH:.0f} s")


def mixed(seed: int) -> Iterator[bytes]:
    """Make endless lines: `_ORDINARY` of the corpus, then a hostile one."""
    ordinary, strange = corpus(seed), hostile.lines(seed)
    while True:
        yield from itertools.islice(ordinary, _ORDINARY)
        yield next(strange)


def corpus(seed: int) -> Iterator[bytes]:
    """Make endless lines: the last half of one hour of the corpus after the other, each of which ends about now.

    So the same minutes get events again after they were closed, and are closed again.
    """
    from stack.demo.corpus import generate

    forged = hostile.FORGED.encode()
    for number in itertools.count(seed):
        for at, _, line in generate(number, datetime.now(UTC) - timedelta(seconds=60)):
            if at >= _LATEST and forged not in line:
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
