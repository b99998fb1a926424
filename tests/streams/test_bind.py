"""Tests the parser of BIND: queries and refusals, zones, other servers, names that look like log lines."""

import pytest
from parsing import attempt_of, event_of

from streams.bind.parser import sniff

CLIENT = "client @0x7f1c2c0a1b60 203.0.113.66#51234"


@pytest.mark.parametrize(
    ("client", "ip", "port"),
    [
        ("client 203.0.113.66#51234", "203.0.113.66", 51234),
        ("client 203.0.113.66#51234 (www.example.com)", "203.0.113.66", 51234),
        (f"{CLIENT} (www.example.com)", "203.0.113.66", 51234),
        ("client @0x7f1c2c0a1b60 2001:db8::66#51234 (www.example.com)", "2001:db8::66", 51234),
        (f"{CLIENT}/key k.example.com (www.example.com)", "203.0.113.66", 51234),
        (f"{CLIENT} (www.example.com): view internal", "203.0.113.66", 51234),
        (f"queries: info: {CLIENT} (www.example.com)", "203.0.113.66", 51234),
        (f"queries: {CLIENT} (www.example.com)", "203.0.113.66", 51234),
    ],
)
def test_clients(client: str, ip: str, port: int) -> None:
    event = event_of("named", f"{client}: query: www.example.com IN AAAA +ET (192.0.2.1)")
    assert (event["source_ip"], event["source_port"], event["destination_ip"]) == (ip, port, "192.0.2.1")
    assert (event["dns_question_name"], event["dns_question_type"]) == ("www.example.com", "AAAA")
    assert (event["event_category"], event["network_transport"]) == (["network"], "tcp")


@pytest.mark.parametrize(
    ("text", "action", "outcome", "name"),
    [
        ("query: a.example IN A + (192.0.2.1)", "dns_query", None, "a.example"),
        ("query (cache) 'a.example/A/IN' denied", "dns_query", "failure", "a.example"),
        ("query 'a.example/A/IN' denied (allow-query did not match)", "dns_query", "failure", "a.example"),
        ("update 'a.example/IN' denied", "dns_update", "failure", "a.example"),
        ("zone transfer 'a.example/AXFR/IN' denied", "dns_zone_transfer", "failure", "a.example"),
        ("transfer of 'a.example/IN': AXFR started (serial 1)", "zone_transfer_started", "success", "a.example"),
        (
            "updating zone 'a.example/IN': adding an RR at 'b.a.example' A 192.0.2.9",
            "dns_update",
            "success",
            "a.example",
        ),
        ("updating zone 'a.example/IN': update unsuccessful: x (NXRRSET)", "dns_update", "failure", "a.example"),
        ("query failed (SERVFAIL) for a.example/IN/A at query.c:7051", "dns_query", "failure", "a.example"),
        ("rpz QNAME NODATA rewrite a.example/A/IN via a.example.rpz", "dns_rewritten", "success", "a.example"),
        (
            "rate limit slip response to 203.0.113.0/24 for a.example IN A  (1)",
            "dns_rate_limited",
            "success",
            "a.example",
        ),
        ("received notify for zone 'a.example'", "dns_notify", None, "a.example"),
        ("message parsing failed: FORMERR", "dns_error", "failure", None),
        ('signer "k.example.com" denied', "dns_signer", "failure", None),
    ],
)
def test_what_clients_do(text: str, action: str, outcome: str | None, name: str | None) -> None:
    event = event_of("named", f"{CLIENT}: {text}")
    assert (event["event_action"], event.get("event_outcome"), event.get("dns_question_name")) == (
        action,
        outcome,
        name,
    )
    assert event["source_ip"] == "203.0.113.66"
    assert attempt_of("named", f"{CLIENT}: {text}")[0] == 0


@pytest.mark.parametrize(
    ("text", "server", "name", "code"),
    [
        ("lame server resolving 'a.example' (in 'example'?): 198.51.100.53#53", "198.51.100.53", "a.example", None),
        ("unexpected RCODE (REFUSED) resolving 'a.example/NS/IN': 192.0.2.53#53", "192.0.2.53", "a.example", "REFUSED"),
        ("host unreachable resolving 'a.example/A/IN': 2001:db8::53#53", "2001:db8::53", "a.example", None),
        ("DNS format error from 198.51.100.53#53 resolving a.example/A for client 10.0.0.5#4: x", "198.51.100.53",
         "a.example", None),
        ("broken trust chain resolving 'a.example/A/IN': 198.51.100.53#53", "198.51.100.53", "a.example", None),
        ("transfer of 'a.example/IN' from 198.51.100.53#53: connected using 192.0.2.1#4", "198.51.100.53", "a.example",
         None),
        ("validating a.example/A: no valid signature found", None, "a.example", None),
        ("zone a.example/IN: loaded serial 1", None, "a.example", None),
    ],
)  # fmt: skip
def test_other_servers(text: str, server: str | None, name: str, code: str | None) -> None:
    event = event_of("named", text)
    assert (event.get("destination_ip"), event["dns_question_name"]) == (server, name)
    assert event.get("dns_response_code") == code


@pytest.mark.parametrize(
    "name",
    ["x\\032IN\\032A", "client\\032192.0.2.99#1", "\\(192.0.2.99\\):", "\\\"'{}[]=\\;", "0/25.2.0.192.in-addr.arpa",
     ".", "\\000\\255", "'a.example/A/IN'"],
)  # fmt: skip
def test_a_name_hides_no_client(name: str) -> None:
    event = event_of("named", f"{CLIENT} ({name}): query: {name} IN A + (192.0.2.1)")
    assert (event["source_ip"], event["destination_ip"]) == ("203.0.113.66", "192.0.2.1")
    assert event["dns_question_name"] == name
    event = event_of("named", f"{CLIENT} ({name}): query (cache) '{name}/A/IN' denied")
    assert (event["source_ip"], event["dns_question_name"], event["dns_question_type"]) == ("203.0.113.66", name, "A")


@pytest.mark.parametrize(
    ("stamp", "when"),
    [("24-Nov-2026 04:05:05.123", 1_795_493_105_123_000), ("2026-11-24T04:05:05.123Z", 1_795_493_105_123_000)],
)
def test_the_time_of_a_file(stamp: str, when: int) -> None:
    line = f"{stamp} queries: info: {CLIENT} (a.example): query: a.example IN A + (192.0.2.1)"
    assert sniff(line)
    assert event_of("named", line)["timestamp"] == when


@pytest.mark.parametrize("message", ["", "x", "client x", f"{CLIENT}: ", f"{CLIENT}: purrs", "query: a IN A", "zone x"])
def test_what_it_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("named", message)["event_dataset"] == "syslog.unparsed"


def test_what_is_not_told_by_its_beginning() -> None:
    assert not sniff("24-Nov-2026 04:05:05.123 something else")
    assert not sniff("query: x")
