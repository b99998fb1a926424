"""Tests which addresses are looked up, and in which form."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichers.addresses import LONGEST, placed


@pytest.mark.parametrize(
    "address", ["81.2.69.142", "2.125.160.216", "2001:218::1", "2001:200::", "172.32.0.1", "100.128.0.1"]
)
def test_a_global_address_is_looked_up_as_it_is(address: str) -> None:
    assert placed(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.2.1",
        "192.168.1.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.255",
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "::",
        "::1",
        "64:ff9b::5102:458e",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff::1",
        "fd00::1",
        "fe80::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:192.0.2.1",
    ],
)
def test_an_address_without_a_place_is_not_looked_up(address: str) -> None:
    assert placed(address) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", ":", ":::", "\ud800", "host.example.com"),
        *(
            "81.2.69",
            "81.2.69.142 ",
            "081.2.69.142",
            "0x51.2.69.142",
            "81.2.69.142:22",
            "81.2.69.142\0",
            "８1.2.69.142",
        ),
        *("fe80::1%eth0", "2001:218::1%eth0", "[2001:218::1]"),
    ],
)
def test_text_that_is_no_address_is_not_looked_up(text: str) -> None:
    assert placed(text) is None


@pytest.mark.parametrize("address", ["::ffff:81.2.69.142", "::FFFF:5102:458e", "0:0:0:0:0:ffff:5102:458e"])
def test_ipv4_in_ipv6_is_looked_up_as_ipv4(address: str) -> None:
    assert placed(address) == "81.2.69.142"


def test_the_longest_text_of_an_address_has_the_length_named() -> None:
    assert len("0000:0000:0000:0000:0000:ffff:255.255.255.255") == LONGEST


@given(st.text() | st.text("0123456789abcdef.:%"))
def test_any_text_is_taken(text: str) -> None:
    assert placed(text) is None or len(text) <= LONGEST


@given(st.ip_addresses())
def test_what_python_calls_special_has_no_place(address: IPv4Address | IPv6Address) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved or address.is_unspecified
    if special and not getattr(address, "ipv4_mapped", None):
        assert placed(str(address)) is None
