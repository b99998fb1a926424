"""Tests the parser of systemd-logind: no line is an attempt; users are added to lines that do not name them."""

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState

NAMES = (
    "alice",
    "EXAMPLE\\bob",
    "two words",
    "x. of user root",
    "x' with class 'user",
    'q"',
    "a=b;c",
    "x\x00\x1b",
    "ü",
)


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("New session 3 of user alice.", "success"),
        ("New session '3' of user 'alice' with class 'user' and type 'tty'.", "success"),
        ("Session 3 logged out. Waiting for processes to exit.", "success"),
        ("Removed session 3.", "success"),
        ("New seat seat0.", ""),
    ],
)
def test_no_line_is_an_attempt(message: str, outcome: str) -> None:
    assert attempt_of("systemd-logind", message) == (0, outcome)


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_of_a_session_have_its_user(name: str) -> None:
    state = MemoryState()
    lines = (
        f"New session 3 of user {name}.",
        "Session 3 logged out. Waiting for processes to exit.",
        "Removed session 3.",
    )
    assert [event_of("systemd-logind", line, state)["user_name"] for line in lines] == [name] * 3
    assert "user_name" not in event_of("systemd-logind", "Removed session 4.", state)


def test_a_newer_session_of_the_same_number_is_another() -> None:
    state = MemoryState()
    for user in ("alice", "bob"):
        event_of("systemd-logind", f"New session 3 of user {user}.", state)
    assert event_of("systemd-logind", "Removed session 3.", state)["user_name"] == "bob"


@pytest.mark.parametrize("message", ["", "x", "New", "New session", "Removed session .", "Session 3"])
def test_what_logind_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("systemd-logind", message)["event_dataset"] == "syslog.unparsed"
