"""Tests the parser of dnsmasq: queries and answers, leases, names that hold addresses."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize("serial", ["", "12345 10.0.0.66/40100 "])
@pytest.mark.parametrize(
    "name",
    ["www.example.com", "a from 192.0.2.99", "a is 192.0.2.98 from 192.0.2.99", "\"'{};=[x]", "a\x1b b", "caf\udce9"],
)
def test_a_name_hides_no_client(serial: str, name: str) -> None:
    event = event_of("dnsmasq", f"{serial}query[A] {name} from 10.0.0.66")
    known = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    assert (event["source_ip"], event["dns_question_name"], event["dns_question_type"]) == ("10.0.0.66", known, "A")
    assert event.get("source_port") == (40100 if serial else None)


@pytest.mark.parametrize(
    ("message", "code", "resolved"),
    [
        ("reply www.example.com is 192.0.2.80", "NOERROR", ["192.0.2.80"]),
        ("cached www.example.com is 2001:db8::80", "NOERROR", ["2001:db8::80"]),
        ("cached-stale www.example.com is 192.0.2.80", "NOERROR", ["192.0.2.80"]),
        ("reply www.example.com is <CNAME>", "NOERROR", None),
        ("reply www.example.com is NXDOMAIN", "NXDOMAIN", None),
        ("config www.example.com is NODATA-IPv4", "NOERROR", None),
        ("reply error www.example.com is SERVFAIL", "SERVFAIL", None),
        ("/etc/hosts www.example.com is 10.0.0.9", "NOERROR", ["10.0.0.9"]),
        ("DHCP www.example.com is 10.0.0.9", "NOERROR", ["10.0.0.9"]),
    ],
)
def test_answers(message: str, code: str, resolved: list[str] | None) -> None:
    event = event_of("dnsmasq", message)
    assert (event["dns_response_code"], event["extra"].get("dns.resolved_ip")) == (code, resolved)
    assert event["dns_question_name"].endswith("www.example.com")
    assert event["extra"].get("related.ip") == resolved


@pytest.mark.parametrize("verb", ["gravity blocked", "regex denied", "exactly blacklisted"])
def test_blocked_names(verb: str) -> None:
    event = event_of("pihole-FTL", f"{verb} ads.example.org is 0.0.0.0")
    assert (event["event_action"], event["dns_question_name"]) == ("dns_blocked", "ads.example.org")
    assert "denied" in event["event_type"]


@pytest.mark.parametrize(
    ("message", "ip", "hardware", "name", "outcome"),
    [
        ("DHCPDISCOVER(eth1) 00:00:5e:00:53:6f", None, "00-00-5E-00-53-6F", None, None),
        ("DHCPREQUEST(eth1) 10.0.0.5 00:00:5e:00:53:6f", "10.0.0.5", "00-00-5E-00-53-6F", None, None),
        ("DHCPACK(eth1) 10.0.0.5 00:00:5e:00:53:6f laptop", "10.0.0.5", "00-00-5E-00-53-6F", "laptop", "success"),
        ("1 DHCPNAK(eth1) 10.0.9.9 00:00:5e:00:53:6f wrong net", "10.0.9.9", "00-00-5E-00-53-6F", None, "failure"),
        ("DHCPREPLY(eth1) 2001:db8::5 00:01:00:01:00:00:5e:00:53:05:00:01:02:03 laptop", "2001:db8::5", None, "laptop",
         "success"),
    ],
)  # fmt: skip
def test_leases(message: str, ip: str | None, hardware: str | None, name: str | None, outcome: str | None) -> None:
    event = event_of("dnsmasq-dhcp", message)
    extra = event.get("extra", {})
    assert (event.get("source_ip"), extra.get("source.mac"), extra.get("source.domain")) == (ip, hardware, name)
    assert (event.get("event_outcome"), event["observer_ingress_interface_name"]) == (outcome, "eth1")
    assert attempt_of("dnsmasq-dhcp", message)[0] == 0


@pytest.mark.parametrize(
    "message", ["", "x", "query[A] x", "query[A] x from y", "forwarded x to y", "DHCPACK(", "12 x"]
)
def test_what_it_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("dnsmasq", message)["event_dataset"] == "syslog.unparsed"
