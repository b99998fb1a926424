"""Tests which texts count as names of hosts."""

import pytest

from streams.common.domains import name_source
from topics.event import Event


@pytest.mark.parametrize(
    "name", ["host", "host.example.com", "host-1.example.com", "_x.example.com", "host.example.com."]
)
def test_a_name_is_a_domain_and_a_host(name: str) -> None:
    event: Event = {"extra": {"source.address": name}}
    name_source(event)
    assert event["extra"] == {"source.address": name, "source.domain": name, "related.hosts": [name]}


@pytest.mark.parametrize(
    "address", ["999.1.1.1", "1.2.3", "a b", "fe80::1%eth0", "user@host", "", ".", "a..b", "x" * 300, "-a", "a\n"]
)
def test_anything_else_is_left_alone(address: str) -> None:
    event: Event = {"extra": {"source.address": address}}
    name_source(event)
    assert event == {"extra": {"source.address": address}}


@pytest.mark.parametrize(
    "event", [{}, {"extra": {"x": 1}}, {"source_ip": "192.0.2.1", "extra": {"source.address": "h"}}]
)
def test_an_address_needs_no_name(event: Event) -> None:
    before = dict(event)
    name_source(event)
    assert event == before
