"""Converts an AMQP message to a record of the raw topic, or to a dead letter when it is not an event.

https://www.rabbitmq.com/docs/validated-user-id
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from time import time_ns

import orjson
from aiormq.abc import DeliveredMessage

from ingest.hosts import host_of_event
from ingest.json_lenient import loads
from topics.catalogue import DEADLETTER, MAX_RECORD
from topics.headers import Headers
from topics.kafka.producer import Outgoing
from topics.records.deadletter import letter
from topics.records.provenance import CLAIMED, headers_of

_KEPT = 512 << 10  # bytes that a dead letter keeps of a message larger than any record


@dataclass(frozen=True, slots=True)
class _Origin:
    """The record that a dead letter is made of. A message has no offset in Kafka, so it gets one that no record has."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers
    offset: int
    partition: int = -1
    timestamp: int = 0


@dataclass(frozen=True, slots=True)
class MessageConverter:
    """Converts the messages of one queue. `name` is the topic's name in this Kafka; `broker` is noted as the sender."""

    topic: str
    name: str
    queue: str
    broker: str
    _places: Iterator[int] = field(default_factory=lambda: count(time_ns()))

    def record(self, message: DeliveredMessage) -> Outgoing:
        """Return the body unchanged, with the host it names as key, else its publisher; or a dead letter."""
        body, headers = message.body, self._headers(message)
        fallback = (message.header.properties.user_id or self.queue).encode()
        if len(body) > MAX_RECORD:
            return self._too_large(body, fallback, headers)
        try:
            event = loads(body)
        except orjson.JSONDecodeError as error:
            return self._letter(body, fallback, headers, "json", f"no JSON: {error.msg}")
        if type(event) is not dict:
            return self._letter(body, fallback, headers, "json", "an event is a JSON object")
        key = host_of_event(event) or fallback
        if len(body) + len(key) > MAX_RECORD:
            return self._too_large(body, key, headers)
        return Outgoing(self.topic, key, body, headers=headers)

    def refused(self, record: Outgoing) -> Outgoing:
        """Return the dead letter of a record that is too large for Kafka."""
        return self._too_large(record.value or b"", record.key, record.headers or [])

    def _too_large(self, body: bytes, key: bytes | None, headers: Headers) -> Outgoing:
        text = f"{len(body)} bytes are more than a record may have; the first {_KEPT} are kept"
        return self._letter(body[:_KEPT], key, headers, "size", text)

    def _letter(self, body: bytes, key: bytes | None, headers: Headers, reason: str, text: str) -> Outgoing:
        origin = _Origin(self.name, key, body, headers, next(self._places))
        return letter("", "ingest-amqp", origin, reason, text)._replace(timestamp=0)

    def _headers(self, message: DeliveredMessage) -> Headers:
        properties = message.header.properties
        headers = headers_of(self.broker, properties.user_id or "", self.queue)
        if properties.timestamp is not None:
            headers.append((CLAIMED, b"%d" % round(properties.timestamp.timestamp() * 1000)))
        return headers


def is_letter(record: Outgoing) -> bool:
    """Whether a record is a dead letter."""
    return record.topic == DEADLETTER.name


def identity(message: DeliveredMessage) -> int:
    """Return a hash of the body and of what its publisher set to identify the message."""
    properties = message.header.properties
    return hash((properties.message_id, properties.correlation_id, properties.timestamp, message.body))


def can_repeat(message: DeliveredMessage) -> bool:
    """Whether a message may have been delivered before: the broker says so, or its publisher has given it an id."""
    return bool(message.redelivered) or message.header.properties.message_id is not None
