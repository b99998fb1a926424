"""Recognises messages that RabbitMQ delivers again after a lost connection, although they were accepted before.

An acknowledgement that was on its way when the connection broke is lost, and its message is delivered again. RabbitMQ
puts unacknowledged messages back where they were, so what arrives first over a new connection is the rest of the
sequence of the old one: repeats are at its beginning, in their order, and after the first message that is not a repeat
there are none. Therefore two separate events with identical bytes are both kept.
https://www.rabbitmq.com/docs/consumers#message-redelivery-requeueing
"""

from collections import deque


class Deduplicator:
    """Remembers a number (`records.identity`) for each of the last `most` accepted messages."""

    def __init__(self, most: int) -> None:
        self._accepted: deque[int] = deque(maxlen=most)
        self._awaited: list[int] = []
        self._at = 0

    def accepted(self, identities: list[int]) -> None:
        """Note messages that will be in Kafka, even if the connection they arrived over breaks."""
        self._accepted.extend(identities)

    def reconnected(self) -> None:
        """Note that the next messages arrive over a new connection."""
        self._awaited, self._at = list(self._accepted), 0

    def drop(self, identities: list[int], possible: list[bool]) -> int:
        """Return how many messages at the start of a batch are repeats. `possible` says which may be repeats at all."""
        for number, (identity, can_be) in enumerate(zip(identities, possible, strict=True)):
            if not self._awaited:
                return number
            if not can_be or not self._find(identity):
                self._awaited = []
                return number
        return len(identities)

    def _find(self, identity: int) -> bool:
        try:
            self._at = self._awaited.index(identity, self._at) + 1
        except ValueError:
            return False
        return True
