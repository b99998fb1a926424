"""Limits the rate at which lines are sent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from agents.settings import Settings
from operations.lag_control import LagLimiter


class RateLimiter:
    """Limits lines to a rate. After a delay of more than a second it does not catch up."""

    def __init__(self, rate: float | None) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._due = time.monotonic()

    def wait(self) -> None:
        """Block until the next line may go. Waits below 3 ms are added up, because sleeping is not as exact."""
        if not self._gap:
            return
        ahead = self._due - time.monotonic()
        if ahead > 0.003:
            time.sleep(ahead)
        elif ahead < -1:
            self._due -= ahead
        self._due += self._gap


@contextmanager
def limiter(rate: float | None, settings: Settings, keep_up: bool) -> Iterator[RateLimiter | LagLimiter]:
    """A limiter for `rate` lines a second or, to keep up, for what the workers store if that is less."""
    if not keep_up:
        yield RateLimiter(rate)
        return
    from confluent_kafka import KafkaException

    from topics.kafka.reader import Reader

    with Reader(settings.kafka) as reader:

        def backlog() -> int | None:
            try:
                return sum(reader.left(role, settings.prefix) for role in ("normalize", "index"))
            except KafkaException:
                return None

        yield LagLimiter(rate, backlog)
