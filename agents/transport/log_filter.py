"""Limits how often the Kafka clients' messages are logged: while Kafka is away they write sixty a second."""

import logging
import time


class RateLimitFilter(logging.Filter):
    """A filter for handlers that passes one record of each kind of Kafka's clients in `interval` seconds.

    aiokafka reports every failed attempt of every request, and attempts ten times a second; librdkafka does twice. Two
    records are of one kind if they come from one place in the source, or begin with one of librdkafka's words.
    """

    def __init__(self, interval: float = 30.0, origins: tuple[str, ...] = ("aiokafka", "ogrewatch.kafka")) -> None:
        super().__init__()
        self.interval, self.origins = interval, origins
        self._last: dict[tuple[str, int] | str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to print the record."""
        if not f"{record.name}.".startswith(tuple(f"{origin}." for origin in self.origins)):
            return True
        kind, now = self._kind(record), time.monotonic()
        if now - self._last.get(kind, -self.interval) < self.interval:
            return False
        self._last[kind] = now
        return True

    @staticmethod
    def _kind(record: logging.LogRecord) -> tuple[str, int] | str:
        if record.name == "ogrewatch.kafka":  # all of them come from where librdkafka is polled
            return record.getMessage().partition(" ")[0]
        return record.pathname, record.lineno
