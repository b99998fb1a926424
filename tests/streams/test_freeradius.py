"""Tests the parser of FreeRADIUS: attempts, names that look like the rest, passwords that must not be copied."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher

FROM = "(from client vpn1 port 0 cli 203.0.113.66)"
NAMES = (
    "root",
    "x] (from client y port 1 cli 192.0.2.99)",
    "x/<via Auth-Type = pap>] (from client y port 1)",
    "x: [y",
    "a=b;c",
    '"q"',
    "x\x00\x1b[31m",
    "two words",
    "EXAMPLE\\x",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"(1) Login OK: [a/<via Auth-Type = eap>] {FROM}", 1, "success"),
        (f"(1) Login incorrect (pap: wrong): [a/<via Auth-Type = pap>] {FROM}", 1, "failure"),
        (f"Invalid user: [a] {FROM}", 1, "failure"),
        ("(1) Login incorrect: [a/<via Auth-Type = mschap>] (from client ap1 port 0 via TLS tunnel)", 0, "failure"),
        (f"Multiple logins (max 1): [a] {FROM}", 1, "failure"),
        ("Ignoring request to auth address * port 1812 from unknown client 192.0.2.1 port 5 proto udp", 0, "failure"),
        ("Ready to process requests", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("radiusd", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_hides_neither_address_nor_verdict(name: str) -> None:
    event = event_of("radiusd", f"(1) Login incorrect: [{name}/<via Auth-Type = pap>] {FROM}")
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", name, "failure")
    assert event["extra"]["freeradius.client"] == "vpn1"


@pytest.mark.parametrize("password", ["secret", "a/b", "x] y", "<x>"])
def test_a_password_is_in_no_field_of_its_own(password: str) -> None:
    event = event_of("radiusd", f"Login incorrect: [mallory/{password}] {FROM}")
    assert event["user_name"] == "mallory"
    assert not [value for value in event["extra"].values() if password in str(value) and password != "<x>"]


@pytest.mark.parametrize(
    ("station", "field", "value"),
    [
        ("02-00-5E-10-00-01", "source.mac", "02-00-5E-10-00-01"),
        ("02:00:5e:10:00:01", "source.mac", "02-00-5E-10-00-01"),
        ("0200.5e10.0001", "source.mac", "02-00-5E-10-00-01"),
        ("5551234", "freeradius.calling_station", "5551234"),
    ],
)
def test_stations(station: str, field: str, value: str) -> None:
    event = event_of("radiusd", f"Login OK: [a] (from client ap1 port 0 cli {station})")
    assert event["extra"][field] == value
    assert "source_ip" not in event


def test_a_line_of_its_own_file_has_its_time() -> None:
    line = f"Tue Nov 24 05:00:01 2026 : Auth: (1) Login OK: [a] {FROM}".encode()
    event = Dispatcher().parse(line, RECEIVED, MemoryState())
    assert (event["timestamp"], event["user_name"]) == (1_795_496_401_000_000, "a")
    assert "host_hostname" not in event


@pytest.mark.parametrize("message", ["", "x", "Login OK", "Login OK: [a]", "(1) x", "Auth:"])
def test_what_freeradius_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("radiusd", message)["event_dataset"] == "syslog.unparsed"
