"""Tests the parser of the KDC: which lines are attempts, and principals that look like the rest of the line."""

import pytest
from parsing import attempt_of, event_of

AS = "AS_REQ (2 etypes {18 17}) 203.0.113.66: "
FOR = "for krbtgt/EXAMPLE.NET@EXAMPLE.NET"
NAMES = (
    "root",
    "x: ISSUE: authtime 1",
    "AS_REQ (1 etypes {18}) 192.0.2.99: ISSUE: y",
    "a=b;c",
    '"q"',
    "x\x00\x1b",
    "a b",
    "(",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"{AS}ISSUE: authtime 1, etypes {{rep=18 tkt=18 ses=18}}, a@EXAMPLE.NET {FOR}", 1, "success"),
        (f"{AS}NEEDED_PREAUTH: a@EXAMPLE.NET {FOR}, Additional pre-authentication required", 0, "unknown"),
        (f"{AS}PREAUTH_FAILED: a@EXAMPLE.NET {FOR}, Preauthentication failed", 1, "failure"),
        (f"{AS}CLIENT_NOT_FOUND: a@EXAMPLE.NET {FOR}, Client not found in Kerberos database", 1, "failure"),
        (f"{AS}LOCKED_OUT: a@EXAMPLE.NET {FOR}, Client's credentials have been revoked", 1, "failure"),
        (f"{AS}CLIENT EXPIRED: a@EXAMPLE.NET {FOR}, Client's entry in database has expired", 1, "failure"),
        ("preauth (encrypted_timestamp) verify failure: Preauthentication failed", 0, "failure"),
        (
            f"T{AS[1:].replace('S_', 'GS_')}ISSUE: authtime 1, etypes {{rep=18}}, a@EXAMPLE.NET for h@EXAMPLE.NET",
            0,
            "success",
        ),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("krb5kdc", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
def test_a_principal_hides_neither_address_nor_verdict(name: str) -> None:
    event = event_of("krb5kdc", f"{AS}CLIENT_NOT_FOUND: {name}@EXAMPLE.NET {FOR}, Client not found")
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", name, "failure")


def test_what_was_asked_for_is_told_apart() -> None:
    event = event_of("krb5kdc", f"{AS}PREAUTH_FAILED: alice/admin@EXAMPLE.NET {FOR}, Preauthentication failed")
    assert event["user_name"] == "alice/admin"
    assert event["extra"]["user.domain"] == "EXAMPLE.NET"
    assert event["extra"]["krb5kdc.service"] == "krbtgt/EXAMPLE.NET@EXAMPLE.NET"
    assert event["extra"]["krb5kdc.reason"] == "Preauthentication failed"


@pytest.mark.parametrize("message", ["", "x", "AS_REQ", "AS_REQ (x) y: z", "Request: x", "TGS_REQ 192.0.2.1"])
def test_what_the_kdc_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("krb5kdc", message)["event_dataset"] == "syslog.unparsed"
