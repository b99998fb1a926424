"""Tests the parser of doas: what counts as an attempt, and commands that look like log lines."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("alice ran command id as root from /home/alice", 1, "success"),
        ("failed auth for alice", 1, "failure"),
        ("command not permitted for alice: sh", 1, "failure"),
        ("failed command for alice: sh", 1, "failure"),
        ("pam_unix(doas:auth): authentication failure; logname=a uid=1 tty=t ruser=a rhost=  user=a", 0, "failure"),
        ("something else", 0, ""),
        ("", 0, ""),
    ],
)  # fmt: skip
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("doas", message) == (attempts, outcome)


@pytest.mark.parametrize("command", ["x", "x as nobody from /tmp", "x for bob: y", "a=b;c", "alice ran command y"])
def test_a_command_hides_neither_who_nor_as_whom(command: str) -> None:
    event = event_of("doas", f"mallory ran command {command} as root from /home/mallory")
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", "root")
    assert event["process_command_line"] == command
    refused = event_of("doas", f"command not permitted for mallory: {command}")
    assert (refused["user_name"], refused["event_outcome"]) == ("mallory", "failure")
