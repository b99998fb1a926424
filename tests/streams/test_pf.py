"""Tests the parser of pf: filterlog's positions and tcpdump's text, which end is which, and lines that are neither."""

import pytest
from parsing import attempt_of, event_of

V4 = "4,,,1000000103,igb0,match,block,in,4,0x0,,242,54321,0,none,"
V6 = "4,,,1000000103,igb0,match,pass,out,6,0x00,0x00000,64,"
ENDS = "203.0.113.66,192.0.2.10"
ENDS6 = "2001:db8::66,2001:db8::10"
ENDS_COLUMNS = ("source_ip", "source_port", "destination_ip", "destination_port", "network_transport")


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        (f"{V4}6,tcp,40,{ENDS},51234,22,0,S,1,,1024,,", ("203.0.113.66", 51234, "192.0.2.10", 22, "tcp")),
        (f"{V4}17,udp,40,{ENDS},51234,53,20", ("203.0.113.66", 51234, "192.0.2.10", 53, "udp")),
        (f"{V4}1,icmp,84,{ENDS},request,77,1", ("203.0.113.66", None, "192.0.2.10", None, "icmp")),
        (f"{V4}50,esp,84,{ENDS},datalength=64", ("203.0.113.66", None, "192.0.2.10", None, "esp")),
        (f"{V4}112,carp,36,{ENDS},advertise,255,1,2,0,1", ("203.0.113.66", None, "192.0.2.10", None, "carp")),
        (f"{V6}TCP,6,40,{ENDS6},51234,22,0,S,1,,1024,,", ("2001:db8::66", 51234, "2001:db8::10", 22, "tcp")),
        (f"{V6}udp,17,40,{ENDS6},51234,53,20", ("2001:db8::66", 51234, "2001:db8::10", 53, "udp")),
        (f"{V6}ICMPv6,58,32,{ENDS6},", ("2001:db8::66", None, "2001:db8::10", None, "ipv6-icmp")),
        (f"{V6}Options,0,32,{ENDS6},", ("2001:db8::66", None, "2001:db8::10", None, "options")),
        (f"{V4}6,tcp,40,{ENDS},errormsg='[bad hdr length 0 - too short]'",
         ("203.0.113.66", None, "192.0.2.10", None, "tcp")),
    ],
)  # fmt: skip
def test_positions(line: str, ends: tuple[str, int | None, str, int | None, str]) -> None:
    event = event_of("filterlog", line)
    assert tuple(event.get(column) for column in ENDS_COLUMNS) == ends
    assert event["event_category"] == ["network"]
    assert event["extra"]["rule.id"] == "1000000103"


@pytest.mark.parametrize(
    ("action", "direction", "types", "flow", "column"),
    [
        ("block", "in", ["connection", "denied"], "inbound", "observer_ingress_interface_name"),
        ("reject", "in", ["connection", "denied"], "inbound", "observer_ingress_interface_name"),
        ("pass", "out", ["connection", "allowed"], "outbound", "observer_egress_interface_name"),
        ("scrub", "in", ["connection"], "inbound", "observer_ingress_interface_name"),
    ],
)
def test_what_the_rule_did(action: str, direction: str, types: list[str], flow: str, column: str) -> None:
    line = f"4,,,1000000103,igb0,match,{action},{direction},4,0x0,,242,54321,0,none,17,udp,40,{ENDS},1,2,20"
    packet = f"rule 4/(match) {action} {direction} on igb0: 203.0.113.66.1 > 192.0.2.10.2: udp 20"
    for message in (line, packet):
        event = event_of("filterlog", message)
        assert (event["event_action"], event["event_type"], event["network_direction"]) == (action, types, flow)
        assert event[column] == "igb0"
        assert attempt_of("filterlog", message) == (0, "")


