"""Tests the parser of Suricata: types of records, versions of DNS records, both ends, records without schema."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from records_kit import RECEIVED, attempt_of, deep, event_of, leaves, of_samples, spoilt

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.suricata.kinds import KINDS
from streams.suricata.parser import parse_json, sniff_json

_RECORDS = of_samples("suricata")


def record(kind: str = "http", **members: Any) -> dict[str, Any]:
    ends = {"src_ip": "192.0.2.15", "src_port": 51514, "dest_ip": "198.51.100.80", "dest_port": 80, "proto": "TCP"}
    return {"timestamp": "2026-11-24T05:05:06.5+0100", "flow_id": 7, "event_type": kind, **ends, **members}


@pytest.mark.parametrize("kind", [*KINDS, "unheard_of"])
def test_every_type_has_its_ends_and_its_time(kind: str) -> None:
    event = event_of(record(kind))
    assert (event["source_ip"], event["source_port"]) == ("192.0.2.15", 51514)
    assert (event["destination_ip"], event["destination_port"]) == ("198.51.100.80", 80)
    assert (event["network_transport"], event["network_type"]) == ("tcp", "ipv4")
    assert event["timestamp"] == 1_795_493_106_500_000
    assert (event["event_dataset"], event["event_action"]) == ("suricata.eve", kind)


@pytest.mark.parametrize("sample", _RECORDS, ids=range(len(_RECORDS)))
def test_nothing_counts_as_an_attempt(sample: dict[str, Any]) -> None:
    assert attempt_of(sample)[0] == 0


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "success"), ("302", "success"), (401, "failure"), (503, "failure"), (None, "")]
)
def test_the_status_is_the_outcome(status: Any, outcome: str) -> None:
    assert attempt_of(record(http={"status": status, "url": "/"})) == (0, outcome)
    assert attempt_of(record("fileinfo", http={"status": status})) == (0, "")


@pytest.mark.parametrize(
    ("action", "types"),
    [("allowed", ["allowed"]), ("blocked", ["denied"]), ("nonsense", ["info"]), (["allowed"], ["info"])],
)
def test_the_verdict_on_an_alert(action: Any, types: list[str]) -> None:
    event = event_of(record("alert", alert={"action": action, "signature": "ET X y", "signature_id": 5, "severity": 1}))
    assert (event["event_kind"], event["event_category"]) == ("alert", ["network", "intrusion_detection"])
    assert event["event_type"] == types
    assert event["message"] == event["rule_name"] == "ET X y"
    extra = event["extra"]
    assert (extra["rule.id"], extra["rule.ruleset"], extra["event.severity"]) == ("5", "ET", 1)


@pytest.mark.parametrize(
    ("state", "types"),
    [("new", ["connection", "start"]), ("closed", ["connection", "end"]), ("bypassed", ["connection"])],
)
def test_a_flow_adds_up(state: str, types: list[str]) -> None:
    flow = {"bytes_toserver": 10, "bytes_toclient": 5, "pkts_toserver": 2, "pkts_toclient": 1, "state": state}
    times = {"start": "2026-11-24T04:05:04.25+0000", "end": "2026-11-24T04:05:06.000000+0000"}
    event = event_of(record("flow", flow={**flow, **times}))
    extra = event["extra"]
    assert event["event_type"] == types
    assert (event["source_bytes"], event["destination_bytes"], extra["network.bytes"]) == (10, 5, 15)
    assert (extra["network.packets"], extra["event.duration"]) == (3, 1_750_000_000)
    assert (extra["event.start"], extra["event.end"]) == ("2026-11-24T04:05:04.250Z", "2026-11-24T04:05:06.000Z")


_ANSWER = {"rrname": "a.example.com", "rrtype": "A", "ttl": 5, "rdata": "203.0.113.1"}
_SAME = {"name": "a.example.com", "type": "A", "ttl": 5, "data": "203.0.113.1"}


@pytest.mark.parametrize(
    ("dns", "question", "answers"),
    [
        ({"type": "query", "rrname": "a.example.com", "rrtype": "A"}, "a.example.com", None),
        ({"type": "answer", **_ANSWER}, None, [_SAME]),
        ({"version": 2, "type": "answer", "rrname": "q.example.com", "answers": [_ANSWER]}, "q.example.com", [_SAME]),
        ({"version": 2, "rrname": "q", "grouped": {"A": ["203.0.113.1"]}}, "q", [{"type": "A", "data": "203.0.113.1"}]),
        ({"version": 3, "type": "response", "queries": [{"rrname": "q"}], "answers": [_ANSWER]}, "q", [_SAME]),
        ({"version": 3, "queries": [{"rrname": "q"}, {"rrname": "r"}], "answers": [5, _ANSWER]}, "q", None),
    ],
)
def test_versions_of_dns(dns: dict[str, Any], question: str | None, answers: Any) -> None:
    event = event_of(record("dns", dns=dns))
    extra = event.get("extra", {})
    assert event.get("dns_question_name") == question
    assert extra.get("dns.answers") == answers
    assert extra.get("dns.resolved_ip") == extra.get("related.ip") == (["203.0.113.1"] if answers else None)


@pytest.mark.parametrize(
    ("app", "protocol"), [("TLS", "tls"), ("failed", None), ("ftp-data", "ftp"), (["x"], None), ("", None)]
)
def test_protocols(app: Any, protocol: str | None) -> None:
    assert event_of(record("flow", app_proto=app)).get("network_protocol") == protocol


@pytest.mark.parametrize(
    ("version", "found"),
    [("TLS 1.2", ("tls", "1.2")), ("TLSv1", ("tls", "1")), ("SSLv3", ("ssl", "3")), ("UNDETERMINED", (None, None))],
)
def test_versions_of_tls(version: str, found: tuple[str | None, str | None]) -> None:
    extra = event_of(record("tls", tls={"version": version}))["extra"]
    assert (extra.get("tls.version_protocol"), extra.get("tls.version")) == found


@pytest.mark.parametrize(
    "other",
    [
        {"event_type": "alert", "timestamp": "2026-11-24T04:05:06Z", "message": "x"},
        {"event_type": ["alert"], "timestamp": 1, "flow_id": 1},
        {"event_type": "alert", "flow_id": 1},
        {},
    ],
)
def test_other_records_are_not_taken(other: dict[str, Any]) -> None:
    assert not sniff_json(other)


@pytest.mark.parametrize("kind", [None, "", 5, {}])
def test_a_record_without_a_type_is_left_alone(kind: Any) -> None:
    event = {"message": "x"}
    assert not parse_json({"event_type": kind, "src_ip": "192.0.2.1"}, event, None)  # type: ignore[arg-type]
    assert event == {"message": "x"}


def test_a_syslog_header_says_the_host() -> None:
    event = event_of(record(), before="<165>Nov 24 04:05:06 ids1 suricata[7]: ")
    assert (event["host_hostname"], event["process_name"], event["source_ip"]) == ("ids1", "suricata", "192.0.2.15")


def test_a_time_of_no_use_is_kept_and_that_of_receipt_stands() -> None:
    event = event_of(record(timestamp="soon"))
    assert event["timestamp"] == RECEIVED
    assert event["extra"]["suricata.eve"]["timestamp"] == "soon"


def test_a_very_long_list_of_answers_takes_bounded_time() -> None:
    answers = [{**_ANSWER, "rdata": f"2001:db8::{n:x}"} for n in range(20_000)]
    extra = event_of(record("dns", dns={"version": 2, "type": "answer", "answers": answers}))["extra"]
    assert len(extra["dns.resolved_ip"]) == 20_000


@settings(max_examples=300, deadline=None)
@given(spoilt(_RECORDS))
def test_records_that_keep_to_no_schema_make_one_event(spoilt: dict[str, Any]) -> None:
    event_of(spoilt)


@pytest.mark.parametrize(
    "member", ["src_ip", "src_port", "proto", "http", "tls", "dns", "flow", "alert", "vlan", "xff"]
)
@pytest.mark.parametrize("value", [["marker"], {"a": "marker"}, "marker", [{"a": ["marker"]}]])
def test_values_of_another_kind_are_kept(member: str, value: Any) -> None:
    event = event_of(record(**{member: value}))
    del event["message"], event["event_original"]
    assert "marker" in leaves(event)


@pytest.mark.parametrize("member", ["alert", "http", "src_ip", "dns", "flow", "more"])
def test_what_lies_deep_is_kept_as_text(member: str) -> None:
    event = event_of(record("alert", **{member: deep(100)}))
    del event["message"], event["event_original"]
    texts = [leaf for leaf in leaves(event) if "bottom" in leaf]
    assert texts
    assert all(json.loads(text) for text in texts)


@pytest.mark.parametrize(
    ("line", "types", "ends", "rule"),
    [
        ("Nov 24 04:05:41 ids suricata[1]: [1:7:2] A rule [Classification: x] [Priority: 2] {TCP} 203.0.113.66:51234 "
         "-> 192.0.2.15:22", "allowed", ("203.0.113.66", 51234, "192.0.2.15", 22), "A rule"),
        ("Nov 24 04:05:41 ids suricata: [Drop] [1:7:2] A rule [Priority: 2] {ICMP} 203.0.113.66:8 -> 192.0.2.15:0",
         "denied", ("203.0.113.66", None, "192.0.2.15", None), "A rule"),
        ("Nov 24 04:05:41 ids snort: [1:7:2] {TCP} 192.0.2.1:1 -> 192.0.2.2:2 [Priority: 3]: {UDP} 203.0.113.66:1 -> "
         "192.0.2.15:2", "allowed", ("203.0.113.66", 1, "192.0.2.15", 2), "{TCP} 192.0.2.1:1 -> 192.0.2.2:2"),
        ("11/24/2026-04:05:41.5  [**] [1:7:2] A rule [**] [Priority: 0] {TCP} 2001:db8:0:0:0:0:0:66:5 -> "
         "2001:db8:0:0:0:0:0:15:22", "allowed", ("2001:db8:0:0:0:0:0:66", 5, "2001:db8:0:0:0:0:0:15", 22), "A rule"),
    ],
)  # fmt: skip
def test_alerts_in_text(line: str, types: str, ends: tuple[Any, ...], rule: str) -> None:
    event = Dispatcher().parse(line.encode(), RECEIVED, MemoryState())
    columns = ("source_ip", "source_port", "destination_ip", "destination_port")
    assert tuple(event.get(column) for column in columns) == ends
    assert (event["event_type"], event["event_kind"], event["rule_name"]) == ([types], "alert", rule)
    assert event["timestamp"] // 1_000_000 == 1_795_493_141
    assert "ogrewatch_attempt" not in event


def test_what_the_engine_says_of_itself_is_no_alert() -> None:
    event = Dispatcher().parse(b"Nov 24 04:05:41 ids suricata[1]: [1:7] engine started", RECEIVED, MemoryState())
    assert event["event_dataset"] == "syslog.unparsed"


def test_an_alert_without_a_text() -> None:
    line = "[Drop] [1:2100384:6][Classification: x] [Priority: 3] {ICMP} 203.0.113.66:8 -> 192.0.2.15:0"
    event = Dispatcher().parse(b"Nov 24 04:05:06 h suricata[1]: " + line.encode(), RECEIVED, MemoryState())
    assert event["extra"]["rule.id"] == "2100384"
    assert "rule_name" not in event
