"""Tests parts of the receivers without Kafka: rate and memory limits, keys, hosts, objects in a stream, headers."""

import asyncio

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hosts import host_of_event, host_of_line
from ingest.http.decode.objects import ObjectSplitter
from ingest.http.idempotency import IdempotencyCache, KeyReused
from ingest.http.responses import Answer
from ingest.limits import MemoryBudget, RateLimiter


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_fills_at_its_rate() -> None:
    clock = Clock()
    buckets = RateLimiter(10, 20, clock)
    assert [buckets.take("a", 15), buckets.take("a", 10), buckets.take("b", 20)] == [0, 0.5, 0]
    clock.now += 0.5
    assert buckets.take("a", 10) == 0
    assert buckets.take("a", 1) == 0.1
    clock.now += 100
    assert [buckets.take("a", 20), buckets.take("a", 1)] == [0, 0.1]


def test_a_full_bucket_lets_a_large_batch_pass_and_owes_it() -> None:
    clock = Clock()
    buckets = RateLimiter(10, 20, clock)
    assert buckets.take("a", 100) == 0
    assert buckets.take("a", 1) == 8.1
    clock.now += 8.1
    assert buckets.take("a", 1) == 0


def test_only_so_many_clients_are_remembered() -> None:
    buckets = RateLimiter(1, 1, Clock())
    for number in range(20_000):
        buckets.take(str(number), 1)
    assert len(buckets._levels) == 10_000
    assert buckets.take("19999", 1) == 1


def test_without_a_rate_anything_goes() -> None:
    assert RateLimiter(0, 0).take("a", 10**9) == 0


def test_memory_is_reserved_and_released() -> None:
    budget = MemoryBudget(10)
    assert [budget.reserve(6), budget.reserve(5), budget.reserve(4)] == [True, False, True]
    budget.release(6)
    assert budget.held == 4


async def test_answers_are_forgotten_by_age_and_by_size() -> None:
    clock, done = Clock(), list[str]()
    cache = IdempotencyCache(10, 3000, clock)

    async def ask(key: str) -> bool:
        async def work() -> Answer:
            done.append(key)
            return Answer(200, b"x" * 400)

        return (await cache.answer(key, b"", work))[1]

    assert [await ask("a"), await ask("a")] == [False, True]
    clock.now += 11
    assert await ask("a") is False
    for number in range(10):
        await ask(str(number))
    assert [await ask("a"), await ask("9")] == [False, True]
    assert cache._used < 4000


async def test_an_answer_that_may_change_is_not_kept_but_shared() -> None:
    cache, going = IdempotencyCache(10, 3000), asyncio.Event()
    answers = iter([Answer(503, b""), Answer(200, b"")])

    async def work() -> Answer:
        await going.wait()
        return next(answers)

    pair = [asyncio.create_task(cache.answer("a", b"", work)) for _ in range(2)]
    await asyncio.sleep(0)
    going.set()
    assert [(answer.status, again) for answer, again in await asyncio.gather(*pair)] == [(503, False), (503, True)]
    assert (await cache.answer("a", b"", work))[0].status == 200
    with pytest.raises(KeyReused):
        await cache.answer("a", b"other", work)


async def test_a_failure_is_raised_to_all_and_forgotten() -> None:
    cache = IdempotencyCache(10, 3000)

    async def fail() -> Answer:
        await asyncio.sleep(0)
        raise ValueError

    pair = await asyncio.gather(*(cache.answer("a", b"", fail) for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in pair] == [ValueError, ValueError]
    assert not cache._entries
    assert cache._used == 0


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"<38>Aug  4 15:01:25 web-01 sshd[7]: text", b"web-01"),
        (b"<38>1 2026-08-04T15:01:25Z db-01 sshd 7 - - text", b"db-01"),
        (b"2026-08-04T15:01:25.5+01:00 192.0.2.7 sshd[7]: text", b"192.0.2.7"),
        (b"<38>1 2026-08-04T15:01:25Z - sshd 7 - - text", None),
        (b"<38>Aug  4 15:01:25 sshd[7]: the host is missing", None),
        (b"no header at all", None),
        (b"", None),
    ],
)
def test_the_host_of_a_line(line: bytes, host: bytes | None) -> None:
    assert host_of_line(line) == host


def test_a_long_host_is_cut() -> None:
    assert host_of_event({"hostname": "x" * 300}) == b"x" * 255


TEXTS = st.text(alphabet=st.sampled_from('{}[]"\\:, \n\x00aé'), max_size=8)
VALUES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=5,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(st.lists(OBJECTS, max_size=5), st.data())
def test_objects_come_out_as_they_went_in_however_the_stream_is_cut(values: list[object], data: st.DataObject) -> None:
    texts = [orjson.dumps(value, option=data.draw(st.sampled_from([0, orjson.OPT_INDENT_2]))) for value in values]
    stream = b"".join(text + data.draw(st.sampled_from([b"", b"\n", b" \r\n\t"])) for text in texts)
    objects, found, at = ObjectSplitter(1 << 20, 1000), list[bytes](), 0
    while at < len(stream):
        step = data.draw(st.integers(1, 10))
        found += objects.feed(stream[at : at + step])
        at += step
    objects.finish()
    assert found == texts


@given(st.binary(max_size=200))
def test_any_stream_gives_objects_or_a_fault(stream: bytes) -> None:
    objects = ObjectSplitter(100, 10)
    found = b"".join(objects.feed(stream))
    assert all(byte in stream for byte in found)
    if objects.fault is not None:
        assert objects.fault.status in (400, 413)
        assert objects.fault.position is not None
        assert objects.fault.position.offset <= len(stream)


def test_an_object_without_end_does_not_grow() -> None:
    objects = ObjectSplitter(1000, 10)
    for _ in range(1000):
        objects.feed(b'{"a":"xxxx')
        if objects.fault:
            break
    assert objects.fault is not None
    assert (objects.fault.status, objects.fault.position and objects.fault.position.offset) == (413, 0)
