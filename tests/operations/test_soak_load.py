"""The load of a soak: hostile lines of every kind, none of which forges an address, and records that are too large."""

import itertools
import time
from random import Random

import pytest

from operations.soak import hostile
from operations.soak.load import mixed
from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.catalogue import MAX_RECORD


@pytest.mark.parametrize("kind", hostile.KINDS)
def test_a_hostile_line_is_one_event_without_the_forged_address(kind: "hostile.Kind") -> None:
    dispatcher, state = Dispatcher(), MemoryState()
    for line in itertools.islice(kind(Random(1)), 150):
        event = dispatcher.parse(line, time.time_ns() // 1000, state)
        assert event.get("source_ip") != hostile.FORGED, line[:500]
        assert event["event_dataset"] != "pipeline_error", line[:500]


def test_what_is_typed_is_an_attempt_to_log_in_or_not_by_what_the_program_says() -> None:
    dispatcher, lines = Dispatcher(), itertools.islice(hostile.typed(Random(2)), 200)
    events = [dispatcher.parse(line, time.time_ns() // 1000, MemoryState()) for line in lines]
    assert all(hostile.FORGED.encode() in line for line in itertools.islice(hostile.typed(Random(2)), 50))
    assert {event["event_dataset"] for event in events} >= {"sshd", "vsftpd", "dovecot", "nginx.error", "slapd", "bind"}
    assert all(event["source_ip"] == "192.0.2.5" for event in events if event["event_dataset"] == "vsftpd")


def test_hostile_lines_are_of_the_present() -> None:
    now = time.time_ns() // 1000
    for line in itertools.islice(hostile.lines(3), 300):
        assert abs(int(Dispatcher().parse(line, now, MemoryState())["timestamp"]) - now) < 1_300_000_000


def test_the_corpus_has_no_line_with_the_forged_address() -> None:
    lines = list(itertools.islice(mixed(4), 2100))
    ordinary = [line for number, line in enumerate(lines, 1) if number % 21]
    assert not [line for line in ordinary if hostile.FORGED.encode() in line]
    assert [line for line in lines if b"joined" in line]


def test_a_record_that_is_too_large_is_larger_than_any_may_be() -> None:
    assert {len(hostile.too_large(Random(seed))) > MAX_RECORD for seed in range(9)} == {True}
