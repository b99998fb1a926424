"""Tests the parser of Zeek: how it recognises logs, states of connections, attempts, records without schema."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from records_kit import RECEIVED, attempt_of, deep, event_of, leaves, of_samples, spoilt

from streams.zeek.kinds import KINDS
from streams.zeek.names import log_of, nested
from streams.zeek.parser import parse_json

_RECORDS = of_samples("zeek")
_ENDS = {"id.orig_h": "192.0.2.15", "id.orig_p": 51514, "id.resp_h": "198.51.100.80", "id.resp_p": 80}


def record(log: str | None = None, **members: Any) -> dict[str, Any]:
    path = {"_path": log} if log else {}
    return {**path, "ts": 1795493106.5, "uid": "C1", **_ENDS, **members}


@pytest.mark.parametrize("log", KINDS)
def test_a_path_tells_the_log(log: str) -> None:
    event = event_of(record(log))
    assert event["event_dataset"] == f"zeek.{log}"
    assert (event["source_ip"], event["source_port"]) == ("192.0.2.15", 51514)
    assert (event["destination_ip"], event["destination_port"]) == ("198.51.100.80", 80)
    assert event["timestamp"] == 1_795_493_106_500_000
    assert event["extra"]["event.id"] == "C1"


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        ("my_script", "zeek.my_script"), ("MyScript", "zeek.myscript"), ("a.b", "zeek.other"), ("é", "zeek.other"),
        ("x" * 64, "zeek.other"), ({"conn": 1}, "zeek.other"), ("", "zeek.other"),
    ],
)  # fmt: skip
def test_logs_of_ones_own_are_read(path: Any, dataset: str) -> None:
    event = event_of(record() | {"_path": path, "greeting": "hello"})
    assert (event["event_dataset"], event["source_ip"]) == (dataset, "192.0.2.15")
    assert event["extra"]["zeek.other"]["greeting"] == "hello"


@pytest.mark.parametrize("sample", _RECORDS, ids=range(len(_RECORDS)))
def test_the_form_of_a_record_makes_no_difference(sample: dict[str, Any]) -> None:
    if "ts" not in sample:
        return
    flat = event_of(sample)
    log = flat["event_dataset"].removeprefix("zeek.")
    forms = [nested(sample), {**nested(sample), "_path": log}, {log: sample}, {"zeek": {log: sample}}]
    for form in forms if log in KINDS else forms[:2]:
        event = event_of(form)
        for column in ("event_original", "message"):
            event.pop(column), flat.pop(column, None)
        event["extra"].get(f"zeek.{log}", {}).pop("_path", None)
        flat["extra"].get(f"zeek.{log}", {}).pop("_path", None)
        assert _without_empty(event) == _without_empty(flat)


def _without_empty(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "extra": {name: value for name, value in event["extra"].items() if value != {}}}


@pytest.mark.parametrize(
    "other",
    [
        {"ts": 1795493106.5, "level": "info", "msg": "started", "note": "x", "id": "7"},
        {"ts": 1795493106.5, "uid": "a1", "operation": "delete", "cookie": "x"},
        {"ts": "2026-11-24T04:05:06Z", "host": "web1", "message": "x"},
        {"conn": {"a": 1}}, {"conn": 5}, {"zeek": {"conn": {"a": 1}}}, {"zeek": [1]}, {"dns": []}, {"ts": 1}, {"a": {}},
        {},
    ],
)  # fmt: skip
def test_records_of_others_are_left_alone(other: dict[str, Any]) -> None:
    event = {"message": "x"}
    assert not parse_json(json.loads(json.dumps(other)), event, None)  # type: ignore[arg-type]
    assert event == {"message": "x"}


@pytest.mark.parametrize(
    ("state", "types"),
    [
        ("SF", ["connection", "start", "end"]), ("S1", ["connection", "start"]), ("S0", ["connection", "start"]),
        ("REJ", ["connection", "start", "denied"]), ("RSTO", ["connection", "info"]), ("SH", ["connection", "info"]),
        ("OTH", ["connection", "info"]), ("??", ["connection"]), (["SF"], ["connection"]),
    ],
)  # fmt: skip
def test_states_of_connections(state: Any, types: list[str]) -> None:
    event = event_of(record(conn_state=state))
    assert (event["event_type"], "event_outcome" in event) == (types, False)


@pytest.mark.parametrize(
    ("here", "there", "direction"),
    [
        (True, True, "internal"), (True, False, "outbound"), (False, True, "inbound"), (False, False, "external"),
        (None, True, None), ("T", True, None), (1, 0, None),
    ],
)  # fmt: skip
def test_directions(here: Any, there: Any, direction: str | None) -> None:
    event = event_of(record(conn_state="SF", local_orig=here, local_resp=there))
    assert event.get("network_direction") == direction


@pytest.mark.parametrize(
    ("service", "protocol", "rest"),
    [
        ("http", "http", None), ("ssl", "tls", None), ("ssl,http", "http", "ssl,http"), ("krb", "kerberos", None),
        ("gssapi,smb,-krb", "smb", "gssapi,smb,-krb"), ("-ssl", None, "-ssl"), ("", None, ""), (5, None, 5),
        (["dns"], "dns", ["dns"]),
    ],
)  # fmt: skip
def test_services(service: Any, protocol: str | None, rest: Any) -> None:
    event = event_of(record(conn_state="SF", service=service))
    assert event.get("network_protocol") == protocol
    assert event["extra"]["zeek.conn"].get("service") == rest


def test_a_connection_adds_up() -> None:
    sizes: dict[str, Any] = {
        "orig_ip_bytes": 100,
        "resp_ip_bytes": 50,
        "orig_bytes": 20,
        "orig_pkts": 3,
        "resp_pkts": 2,
    }
    event = event_of(record(conn_state="SF", proto="tcp", duration=1.5, **sizes))
    extra = event["extra"]
    assert (event["source_bytes"], event["destination_bytes"], extra["network.bytes"]) == (100, 50, 150)
    assert (extra["network.packets"], extra["event.duration"]) == (5, 1_500_000_000)


def test_icmp_has_a_type_and_no_ports() -> None:
    event = event_of(record(conn_state="OTH", proto="icmp") | {"id.orig_p": 8, "id.resp_p": 0})
    assert event["network_transport"] == "icmp"
    assert not {"source_port", "destination_port"} & event.keys()
    assert event["extra"]["zeek.conn"]["icmp"] == {"type": 8, "code": 0}


_PREAUTH = "KDC_ERR_PREAUTH_REQUIRED"


@pytest.mark.parametrize(
    ("log", "members", "expected"),
    [
        ("kerberos", {"request_type": "AS", "success": True}, (1, "success")),
        ("kerberos", {"request_type": "AS", "success": False, "error_msg": "KDC_ERR_PREAUTH_FAILED"}, (1, "failure")),
        ("kerberos", {"request_type": "AS", "success": False, "error_msg": _PREAUTH}, (0, "failure")),
        ("kerberos", {"request_type": "AS"}, (0, "")),
        ("kerberos", {"request_type": "TGS", "success": True}, (0, "success")),
        ("ntlm", {"username": "alice", "success": True}, (1, "success")),
        ("ntlm", {"username": "alice", "success": False}, (1, "failure")),
        ("ntlm", {"username": "alice"}, (0, "")),
        ("radius", {"username": "bob", "result": "success"}, (1, "success")),
        ("radius", {"username": "bob", "result": "failed"}, (1, "failure")),
        ("radius", {"username": "bob"}, (0, "")),
        ("ldap", {"opcode": "bind simple", "object": "uid=a", "result": "success"}, (1, "success")),
        ("ldap", {"opcode": "bind simple", "object": "uid=a", "result": "invalid credentials"}, (1, "failure")),
        ("ldap", {"opcode": "bind simple", "object": "", "result": "success"}, (0, "success")),
        ("ldap", {"opcode": "bind SASL", "object": "uid=a", "result": "SASL bind in progress"}, (0, "unknown")),
        ("ldap", {"opcode": "modify", "object": "uid=a", "result": "success"}, (0, "success")),
        ("ssh", {"auth_success": True, "auth_attempts": 1}, (0, "success")),
        ("ssh", {"auth_success": False, "auth_attempts": 6}, (0, "failure")),
        ("ssh", {"auth_attempts": 0}, (0, "")),
        ("http", {"status_code": 401, "username": "alice"}, (0, "failure")),
        ("http", {"status_code": 200}, (0, "success")),
        ("mysql", {"cmd": "login", "arg": "root", "success": False}, (0, "failure")),
        ("rfb", {"auth": False}, (0, "failure")),
        ("smtp", {"last_reply": "535 5.7.8 authentication failed"}, (0, "failure")),
        ("smtp", {"last_reply": "354 go on"}, (0, "")),
        ("ftp", {"reply_code": 530}, (0, "failure")),
        ("socks", {"status": "general SOCKS server failure"}, (0, "failure")),
        ("sip", {"status_code": 100}, (0, "")),
        ("sip", {"status_code": 200}, (0, "success")),
        ("modbus", {"func": "READ_COILS"}, (0, "success")),
        ("dns", {"rcode_name": "NXDOMAIN"}, (0, "success")),
        ("dns", {"rcode_name": "SERVFAIL"}, (0, "failure")),
        ("dns", {"query": "a"}, (0, "")),
    ],
)  # fmt: skip
def test_what_is_an_attempt(log: str, members: dict[str, Any], expected: tuple[int, str]) -> None:
    assert attempt_of(record(log, **members)) == expected


@pytest.mark.parametrize(
    ("client", "user", "realm"),
    [
        ("alice/EXAMPLE.COM", "alice", "EXAMPLE.COM"),
        ("host/a.example.com/EXAMPLE.COM", "host/a.example.com", "EXAMPLE.COM"),
        ("alice", "alice", None),
        ("/EXAMPLE.COM", None, "EXAMPLE.COM"),
        (["alice"], None, None),
    ],
)
def test_principals(client: Any, user: str | None, realm: str | None) -> None:
    event = event_of(record("kerberos", request_type="AS", client=client))
    assert (event.get("user_name"), event["extra"].get("user.domain")) == (user, realm)


def test_a_notice_about_no_connection_names_its_ends() -> None:
    event = event_of({"ts": 1, "note": "A::B", "actions": [], "src": "203.0.113.66", "dst": "192.0.2.1", "p": 22})
    assert (event["source_ip"], event["destination_ip"], event["destination_port"]) == ("203.0.113.66", "192.0.2.1", 22)


def test_what_was_dropped_was_denied() -> None:
    types = [event_of(record("notice", note="A::B", dropped=dropped))["event_type"] for dropped in (True, False, None)]
    assert types == [["info", "denied"], ["info", "allowed"], ["info"]]


def test_a_time_of_no_use_is_kept_and_that_of_receipt_stands() -> None:
    event = event_of(record("dns") | {"ts": "soon"})
    assert event["timestamp"] == RECEIVED
    assert event["extra"]["zeek.dns"]["ts"] == "soon"


def test_the_sensor_is_the_host() -> None:
    assert event_of(record("dns", _system_name="sensor1"))["host_hostname"] == "sensor1"


@settings(max_examples=400, deadline=None)
@given(spoilt(_RECORDS))
def test_records_that_keep_to_no_schema_make_one_event(spoilt: dict[str, Any]) -> None:
    event_of(spoilt)


@pytest.mark.parametrize("log", KINDS)
@pytest.mark.parametrize("value", [["marker"], {"a": "marker"}])
def test_values_of_another_kind_are_kept(log: str, value: Any) -> None:
    sample = next((found for found in _RECORDS if "ts" in found and log_of(nested(found)) == log), {})
    for member in [*sample, "id.orig_h", "id.orig_p"]:
        event = event_of(record(log) | sample | {member: value, "_path": log})
        del event["message"], event["event_original"]
        assert member == "_path" or "marker" in leaves(event), member


@pytest.mark.parametrize("member", ["host", "uri", "id", "id.more", "more"])
def test_what_lies_deep_is_kept_as_text(member: str) -> None:
    event = event_of(record("http", **{member: deep(100)}))
    del event["message"], event["event_original"]
    texts = [leaf for leaf in leaves(event) if "bottom" in leaf]
    assert texts
    assert all(json.loads(text) for text in texts)
