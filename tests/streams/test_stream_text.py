"""Tests the helpers for text that streams share."""

from zoneinfo import ZoneInfo

import pytest

from streams.common import text
from streams.syslog.timestamps import MICROSECOND, clf, iso, zone_of
from topics.event import Event


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("0", 0),
        ("42", 42),
        ("", None),
        ("-1", None),
        ("²", None),
        ("٣", None),
        ("1" * 18, int("1" * 18)),
        ("1" * 19, None),
    ],
)
def test_numbers(given: str, value: int | None) -> None:
    assert text.number(given) == value


@pytest.mark.parametrize(
    ("given", "ports"), [("22", 22), ("65535", 65535), ("65536", None), ("0", 0), ("x", None), ("999999", None)]
)
def test_ports(given: str, ports: int | None) -> None:
    assert text.port_number(given) == ports


@pytest.mark.parametrize(
    ("given", "valid"),
    [
        ("192.0.2.1", True), ("2001:db8::1", True), ("::", True), ("192.0.2.256", False), ("1.2.3", False), ("", False),
        ("192.0.2.1\x00", False), ("\ud800", False), ("fe80::1%eth0", False), (":" * 99, False), ("x", False),
    ],
)  # fmt: skip
def test_addresses(given: str, valid: bool) -> None:
    assert text.is_ip(given) is valid


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("192.0.2.1:22", ("192.0.2.1", "22")), ("[2001:db8::1]:22", ("2001:db8::1", "22")), ("h:1", ("h", "1")),
        ("[2001:db8::1]", ("2001:db8::1", "")), ("2001:db8::1", ("2001:db8::1", "")), ("h", ("h", "")), ("", ("", "")),
    ],
)  # fmt: skip
def test_hosts_and_ports(given: str, parts: tuple[str, str]) -> None:
    assert text.host_port(given) == parts


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a=1 b=2", [("a", "1"), ("b", "2")]),
        ("a=\"x y\" b='z w' c=", [("a", "x y"), ("b", "z w"), ("c", "")]),
        (r'a="say \"hi\" \\" b=3', [("a", 'say "hi" \\'), ("b", "3")]),
        ("noise, a.b-c=d;e=f", [("a.b-c", "d;e=f")]),
        ('a="unclosed b=1', [("a", ""), ("b", "1")]),
    ],
)
def test_pairs(given: str, expected: list[tuple[str, str]]) -> None:
    assert list(text.pairs(given)) == expected


def test_endpoints_without_an_address_set_nothing() -> None:
    event: Event = {}
    for nothing in ("", "-", "UNKNOWN"):
        text.set_endpoint(event, "source", nothing)
    assert event == {}


def test_a_bracketed_address_is_bare() -> None:
    event: Event = {}
    text.set_endpoint(event, "destination", "[2001:db8::1]", "22")
    assert event == {"destination_ip": "2001:db8::1", "destination_port": 22}


@pytest.mark.parametrize(
    ("name", "hours"), [("Z", 0), ("+01:00", 1), ("-0730", -7.5), ("+05", 5), ("CET", 1), ("EST", -5), ("XYZ", None)]
)
def test_zones(name: str, hours: float | None) -> None:
    zone = zone_of(name)
    offset = None if zone is None else zone.utcoffset(None)
    assert (None if offset is None else offset.total_seconds() / 3600) == hours


def test_times_of_web_logs() -> None:
    assert clf("24/Nov/2026:07:00:00 +0100") == 1_795_500_000 * MICROSECOND
    assert clf("31/Nov/2026:07:00:00 +0100") is None
    assert clf("24/Nov/2026 07:00:00 +0100") is None


@pytest.mark.parametrize("stamp", ["", "x", "2026-11-24", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_no_time_is_out_of_bounds(stamp: str) -> None:
    iso(stamp, ZoneInfo("Pacific/Auckland"))
