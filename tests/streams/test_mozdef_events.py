"""Tests authentication events of MozDef and its LDAP humanizer: which are attempts, of whom, with what outcome."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_kit import attempt_of, event_of, spoilt

from topics.avro.attempt_header import decode_attempt
from topics.avro.codec import encode
from topics.event import kind_of


def login(success: Any = False, program: str = "portal", **details: Any) -> dict[str, Any]:
    """An event of a login, as MozDef's clients send it."""
    told = {"username": "alice", "sourceipaddress": "192.0.2.5", "success": success, **details}
    return {
        "category": "authentication",
        "hostname": "app1.example.com",
        "processname": program,
        "severity": "INFO",
        "summary": "alice: log in",
        "timestamp": "2026-11-24T10:00:00+00:00",
        "details": told,
    }


def operation(error: Any = "LDAP_SUCCESS", *words: str, verb: str = "BIND", **details: Any) -> dict[str, Any]:
    """An event of an operation, as the LDAP humanizer sends it."""
    told = words or ('dn="uid=alice,ou=people,dc=example"', "method=128")
    return {
        "timestamp": "2026-11-24T10:00:00",
        "hostname": "humanizer1.example.com",
        "category": "ldap",
        "tags": ["ldap"],
        "summary": "LDAP-Humanizer:1245:192.0.2.5",
        "details": {
            "conn_id": 1245,
            "client": "192.0.2.5",
            "server": "ldap1",
            "tls": True,
            "authenticated": False,
            "user": "alice",
            "op_id": 1,
            "requests": [{"verb": verb, "details": sorted(told)}],
            "response": {"verb": "RESULT", "details": ["err=0", "tag=97", "text="], "error": error},
            **details,
        },
    }


@pytest.mark.parametrize(
    ("success", "attempts", "outcome"),
    [
        (True, 1, "success"), ("true", 1, "success"), ("True", 1, "success"), (1, 1, "success"), ("1", 1, "success"),
        (False, 1, "failure"), ("false", 1, "failure"), (0, 1, "failure"), ("0", 1, "failure"),
        ("failed", 1, "failure"),
        (None, 0, ""), ("maybe", 0, ""), (2, 0, ""), (1.5, 0, ""), ([True], 0, ""), ({"a": True}, 0, ""),
    ],
)  # fmt: skip
def test_an_event_with_an_outcome_is_an_attempt(success: Any, attempts: int, outcome: str) -> None:
    assert attempt_of(login(success)) == (attempts, outcome)


def test_who_tried_from_where() -> None:
    event = event_of(login())
    assert (event["source_ip"], event["user_name"], event["host_hostname"]) == (
        "192.0.2.5",
        "alice",
        "app1.example.com",
    )
    assert (event["event_category"], event["event_dataset"]) == (["authentication"], "mozdef")


@pytest.mark.parametrize("address", ["not an address", "192.0.2.5, 198.51.100.66", "999.0.0.1", 5, None, ["192.0.2.5"]])
def test_what_is_no_address_is_none(address: Any) -> None:
    event = event_of(login(sourceipaddress=address))
    assert event["ogrewatch_attempt"] == 1
    assert "source_ip" not in event


@pytest.mark.parametrize(
    ("program", "service"),
    [
        ("portal", "mozdef"),
        ("sshd", "sshd"),
        ("nginx", "web"),
        ("/usr/sbin/slapd", "ldap"),
        ("Duo", "duo"),
        ("", "mozdef"),
    ],
)
def test_services_are_those_that_are_known(program: str, service: str) -> None:
    assert event_of(login(program=program))["ogrewatch_service"] == service


def test_nobody_makes_up_services() -> None:
    """Counts keep each service of a minute, so their number must have an end."""
    assert {event_of(login(program=f"app{number}"))["ogrewatch_service"] for number in range(50)} == {"mozdef"}


def test_a_program_in_the_details() -> None:
    record = login(program="-")
    record["details"]["program"] = "vpn"
    assert event_of(record)["ogrewatch_service"] == "vpn"


