"""Tests the parser of login: which lines are attempts, and names that the user types."""

import pytest
from parsing import attempt_of, event_of

NAMES = ("root", "x, Success", "x FROM 192.0.2.99", "x' FOR 'y", "a=b;c", '"q"', "x\x00\x1b", "<38>1 - -", "two words")


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("LOGIN ON tty1 BY alice", 1, "success"),
        ("LOGIN ON pts/1 BY alice FROM 192.0.2.1", 1, "success"),
        ("ROOT LOGIN ON tty1", 1, "success"),
        ("ROOT LOGIN  on '/dev/tty1'", 1, "success"),
        ("DIALUP AT ttyS0 BY alice", 0, ""),
        ("FAILED LOGIN 1 FROM tty1 FOR a, Authentication failure", 1, "failure"),
        ("FAILED LOGIN (1) on '/dev/tty1' FOR 'a', Authentication failure", 1, "failure"),
        ("FAILED LOGIN SESSION FROM tty1 FOR a, Authentication failure", 0, "failure"),
        ("TOO MANY LOGIN TRIES (3) FROM tty1 FOR a, Maximum", 0, "failure"),
        ("invalid password for 'a' on '/dev/tty1'", 1, "failure"),
        ("1 LOGIN FAILURE ON ttyv0", 1, "failure"),
        ("4 LOGIN FAILURES FROM 192.0.2.1, a", 4, "failure"),
        ("REPEATED LOGIN FAILURES ON ttyp1 FROM host.example.com, a", 1, "failure"),
        ("ROOT LOGIN REFUSED ON ttyp1 FROM host.example.com", 1, "failure"),
        ("LOGIN a REFUSED FROM host.example.com ON TTY ttyp1", 1, "failure"),
        ("LOGIN FAILURE ON console, root", 1, "failure"),
        ("99999 LOGIN FAILURES ON ttyv0", 1000, "failure"),
        (
            "pam_unix(login:auth): authentication failure; logname=LOGIN uid=0 euid=0 tty=t ruser= rhost=  user=a",
            0,
            "failure",
        ),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("login", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape",
    [
        "FAILED LOGIN 1 FROM 203.0.113.66 FOR {}, Authentication failure",
        "FAILED LOGIN (1) on '/dev/tty1' from '203.0.113.66' FOR '{}', Authentication failure",
        "TOO MANY LOGIN TRIES (3) FROM 203.0.113.66 FOR {}, Authentication failure",
        "1 LOGIN FAILURE FROM 203.0.113.66, {}",
    ],
)
def test_a_name_hides_no_host(shape: str, name: str) -> None:
    event = event_of("login", shape.format(name))
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


@pytest.mark.parametrize(
    ("host", "ip", "tty"), [("192.0.2.1", "192.0.2.1", None), ("tty3", None, "tty3"), ("(null)", None, None)]
)
def test_a_terminal_is_no_host(host: str, ip: str | None, tty: str | None) -> None:
    event = event_of("login", f"FAILED LOGIN 1 FROM {host} FOR a, Authentication failure")
    assert event.get("source_ip") == ip
    assert event["extra"].get("login.tty") == tty
    assert "source.address" not in event["extra"]


@pytest.mark.parametrize("message", ["", "LOGIN", "FAILED LOGIN", "x LOGIN FAILURES ON y", "1 LOGIN", "hello"])
def test_what_login_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("login", message)["event_dataset"] == "syslog.unparsed"
