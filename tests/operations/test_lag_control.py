"""Whatever the workers manage, what others send waits for a short time, and the load is not held back for nothing."""

import pytest

from operations.lag_control import LagLimiter


class Workers:
    """Two roles in a time of their own: the first processes up to `capacity` lines a second, the second any; both
    commit once a second. They begin to work after `start` seconds.
    """

    def __init__(self, capacity: float, start: float) -> None:
        self.capacity, self.start = capacity, start
        self.now = self.done = 0.0
        self.sent = self.committed = 0
        self.behind: list[int] = [0, 0]
        self._next_commit = 1.0

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        if self.now > self.start:
            self.done = min(self.sent, self.done + self.capacity * seconds)
        while self.now >= self._next_commit:
            self._next_commit += 1.0
            self.behind = [int(self.done), self.behind[0]]  # what the second role commits, the first did before

    def backlog(self) -> int:
        """What is not committed."""
        return (self.sent - self.behind[0]) + (int(self.done) - self.behind[1])

    @property
    def wait(self) -> float:
        """Seconds that a line waits that is sent now."""
        return (self.sent - self.done) / self.capacity + max(0.0, self.start - self.now)


@pytest.mark.parametrize("capacity", [150, 400, 1_000, 3_000, 20_000])
@pytest.mark.parametrize("start", [0.0, 15.0])
def test_others_wait_for_a_short_time(capacity: float, start: float) -> None:
    workers = Workers(capacity, start)
    limiter = LagLimiter(1_450.0, workers.backlog, lambda: workers.now, workers.sleep)
    longest = 0.0
    while workers.now < start + 120:
        limiter.wait()
        workers.sent += 1
        if workers.now > start + 10:
            longest = max(longest, workers.wait)
    assert longest < 3.0
    begin, sent = workers.now, workers.sent
    while workers.now < begin + 60:
        limiter.wait()
        workers.sent += 1
    assert (workers.sent - sent) / 60 > 0.2 * min(capacity, 1_450)


def test_nothing_known_changes_nothing() -> None:
    now = [0.0]
    limiter = LagLimiter(1_000.0, lambda: None, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    for _ in range(400):
        limiter.wait()
    assert limiter.rate == 100.0
    assert now[0] == pytest.approx(4.0, abs=0.1)
