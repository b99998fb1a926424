"""What tests of counting share: events as they stand in the typed topics, and a recount that keeps no state."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from topics.avro.codec import encode

START = int(time.time()) // 60 * 60 - 3_600
"""A whole minute, an hour ago: brokers delete what is older than the topics keep."""
RAW_TOPIC = "raw.syslog"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One event that counts: `minute` after START, arrival in seconds after START."""

    raw_partition: int
    raw_offset: int
    minute: int
    arrival: float
    outcome: str = "failure"
    service: str = "sshd"
    address: str = "203.0.113.9"
    user: str = "root"
    number: int = 1
    host: str = "web1"

    @property
    def value(self) -> bytes:
        """As a typed topic holds it."""
        return encode(
            "authentication",
            {
                "ogrewatch_attempt": self.number,
                "timestamp": (START + self.minute * 60 + 1) * 1_000_000,
                "event_created": int((START + self.arrival) * 1_000_000),
                "ogrewatch_raw_topic": RAW_TOPIC,
                "ogrewatch_raw_partition": self.raw_partition,
                "ogrewatch_raw_offset": self.raw_offset,
                "event_outcome": self.outcome,
                "ogrewatch_service": self.service,
                "source_ip": self.address,
                "user_name": self.user,
                "host_hostname": self.host,
                "event_category": ["authentication"],
            },
        )

    def record(self, offset: int) -> "Stored":
        """As a consumer gets it."""
        return Stored(offset, int((START + self.arrival) * 1000), b"", self.value)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record in a topic."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = "events.authentication"
    partition: int = 0


def recount(attempts: Iterable[Attempt], keep: float) -> tuple[Counter[tuple[int, str, str]], Counter[str]]:
    """Attempts by minute, service and outcome in the order they arrived, each event once; "late" and "all" besides.

    They arrive within an hour. Nothing is late before a second arrival says what time it is.
    """
    counts: Counter[tuple[int, str, str]] = Counter()
    sums: Counter[str] = Counter(late=0)
    seen, newest = set(), 0.0
    for number, attempt in enumerate(attempts):
        newest = max(newest, START + attempt.arrival)
        if (attempt.raw_partition, attempt.raw_offset) in seen:
            continue
        seen.add((attempt.raw_partition, attempt.raw_offset))
        begin = START + attempt.minute * 60
        if (number and begin + 60 + keep <= newest) or begin > newest + keep:
            sums["late"] += attempt.number
        else:
            sums["all"] += attempt.number
            counts[begin, attempt.service, attempt.outcome] += attempt.number
    return counts, sums
