"""Log records in, the same ones out, but not sixty a second while Kafka is away."""

import logging
import time


class Seldom(logging.Filter):
    """For a handler: lets records of Kafka's clients pass once in `interval` seconds for each place in their source.

    aiokafka reports every failed attempt of every request, and attempts ten times a second.
    """

    def __init__(self, interval: float = 30.0, origins: tuple[str, ...] = ("aiokafka",)) -> None:
        super().__init__()
        self.interval, self.origins = interval, origins
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to print the record."""
        if record.name.partition(".")[0] not in self.origins:
            return True
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._last.get(place, -self.interval) < self.interval:
            return False
        self._last[place] = now
        return True
