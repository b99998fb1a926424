"""Defines what all receivers share: what became of each record, and how receivers open and close.

A receiver makes `Outgoing` records of what its senders send, with topic names as in the catalogue, and passes them to
`kafka_producer.DeadlineProducer.accept`, which takes all of them or none. The future it returns gives one `Outcome` per
record, in order; only after that may the receiver acknowledge anything to the sender.
"""

from dataclasses import dataclass
from typing import Protocol

Placed = tuple[int, int, int]
"""Partition, offset and timestamp (milliseconds) of a record that Kafka has."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that Kafka did not store. `retriable`: sending it again may help. `too_large`: larger than allowed."""

    reason: str
    retriable: bool
    too_large: bool = False


Outcome = Placed | Failure


class InvalidSettings(Exception):
    """Settings that cannot work; the message is for the person who starts the receiver."""


class Overloaded(Exception):
    """No record was accepted because too many wait already; the sender may try again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class KafkaNotAnswering(Overloaded):
    """No record was accepted because Kafka does not answer."""


class Receiver(Protocol):
    """Takes logs from the network; `runner.run_until_signal` opens and closes it."""

    async def open(self) -> None:
        """Begin to accept records. Raises `OSError` when it cannot listen or connect."""

    async def close(self, grace: float) -> None:
        """Refuse new records; return when all accepted ones are acknowledged, or after `grace` seconds."""