@pytest.mark.parametrize(
    ("packet", "ends"),
    [
        ("203.0.113.66.1 > 192.0.2.10.2: S 1:1(0) win 5", ("203.0.113.66", 1, "192.0.2.10", 2, "tcp")),
        ("203.0.113.66.1 > 192.0.2.10.2: . ack 1 win 5", ("203.0.113.66", 1, "192.0.2.10", 2, "tcp")),
        ("203.0.113.66.1 > 192.0.2.10.2: Flags [R.], ack 1", ("203.0.113.66", 1, "192.0.2.10", 2, "tcp")),
        ("203.0.113.66.1 > 192.0.2.10.53: 1+ A? x.example. (9)", ("203.0.113.66", 1, "192.0.2.10", 53, "udp")),
        ("203.0.113.66.1 > 192.0.2.10.2: [|tcp] (DF)", ("203.0.113.66", 1, "192.0.2.10", 2, "tcp")),
        ("203.0.113.66 > 192.0.2.10: ICMP echo request, id 1", ("203.0.113.66", None, "192.0.2.10", None, "icmp")),
        ("203.0.113.66 > 192.0.2.10: ESP(spi=0x1,seq=0x2)", ("203.0.113.66", None, "192.0.2.10", None, "esp")),
        ("2001:db8::66.1 > 2001:db8::10.2: S 1:1(0)", ("2001:db8::66", 1, "2001:db8::10", 2, "tcp")),
        ("2001:db8::66 > 2001:db8::10: icmp6: echo request", ("2001:db8::66", None, "2001:db8::10", None, "ipv6-icmp")),
        ("(tos 0x0, proto TCP (6), length 60) 203.0.113.66.1 > 192.0.2.10.2: tcp 0",
         ("203.0.113.66", 1, "192.0.2.10", 2, "tcp")),
        ("IP (tos 0x0, proto UDP (17), length 60) 203.0.113.66.1 > 192.0.2.10.2: x",
         ("203.0.113.66", 1, "192.0.2.10", 2, "udp")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "Nov 24 04:05:05.123456 ", "00:00:01.000001 ", "2026-11-24 04:05:05.1 "])
def test_packets_of_tcpdump(before: str, packet: str, ends: tuple[str, int | None, str, int | None, str]) -> None:
    event = event_of("pf", f"{before}rule 12/0(match): block in on em0: {packet}")
    assert tuple(event.get(column) for column in ENDS_COLUMNS) == ends
    assert event["extra"]["rule.id"] == "12"


def test_contents_that_look_like_a_packet_are_contents() -> None:
    """Names in a DNS question are the sender's: what is known of a packet stands left of them."""
    name = "192.0.2.99.22 > 192.0.2.98.23: S rule 1/(match) pass in on em0: x"
    event = event_of("pf", f"rule 12/(match) block in on em0: 203.0.113.66.1 > 192.0.2.10.53: 1+ A? {name}")
    assert (event["source_ip"], event["destination_ip"]) == ("203.0.113.66", "192.0.2.10")
    assert (event["event_action"], event["extra"]["rule.id"]) == ("block", "12")
    event = event_of("filterlog", f"{V4}6,tcp,40,{ENDS},1,22,0,S,1,,1,,mss,4,,,1,igb0,match,pass,in,4,192.0.2.99")
    assert (event["source_ip"], event["event_action"]) == ("203.0.113.66", "block")


@pytest.mark.parametrize(
    "message",
    [
        "", ",,,,,,,,", "x", V4, f"{V4}6,tcp,40,a,b,1,2", f"{V4}6,tcp,40,{ENDS}".replace("block", "eat"),
        f"{V4}6,tcp,40,{ENDS}".replace(",4,0x0", ",5,0x0"), "rule 1/(match) block in on em0: x",
        "rule 1/(match) eat in on em0: 192.0.2.1 > 192.0.2.2: x",
    ],
)  # fmt: skip
def test_what_is_no_packet_is_not_understood(message: str) -> None:
    assert event_of("filterlog", message)["event_dataset"] == "syslog.unparsed"
