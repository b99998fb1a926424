"""What every way in has in common: accept records, deliver them, and acknowledge only what Kafka has.

A way in (`Receiver`) reads from its senders and makes `Record`s. `Delivery.accept` takes all of a call or none of it,
and says so at once; its future brings one `Outcome` per record, in order. Only then may the way in acknowledge.
"""

from dataclasses import dataclass
from typing import Protocol

from topics.headers import Headers

#: topic (without prefix), key, value, partition (-1: by key), timestamp in milliseconds (0: now), headers
Record = tuple[str, bytes | None, bytes | None, int, int, Headers | None]

#: partition, offset and timestamp in milliseconds of a record that Kafka has
Placed = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that Kafka does not have. `retriable`: sending it again may help. `too_large`: larger than allowed."""

    reason: str
    retriable: bool
    too_large: bool = False


Outcome = Placed | Failure


class InvalidSettings(Exception):
    """The settings ask for what cannot be; the message is for the person who starts the way in."""


class Overloaded(Exception):
    """Nothing of a call was accepted, for want of room; it may be tried again after so many seconds."""

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(reason)
        self.after = after


class KafkaNotAnswering(Overloaded):
    """Nothing of a call was accepted, for Kafka does not answer."""


class Receiver(Protocol):
    """A way in, as `serving.serve` runs it."""

    async def open(self) -> None:
        """Begin to accept. Raises `OSError` when it cannot listen or connect."""

    async def close(self, grace: float) -> None:
        """Refuse what is new, and return when everything accepted is acknowledged, or after `grace` seconds."""
