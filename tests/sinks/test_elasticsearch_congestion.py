"""Tests that an overloaded server gets less at a time, and more again when it answers quickly."""

import asyncio

import pytest

from sinks.elasticsearch.congestion import CongestionWindow

MIB = 1 << 20


class Clock:
    """Seconds that pass when they are told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


async def _answer(window: CongestionWindow, clock: Clock, seconds: float, error: Exception | None = None) -> None:
    async with window.slot(4 * MIB):
        clock.now += seconds
        if error is not None:
            raise error


async def test_complaints_halve_and_quick_answers_raise() -> None:
    clock = Clock()
    window = CongestionWindow(4 * MIB, 8, clock)
    assert (window.size, window.requests) == (4 * MIB, 8)
    window.shrink(4 * MIB)
    window.shrink(4 * MIB)  # of the same moment
    assert (window.size, window.requests) == (2 * MIB, 4)
    await _answer(window, clock, 1.0)
    assert window.size == 2 * MIB + MIB // 4
    for _ in range(20):
        await _answer(window, clock, 1.0)
    assert (window.size, window.requests) == (4 * MIB, 8)


async def test_slow_answers_count_as_complaints_whatever_they_say() -> None:
    clock = Clock()
    window = CongestionWindow(4 * MIB, 8, clock)
    await _answer(window, clock, 11.0)
    with pytest.raises(ConnectionError):
        await _answer(window, clock, 60.0, ConnectionError())
    assert (window.size, window.requests) == (MIB, 2)
    await _answer(window, clock, 5.0)  # neither quick nor slow
    assert (window.size, window.requests) == (MIB, 2)


async def test_what_was_too_much_is_not_sent_again_as_it_was() -> None:
    window = CongestionWindow(4 * MIB, 8)
    window.shrink(MIB)
    assert window.size == MIB // 2


async def test_something_is_always_sent() -> None:
    clock = Clock()
    window, small = CongestionWindow(4 * MIB, 8, clock), CongestionWindow(1000, 8, clock)
    for _ in range(20):
        clock.now += 2.0
        window.shrink(4 * MIB)
        small.shrink(100)
    assert (window.size, window.requests) == (64 << 10, 1)
    assert small.size == 1000
    await _answer(window, clock, 0.1)


async def test_no_more_requests_run_than_may() -> None:
    window, running, most = CongestionWindow(MIB, 2), 0, 0

    async def send() -> None:
        nonlocal running, most
        async with window.slot(4 * MIB):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(send() for _ in range(10)))
    assert most == 2
