"""Tests messages longer than their source writes: only the beginning is parsed, and the event keeps the whole."""

import json

import pytest
from stream_checks import check_event

from streams.base import LONGEST, SHORTEST, MemoryState, StateStore, Stream
from streams.dispatch import TRUNCATED, UNPARSED, Dispatcher
from streams.registry import discover
from topics.event import Event

_RECEIVED = 1_795_521_600_000_000
_DISPATCHER = Dispatcher()


def _event_of(line: str) -> Event:
    event = _DISPATCHER.parse(line.encode(), _RECEIVED, MemoryState())
    check_event(event)
    return event


def test_the_beginning_of_a_long_message_is_parsed() -> None:
    arguments = "x" * 50_000
    line = f"Nov 24 04:05:06 h sudo[1]:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo {arguments}"
    event = _event_of(line)
    assert event["event_original"] == line
    assert event["message"] == line.partition("]: ")[2].lstrip(" ") or event["message"].endswith(arguments)
    assert (event["user_name"], event["user_effective_name"], event["ogrewatch_attempt"]) == ("alice", "root", 1)
    assert len(event["process_command_line"]) < LONGEST
    assert event["extra"]["tags"] == [TRUNCATED]


@pytest.mark.parametrize("name", ["sshd", "dnsmasq", "nobody-knows"])
def test_a_long_message_that_nobody_understands_is_kept_whole(name: str) -> None:
    event = _event_of(f"Nov 24 04:05:06 h {name}[1]: " + "x" * 1_000_000)
    assert event["event_dataset"] == UNPARSED
    assert event["message"] == "x" * 1_000_000
    assert "tags" not in event.get("extra", {})


def test_a_message_in_an_envelope_is_cut_too() -> None:
    message = "alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo " + "x" * 50_000
    event = _event_of(json.dumps({"summary": message, "processname": "sudo", "tags": ["mine"], "category": "process"}))
    assert event["user_name"] == "alice"
    assert event["extra"]["tags"] == ["mine", TRUNCATED]


@pytest.mark.parametrize(("size", "cut"), [(SHORTEST, False), (SHORTEST + 1, True), (LONGEST, True)])
def test_a_stream_gets_as_much_as_it_asks_for(size: int, cut: bool) -> None:
    seen = []

    def parse(message: str, event: Event, state: StateStore) -> bool:
        seen.append(message)
        return True

    stream = Stream(name="short", programs=("short",), parse=parse, longest=SHORTEST)
    event = Dispatcher(known=[stream]).parse(b"Nov 24 04:05:06 h short[1]: " + b"x" * size, _RECEIVED, MemoryState())
    assert seen == ["x" * SHORTEST]
    assert event.get("extra", {}).get("tags") == ([TRUNCATED] if cut else None)


def test_every_stream_gets_enough() -> None:
    assert all(stream.longest >= SHORTEST for stream in discover())


def test_a_long_request_is_counted_as_what_it_is() -> None:
    path = "/" + "\\x22" * 20_000
    line = f'192.0.2.1 - alice [24/Nov/2026:04:05:06 +0000] "GET {path} HTTP/1.1" 401 0 "-" "-"'
    event = _event_of(line)
    assert event["http_response_status_code"] == 401
    assert event["ogrewatch_attempt"] == 1
