"""Tests the parser of pfSense and OPNsense: what counts as an attempt, users who write addresses."""

import pytest
from parsing import attempt_of, event_of

HOSTILE = [
    "x",
    "two words",
    "x' from: 192.0.2.99",
    "x' from: 192.0.2.99 (Local Database)",
    '"{}[];=',
    "caf\udce9",
    "a\x1bb",
]


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ("/index.php: Successful login for user 'admin' from: 192.0.2.1 (Local Database)", 1, "success"),
        ("/index.php: Successful login for user 'admin' from: 192.0.2.1", 1, "success"),
        ("/index.php: webConfigurator authentication error for user 'admin' from: 192.0.2.1", 1, "failure"),
        ("/index.php: webConfigurator authentication error for 'admin' from 192.0.2.1", 1, "failure"),
        ("/index.php: Web GUI authentication error for 'admin' from 192.0.2.1", 1, "failure"),
        ("/index.php: User logged out for user 'admin' from: 192.0.2.1 (Local Database)", 0, "success"),
        ("/index.php: Session timed out for user 'admin' from: 192.0.2.1 (Local Database)", 0, "success"),
        ("user admin authenticated successfully for WebGui [using x]", 0, "success"),
        ("user admin failed authentication for WebGui [using x]", 0, "failure"),
        ("user admin could not authenticate for WebGui. [using x]", 0, "failure"),
        ("/system.php: Configuration Change: admin@192.0.2.1 (Local Database): Changed it", 0, "success"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("php-fpm", message) == (attempts, outcome)
    event = event_of("audit", message)
    assert event["user_name"] == "admin"
    assert event.get("source_ip") == ("192.0.2.1" if "192.0.2.1" in message else None)


@pytest.mark.parametrize("user", HOSTILE)
@pytest.mark.parametrize("words", ["webConfigurator authentication error for user", "Successful login for user"])
def test_a_user_hides_no_address(words: str, user: str) -> None:
    event = event_of("php-fpm", f"/index.php: {words} '{user}' from: 203.0.113.66")
    assert event["source_ip"] == "203.0.113.66"
    assert event["user_name"] == user.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "message",
    ["", "x", "/rc.newwanip: rc.newwanip: on (IP address: 192.0.2.1)", "[pool nginx] child exited", "/index.php: "],
)
def test_what_is_no_login_is_not_understood(message: str) -> None:
    assert event_of("php-fpm", message)["event_dataset"] == "syslog.unparsed"
