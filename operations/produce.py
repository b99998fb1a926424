"""Sends numbered lines to one topic in order, for `ogrewatch produce`, benchmarks and soaks."""

import sys
from dataclasses import dataclass
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from topics.catalogue import MAX_RECORD
from topics.kafka.client import answers, client_conf

LONGEST_LINE = MAX_RECORD
# A longer line can be too long for the topic by itself, so its delivery is watched under its own number.
LONG_LINE = 500_000
ANSWER_SECONDS = 10.0
DELIVERY_SECONDS = 60.0


class ProduceError(Exception):
    """Sending cannot begin or go on. The message is a sentence for the person at the terminal."""


@dataclass(slots=True)
class Tally:
    """Counts the lines that were sent, skipped because they are empty, and refused because they are too long."""

    lines: int = 0
    bytes: int = 0
    skipped: int = 0
    refused: int = 0

    def refuse(self, number: int, reason: str) -> None:
        self.refused += 1
        print(f"Line {number} was not sent: {reason}.", file=sys.stderr)


class Sender:
    """Sends lines to one topic in order. Blocks while 100,000 lines or 64 MiB wait; raises ProduceError.

    The constructor raises `AccessRefused` when Kafka refuses the connection.
    """

    def __init__(self, servers: str, topic: str, tally: Tally) -> None:
        self._servers, self._topic, self._tally = servers, topic, tally
        self._failure: KafkaError | None = None
        answers(servers)
        self._producer = Producer(_producer_settings(servers))
        self._require_topic()

    def send(self, number: int, line: bytes, key: bytes | None) -> None:
        report = partial(self._long_line, number, len(line)) if len(line) > LONG_LINE else self._any_line
        while True:
            try:
                self._producer.produce(self._topic, line, key, on_delivery=report)
            except BufferError:
                self.poll(0.1)
            else:
                break
        self._tally.lines += 1
        self._tally.bytes += len(line)

    def poll(self, seconds: float = 0.0) -> None:
        """Handle delivery reports. Raises `ProduceError` when a delivery has failed for good."""
        self._producer.poll(seconds)
        if self._failure is not None:
            raise ProduceError(f"Kafka at {self._servers} took no more lines: {self._failure.str()}.")

    def flush(self) -> None:
        """Block until Kafka has every line."""
        while len(self._producer):
            self.poll(0.1)
        self.poll()

    def _require_topic(self) -> None:
        try:
            known = self._producer.list_topics(timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            reason = error.args[0].str()
            raise ProduceError(
                f"Kafka at {self._servers} does not answer ({reason}). Is it running? `ogrewatch up` starts one."
            ) from None
        if self._topic not in known:
            raise ProduceError(
                f"Kafka at {self._servers} has no topic {self._topic}. `ogrewatch topics create` makes ours."
            )

    def _any_line(self, error: KafkaError | None, _: Message) -> None:
        self._failure = self._failure or error

    def _long_line(self, number: int, size: int, error: KafkaError | None, message: Message) -> None:
        if error is None or error.code() != KafkaError.MSG_SIZE_TOO_LARGE:
            return self._any_line(error, message)
        self._tally.lines -= 1
        self._tally.bytes -= size
        return self._tally.refuse(number, f"{size} bytes are more than the topic takes")


def _producer_settings(servers: str) -> dict[str, str | int | float | bool]:
    return {
        **client_conf(servers),
        "client.id": "ogrewatch-produce",
        "enable.idempotence": True,
        "acks": "all",
        # Java's partitioner, so that a relay and this command put a host into the same partition.
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 20,
        # Below the 1 MiB that a topic takes by default, counted before compression.
        "batch.size": LONG_LINE,
        "message.max.bytes": LONGEST_LINE + 65_536,
        "queue.buffering.max.messages": 100_000,
        "queue.buffering.max.kbytes": 65_536,
        "message.timeout.ms": round(DELIVERY_SECONDS * 1000),
        "delivery.report.only.error": True,
        # Only emergencies: errors are raised as `ProduceError`.
        "log_level": 0,
    }
