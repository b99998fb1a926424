"""Tests the parser of netfilter: what prefixes mean, whose packet it is, and other messages of the kernel."""

from typing import Any

import pytest
from parsing import attempt_of, event_of

from streams.netfilter.parser import sniff

PACKET = "SRC=203.0.113.66 DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=50 ID=1 DF PROTO=TCP SPT=51234 DPT=22"


@pytest.mark.parametrize(
    ("prefix", "action", "verdict", "rule"),
    [
        ("[UFW BLOCK] ", "block", "denied", "UFW BLOCK"),
        ("[UFW ALLOW] ", "allow", "allowed", "UFW ALLOW"),
        ("[UFW LIMIT BLOCK] ", "block", "denied", "UFW LIMIT BLOCK"),
        ("[UFW AUDIT] ", "packet_logged", None, "UFW AUDIT"),
        ("IPTables-Dropped: ", "drop", "denied", "IPTables-Dropped"),
        ("Shorewall:net2fw:DROP:", "drop", "denied", "Shorewall:net2fw:DROP"),
        ("FINAL_REJECT: ", "reject", "denied", "FINAL_REJECT"),
        ("filter_IN_public_DROP: ", "drop", "denied", "filter_IN_public_DROP"),
        ("drop_log ACCEPT ", "accept", "allowed", "drop_log ACCEPT"),
        ("[WAN_LOCAL-default-D]", "drop", "denied", "WAN_LOCAL"),
        ("[LAN-TO-WAN-2001-A]", "accept", "allowed", "LAN-TO-WAN"),
        ("[LAN_IN-RET-2000] ", "return", None, "LAN_IN"),
        ("[WAN_IN-R-4000] ", "reject", "denied", "WAN_IN"),
        ("ssh: ", "packet_logged", None, "ssh"),
        ("", "packet_logged", None, None),
    ],
)
@pytest.mark.parametrize("uptime", ["", "[    7.000001] ", "[12345.678901] "])
def test_prefixes(uptime: str, prefix: str, action: str, verdict: str | None, rule: str | None) -> None:
    event = event_of("kernel", f"{uptime}{prefix}IN=eth0 OUT= MAC= {PACKET}")
    assert (event["event_action"], event.get("rule_name")) == (action, rule)
    assert event["event_type"] == ["connection", *([verdict] if verdict else [])]
    assert event["event_category"] == ["network"]
    assert (event["source_ip"], event["source_port"]) == ("203.0.113.66", 51234)
    assert (event["destination_ip"], event["destination_port"]) == ("192.0.2.10", 22)


@pytest.mark.parametrize(
    ("interfaces", "direction"),
    [("IN=eth0 OUT=", "ingress"), ("IN= OUT=eth0", "egress"), ("IN=eth0 OUT=eth1", None), ("IN= OUT=", None)],
)
def test_directions(interfaces: str, direction: str | None) -> None:
    assert event_of("kernel", f"{interfaces} {PACKET}").get("network_direction") == direction


@pytest.mark.parametrize(
    ("protocol", "transport", "iana"),
    [("TCP", "tcp", "6"), ("UDP", "udp", "17"), ("ICMP", "icmp", "1"), ("ICMPv6", "ipv6-icmp", "58"),
     ("2", "igmp", "2"), ("ESP", "esp", "50"), ("253", None, "253")],
)  # fmt: skip
def test_protocols(protocol: str, transport: str | None, iana: str) -> None:
    event = event_of("kernel", f"IN=eth0 OUT= SRC=203.0.113.66 DST=192.0.2.10 LEN=60 PROTO={protocol}")
    assert (event.get("network_transport"), event["extra"]["network.iana_number"]) == (transport, iana)


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        (
            "MAC=00:00:5e:00:53:01:00:00:5e:00:53:6f:08:00",
            {"destination.mac": "00-00-5E-00-53-01", "source.mac": "00-00-5E-00-53-6F"},
        ),
        ("MACSRC=00:00:5e:00:53:6f MACDST=x", {"source.mac": "00-00-5E-00-53-6F"}),
        ("MAC=45:00:00:54", {"netfilter.mac": "45:00:00:54"}),
        ("MAC=", {}),
    ],
)
def test_hardware_addresses(address: str, fields: dict[str, Any]) -> None:
    extra = event_of("kernel", f"IN=eth0 OUT= {address} {PACKET}")["extra"]
    assert {name: value for name, value in extra.items() if "mac" in name} == fields


def test_a_quoted_packet_is_not_the_packet() -> None:
    quoted = "SRC=192.0.2.99 DST=192.0.2.98 PROTO=TCP SPT=1 DPT=2"
    message = f"IN=eth0 OUT= SRC=203.0.113.66 DST=192.0.2.10 PROTO=ICMP TYPE=3 CODE=3 [{quoted} ] MARK=0x2"
    event = event_of("kernel", message)
    assert (event["source_ip"], event["destination_ip"], event["network_transport"]) == (
        "203.0.113.66",
        "192.0.2.10",
        "icmp",
    )
    assert "source_port" not in event
    assert event["extra"]["netfilter.quoted_packet"] == quoted
    assert event["extra"]["netfilter.mark"] == "0x2"


def test_every_word_is_kept() -> None:
    extra = event_of("kernel", f"IN=eth0 OUT= {PACKET} WINDOW=1024 RES=0x00 SYN URGP=0 UID=0 GID=0")["extra"]
    assert extra["netfilter.flags"] == ["DF", "SYN"]
    assert (extra["netfilter.window"], extra["netfilter.res"], extra["user.group.id"]) == (1024, "0x00", "0")


@pytest.mark.parametrize("message", [f"IN=eth0 OUT= {PACKET}", f"[UFW BLOCK] IN=eth0 OUT= {PACKET}"])
def test_a_packet_is_no_attempt(message: str) -> None:
    assert attempt_of("kernel", message) == (0, "")


@pytest.mark.parametrize(
    "message",
    ["", "usb 1-1: new device", "x OUT= y", "IN= y", "IN=a b OUT=c", "x" * 300 + f"IN=eth0 OUT= {PACKET}"],
)
def test_what_is_no_packet_is_not_understood(message: str) -> None:
    assert event_of("kernel", message)["event_dataset"] == "syslog.unparsed"


def test_what_is_told_without_a_header() -> None:
    assert sniff(f"IN=eth0 OUT= {PACKET}")
    assert sniff(f"[12345.678901] [UFW BLOCK] IN=eth0 OUT= {PACKET}")
    assert sniff(f"IPTables-Dropped: IN=eth0 OUT= {PACKET}")
    assert not sniff("OUT=1")
    assert not sniff(f"Nov 24 04:05:06 h [12345.678901] [UFW BLOCK] IN=eth0 OUT= {PACKET}")
    assert not sniff(f"<4>Nov 24 04:05:06 h kernel: IN=eth0 OUT= {PACKET}")
    assert not sniff(f"2026-11-24T04:05:06Z h kernel: IN=eth0 OUT= {PACKET}")