def test_other_categories_are_no_attempts() -> None:
    assert attempt_of({**login(True), "category": "session"}) == (0, "success")
    assert attempt_of({**login(True), "category": ["authentication"]}) == (1, "success")


def test_a_line_that_is_understood_decides() -> None:
    """MozDef's own relay calls everything of sshd an authentication."""
    record = login(True, "sshd")
    assert attempt_of({**record, "summary": "Failed password for a from 192.0.2.9 port 1 ssh2"}) == (1, "failure")
    assert attempt_of({**record, "summary": "Connection closed by 192.0.2.9 port 1 [preauth]"})[0] == 0


@pytest.mark.parametrize(
    ("error", "attempts", "outcome"),
    [
        ("LDAP_SUCCESS", 1, "success"), ("LDAP_INVALID_CREDENTIALS", 1, "failure"), ("UNKNOWN", 1, "failure"),
        ("LDAP_SASL_BIND_IN_PROGRESS", 0, "unknown"), ("", 1, "success"), (None, 1, "success"), (["x"], 1, "success"),
    ],
)  # fmt: skip
def test_the_result_of_a_bind_is_an_attempt(error: Any, attempts: int, outcome: str) -> None:
    """Without the name of the code, `err=0` among the words of the result tells it."""
    assert attempt_of(operation(error)) == (attempts, outcome)
    event = event_of(operation(error))
    assert (event["ogrewatch_service"], event["source_ip"], event["user_name"]) == ("ldap", "192.0.2.5", "alice")


@pytest.mark.parametrize(
    ("words", "attempts", "user"),
    [
        (('dn="mail=bob@example.com,o=com,dc=example"', "method=128"), 1, "bob@example.com"),
        (('dn=""', "method=128"), 0, None),
        (('dn=""', "method=163", 'dn="uid=bob,cn=auth"', "mech=GSSAPI"), 1, "bob"),
        (('dn="cn=Bob', 'Jones,dc=example"'), 1, None),
        (('dn="uid=a"', 'dn="uid=b"'), 1, None),
        (("method=128",), 1, None),
    ],
)
def test_the_name_of_a_bind(words: tuple[str, ...], attempts: int, user: str | None) -> None:
    """`user` is of the connection, so it may be who was bound before."""
    event = event_of(operation("LDAP_SUCCESS", *words))
    assert (event.get("ogrewatch_attempt", 0), event.get("user_name")) == (attempts, user)


def test_other_operations_are_no_attempts() -> None:
    event = event_of(operation(verb="SRCH"))
    assert (event["event_action"], event["user_name"], event.get("ogrewatch_attempt")) == ("ldap_srch", "alice", None)
    assert event["ogrewatch_service"] == "ldap"
    accepted = event_of(operation(requests=[], response={}, verb="ACCEPT"))
    assert accepted["event_category"] == ["network"]
    assert "event_outcome" not in accepted


def test_a_bind_without_a_result_is_no_attempt() -> None:
    assert attempt_of(operation(response={})) == (0, "")


@settings(max_examples=400, deadline=None)
@given(
    spoilt([login(), login(True), operation(), operation("LDAP_INVALID_CREDENTIALS")]), st.sampled_from(["", "@cee:"])
)
def test_members_of_any_type_make_one_sound_event(record: dict[str, Any], before: str) -> None:
    event = event_of(record, before)
    assert event.get("ogrewatch_attempt", 0) in (0, 1)


@pytest.mark.parametrize("record", [login(True), operation("LDAP_INVALID_CREDENTIALS")])
def test_counts_see_them(record: dict[str, Any]) -> None:
    """The ratio by service is of what `decode_attempt` reads of the typed record."""
    event = event_of(record)
    event |= {"ogrewatch_raw_topic": "raw.events", "ogrewatch_raw_partition": 0, "ogrewatch_raw_offset": 7}
    assert kind_of(event) == "authentication"
    head = decode_attempt(encode("authentication", event))
    assert head is not None
    assert (head.number, head.outcome, head.service, head.address) == (
        1,
        event["event_outcome"],
        event["ogrewatch_service"],
        "192.0.2.5",
    )
