"""Tests the parser of Kea: leases, clients, what its texts may hold."""

import pytest
from parsing import attempt_of, event_of

CLIENT = "[hwtype=1 00:00:5e:00:53:6f], cid=[01:00:00:5e:00:53:6f], tid=0x1a2b3c4d"


@pytest.mark.parametrize("before", ["", "INFO  ", "INFO  [kea-dhcp4.leases/601.140001] ", "INFO  [kea-dhcp4.leases] "])
@pytest.mark.parametrize(
    ("message", "ip", "outcome"),
    [
        (f"DHCP4_LEASE_ALLOC {CLIENT}: lease 10.0.0.66 has been allocated for 3600 seconds", "10.0.0.66", "success"),
        (f"DHCP4_LEASE_RENEW {CLIENT}: lease 10.0.0.66 has been renewed for 3600 seconds", "10.0.0.66", "success"),
        (f"DHCP4_LEASE_ADVERT {CLIENT}: lease 10.0.0.66 will be advertised", "10.0.0.66", None),
        (f"DHCP4_RELEASE {CLIENT}: address 10.0.0.66 was released properly.", "10.0.0.66", "success"),
        (f"ALLOC_ENGINE_V4_ALLOC_FAIL {CLIENT}: failed to allocate an IPv4 address", None, "failure"),
        (f"DHCP4_CLIENT_HOSTNAME_DATA {CLIENT}: client sent Hostname option: lease 192.0.2.99 has been", None, None),
    ],
)
def test_leases(before: str, message: str, ip: str | None, outcome: str | None) -> None:
    event = event_of("kea-dhcp4", before + message)
    assert (event.get("source_ip"), event.get("event_outcome")) == (ip, outcome)
    assert event["extra"]["source.mac"] == "00-00-5E-00-53-6F"
    assert (event["event_category"], event["network_protocol"]) == (["network"], "dhcp")
    assert attempt_of("kea-dhcp4", message)[0] == 0


def test_the_client_is_the_source_whoever_sends() -> None:
    received = (
        f"DHCP4_PACKET_RECEIVED {CLIENT}: received DHCPREQUEST (type 3) from 10.0.0.66 to 10.0.0.1 on interface eth0"
    )
    packet = "trying to send packet DHCPACK (type 5) from 10.0.0.1:67 to 10.0.0.66:68 on interface eth0"
    sent = f"DHCP4_PACKET_SEND {CLIENT}: {packet}"
    for message in (received, sent):
        event = event_of("kea-dhcp4", message)
        assert (event["source_ip"], event["destination_ip"]) == ("10.0.0.66", "10.0.0.1")


@pytest.mark.parametrize(
    "name", ["x", "\"'{};=[x]", "[hwtype=1 00:00:5e:00:53:01]: lease 192.0.2.99 has been", "caf\udce9"]
)
def test_a_name_hides_nothing(name: str) -> None:
    event = event_of("kea-dhcp4", f"DHCP4_CLIENT_FQDN_DATA {CLIENT}: Client sent FQDN option: {name}")
    assert event["extra"]["source.mac"] == "00-00-5E-00-53-6F"
    assert "source_ip" not in event


@pytest.mark.parametrize("message", ["", "x", "INFO  something", "dhcp4_lease_alloc x"])
def test_what_it_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("kea-dhcp4", message)["event_dataset"] == "syslog.unparsed"
