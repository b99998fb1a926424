"""Tests the parser of ISC dhcpd: exchanges, what went wrong, clients whose names hold interfaces and addresses."""

import pytest
from parsing import attempt_of, event_of

MAC = "00:00:5e:00:53:6f"
HOSTILE = [
    "x",
    "two words",
    "x) via eth9: no free leases",
    "x (192.0.2.99) via 192.0.2.98",
    "\"'{};=",
    "caf\udce9",
    "a\x1bb",
]


@pytest.mark.parametrize(
    ("message", "action", "outcome"),
    [
        (f"DHCPDISCOVER from {MAC} via eth0", "dhcpdiscover", ""),
        (f"DHCPDISCOVER from {MAC} via eth0: network 10.0.0.0/24: no free leases", "dhcpdiscover", "failure"),
        (f"DHCPOFFER on 10.0.0.66 to {MAC} via eth0", "dhcpoffer", ""),
        (f"DHCPREQUEST for 10.0.0.66 from {MAC} via eth0", "dhcprequest", ""),
        (f"DHCPREQUEST for 10.0.0.66 from {MAC} via eth0: unknown lease 10.0.0.66.", "dhcprequest", "failure"),
        (f"DHCPREQUEST for 10.0.0.66 from {MAC} via eth0: wrong network.", "dhcprequest", "failure"),
        (f"DHCPACK on 10.0.0.66 to {MAC} via eth0", "dhcpack", "success"),
        (f"DHCPACK to 10.0.0.66 ({MAC}) via eth0", "dhcpack", "success"),
        (f"DHCPNAK on 10.0.0.66 to {MAC} via eth0", "dhcpnak", "failure"),
        (f"DHCPRELEASE of 10.0.0.66 from {MAC} via eth0 (found)", "dhcprelease", ""),
        (f"DHCPRELEASE of 10.0.0.66 from {MAC} via eth0 (not found)", "dhcprelease", "failure"),
        (f"DHCPDECLINE of 10.0.0.66 from {MAC} via eth0: abandoned", "dhcpdecline", "failure"),
        (f"BOOTREPLY for 10.0.0.66 to host ({MAC}) via eth0", "bootreply", ""),
    ],
)
def test_exchanges(message: str, action: str, outcome: str) -> None:
    event = event_of("dhcpd", message)
    assert (event["event_action"], event.get("event_outcome", "")) == (action, outcome)
    assert event["extra"]["source.mac"] == "00-00-5E-00-53-6F"
    assert event.get("source_ip") == ("10.0.0.66" if "10.0.0.66" in message else None)
    assert event["observer_ingress_interface_name"] == "eth0"
    assert attempt_of("dhcpd", message)[0] == 0


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("message", ["DHCPREQUEST for 10.0.0.66 (10.0.0.1) from", "DHCPACK on 10.0.0.66 to"])
def test_a_name_hides_nothing(message: str, name: str) -> None:
    event = event_of("dhcpd", f"{message} {MAC} ({name}) via eth0")
    known = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    assert (event["source_ip"], event["observer_ingress_interface_name"]) == ("10.0.0.66", "eth0")
    assert event["extra"]["source.domain"] == known
    assert event["extra"]["related.hosts"] == [known]
    assert event.get("event_outcome", "success") == "success"
    assert event.get("destination_ip", "10.0.0.1") == "10.0.0.1"


def test_a_relay_is_no_interface() -> None:
    event = event_of("dhcpd", f"DHCPDISCOVER from {MAC} via 10.0.1.1")
    assert event["extra"]["dhcpd.relay"] == "10.0.1.1"
    assert "observer_ingress_interface_name" not in event


@pytest.mark.parametrize(
    ("message", "source", "destination"),
    [
        ("DHCPREQUEST on em0 to 192.0.2.1 port 67", None, "192.0.2.1"),
        ("DHCPREQUEST for 192.0.2.77 on em0 to 192.0.2.1 port 67 (xid=0x1)", "192.0.2.77", "192.0.2.1"),
        ("DHCPACK of 192.0.2.77 from 192.0.2.1", "192.0.2.77", "192.0.2.1"),
        ("DHCPOFFER from 192.0.2.1", None, "192.0.2.1"),
        ("bound to 192.0.2.77 -- renewal in 1800 seconds.", "192.0.2.77", None),
    ],
)
def test_dhclient(message: str, source: str | None, destination: str | None) -> None:
    event = event_of("dhclient", message)
    assert (event.get("source_ip"), event.get("destination_ip")) == (source, destination)


def test_dhcp_of_ipv6() -> None:
    event = event_of("dhcpd", "Solicit message from fe80::5 port 546, transaction ID 0x1A2B3C00")
    assert (event["event_action"], event["source_ip"], event["network_protocol"]) == ("solicit", "fe80::5", "dhcpv6")


@pytest.mark.parametrize("message", ["", "x", "DHCPACK", "DHCPACK on x", "DHCPNAK from y via", "Listening on LPF/eth0"])
def test_what_is_no_exchange_is_not_understood(message: str) -> None:
    assert event_of("dhcpd", message)["event_dataset"] == "syslog.unparsed"
