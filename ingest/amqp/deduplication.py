"""Identities of accepted messages in, whether a message is one of them come again out.

https://www.rabbitmq.com/docs/consumers#message-redelivery-requeueing

An acknowledgement that was on its way when the connection broke is lost, and its message comes again. RabbitMQ puts
what was not acknowledged back to where it was, so what comes first over a new connection is the rest of the sequence
that came over the old one: repeats stand at its beginning, in their order, and after the first message that is none
there are no more. Hence two events that are equal to the letter are still two.
"""

from collections import deque


class Deduplicator:
    """Remembers the last `most` accepted messages, a number for each, for the next connection."""

    def __init__(self, most: int) -> None:
        self._accepted: deque[int] = deque(maxlen=most)
        self._awaited: list[int] = []
        self._at = 0

    def accepted(self, identities: list[int]) -> None:
        """These will be in Kafka, whatever becomes of the connection they came over."""
        self._accepted.extend(identities)

    def reconnected(self) -> None:
        """From now on messages come over another connection."""
        self._awaited, self._at = list(self._accepted), 0

    def drop(self, identities: list[int], possible: list[bool]) -> int:
        """How many messages of a batch are repeats: they are its first. `possible` says which can be any."""
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
