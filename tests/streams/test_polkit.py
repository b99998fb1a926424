"""Tests the parser of polkit: which lines are attempts, and commands that look like its own words."""

import pytest
from parsing import attempt_of, event_of

OPERATOR = (
    "Operator of unix-session:2 {} authorization for action org.example.x for system-bus-name::1.9 [{}] "
    "(owned by unix-user:mallory)"
)
COMMANDS = (
    "/bin/sh",
    "sh] (owned by unix-user:root) [x",
    "x] [USER=nobody] [COMMAND=y",
    "a=b;c \"q\" 'r'",
    "x\x00\x1b[31m",
    "<38>1 - - {}",
    "as unix-user:bob to gain",
)


@pytest.mark.parametrize(
    ("program", "message", "attempts", "outcome"),
    [
        (
            "polkitd",
            OPERATOR.format("successfully authenticated as unix-user:root to gain TEMPORARY", "x"),
            1,
            "success",
        ),
        ("polkitd", OPERATOR.format("FAILED to authenticate to gain", "x"), 1, "failure"),
        ("pkexec", "a: Executing command [USER=root] [TTY=t] [CWD=/] [COMMAND=x]", 0, "success"),
        (
            "pkexec",
            "a: Error executing command as another user: Not authorized [USER=root] [TTY=t] [CWD=/] [COMMAND=x]",
            0,
            "failure",
        ),
        (
            "polkit-agent-helper-1",
            "pam_unix(polkit-1:auth): authentication failure; logname= uid=1 euid=0 tty= ruser=a rhost=  user=a",
            0,
            "failure",
        ),
        (
            "polkitd",
            "Registered Authentication Agent for unix-session:2 (system bus name :1.5 [x], object path y)",
            0,
            "",
        ),
    ],
)
def test_what_is_an_attempt(program: str, message: str, attempts: int, outcome: str) -> None:
    assert attempt_of(program, message) == (attempts, outcome)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_an_operator_is_all_command(command: str) -> None:
    event = event_of(
        "polkitd", OPERATOR.format("successfully authenticated as unix-user:root to gain ONE-SHOT", command)
    )
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", "root")
    assert event["process_command_line"] == command


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_pkexec_is_all_command(command: str) -> None:
    event = event_of("pkexec", f"mallory: Executing command [USER=root] [TTY=t] [CWD=/] [COMMAND={command}]")
    assert (event["user_name"], event["user_effective_name"]) == ("mallory", "root")
    assert event["process_command_line"] == command


@pytest.mark.parametrize("message", ["", "x", "Operator of", "a: Executing command", "a: x [USER=b]", "Registered x"])
def test_what_polkit_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("polkitd", message)["event_dataset"] == "syslog.unparsed"
