"""Tests the parser of ProFTPD: which lines are attempts, and users whose names hold an address or a verdict."""

import pytest
from parsing import attempt_of, event_of

AT = "192.0.2.1 (203.0.113.66[203.0.113.66]) - "
NAMES = (
    "root",
    "x: Login successful.",
    "x (Login failed): y",
    "x: no such user found from y [192.0.2.99] to 192.0.2.9:21",
    "x (192.0.2.99[192.0.2.99]) - USER root",
    "a=b;c",
    '"q"',
    "x\x00\x1b[31m",
    "two words",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"{AT}USER a: Login successful.", 1, "success"),
        (f"{AT}ANON ftp: Login successful.", 1, "success"),
        (f"{AT}USER a (Login failed): Incorrect password.", 1, "failure"),
        (f"{AT}USER a: no such user found from x [203.0.113.66] to 192.0.2.1:21", 1, "failure"),
        (f"{AT}SECURITY VIOLATION: Root login attempted", 1, "failure"),
        (f"{AT}Maximum login attempts (3) exceeded, connection refused", 0, "failure"),
        (f"{AT}FTP login timed out, disconnected", 0, "failure"),
        (f"{AT}FTP session opened.", 0, ""),
        ("pam_unix(proftpd:auth): authentication failure; logname= uid=0 euid=0 tty=t ruser=a rhost=x", 0, "failure"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("proftpd", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape",
    [
        "USER {} (Login failed): Incorrect password.",
        "USER {}: no such user found from 203.0.113.66 [203.0.113.66] to 192.0.2.1:21",
    ],
)
def test_a_name_hides_neither_address_nor_verdict(shape: str, name: str) -> None:
    event = event_of("proftpd", AT + shape.format(name))
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", name, "failure")
    assert event.get("destination_ip", "192.0.2.1") == "192.0.2.1"


def test_a_name_of_the_client_is_kept() -> None:
    event = event_of("proftpd", "192.0.2.1 (c.example.org[::ffff:203.0.113.5]) - FTP session opened.")
    assert (event["source_ip"], event["extra"]["source.domain"]) == ("203.0.113.5", "c.example.org")


@pytest.mark.parametrize("message", ["", "x", "USER", "192.0.2.1 (x) - USER a: Login successful.", "a - b"])
def test_what_proftpd_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("proftpd", message)["event_dataset"] == "syslog.unparsed"
