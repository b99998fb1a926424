"""Tests the parser of Exim: logins and attempts, whose address it is, mails accepted, delivered and refused."""

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState

FAILED = "535 Incorrect authentication data"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"plain authenticator failed for (x) [192.0.2.9]:51234: {FAILED} (set_id=bob)", (1, "failure")),
        (f"login authenticator failed for h.example.org (x) [192.0.2.9]: {FAILED}", (1, "failure")),
        ("1tEXiM-000123-AB <= a@example.com H=(c) [192.0.2.1] P=esmtpsa A=plain:bob S=12", (1, "success")),
        ("1tEXiM-000123-AB <= a@example.com H=(c) [192.0.2.1] P=esmtp S=12", (0, "success")),
        ("1tEXiM-000123-AB <= bob@example.com U=bob P=local S=12", (0, "success")),
        ("H=(x) [192.0.2.9] rejected AUTH plain: not now", (0, "failure")),
    ],
)
def test_attempts(message: str, expected: tuple[int, str]) -> None:
    assert attempt_of("exim", message) == expected


def test_of_a_connection_the_first_mail_counts_and_again_in_a_replay() -> None:
    state, mail = MemoryState(), "{} <= a@example.com H=(c) [192.0.2.1]:51234 P=esmtpsa A=plain:bob S=12"
    first, second = mail.format("1tEXiM-000123-AB"), mail.format("1tEXiM-000124-AB")
    counts = [attempt_of("exim", message, state)[0] for message in (first, second, first, second)]
    assert counts == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("message", "user"),
    [
        (f"p authenticator failed for ([198.51.100.6]) [192.0.2.9]:51234: {FAILED} (set_id=bob)", "bob"),
        (f"p authenticator failed for (x) [192.0.2.9]:51234: {FAILED} (set_id=a (set_id=b)", "a (set_id=b"),
        (f"p authenticator failed for H=(x) [192.0.2.9]:51234 I=[10.0.0.1]:587: {FAILED} (set_id=bob)", "bob"),
        ("1tEXiM-000123-AB <= a@example.com H=([198.51.100.6]) [192.0.2.9]:51234 P=esmtpa A=plain:bob S=9", "bob"),
        ('1tEXiM-000123-AB <= "H=[198.51.100.6] A=p:x"@example.com H=(x) [192.0.2.9]:51234 P=esmtpa A=p:bob S=9 '
         'id=1 A=p:y T="A=p:z"', "bob"),
        ('1tEXiM-000123-AB <= a@example.com H=(x) [192.0.2.9]:51234 P=esmtpsa DN="CN=x A=p:root" A=p:bob S=9', "bob"),
        ('1tEXiM-000123-AB <= a@example.com H=(x) [192.0.2.9]:51234 P=esmtp S=9 T="x A=plain:root S=1"', None),
    ],
)  # fmt: skip
def test_who_it_was(message: str, user: str | None) -> None:
    event = event_of("exim", message)
    assert (event["source_ip"], event["source_port"], event.get("user_name")) == ("192.0.2.9", 51234, user)


@pytest.mark.parametrize(
    ("sign", "action", "outcome"),
    [
        ("=>", "mail_delivery", "success"), ("->", "mail_delivery", "success"), ("*>", "mail_delivery", "success"),
        ("==", "mail_deferred", "failure"), ("**", "mail_bounced", "failure"),
    ],
)  # fmt: skip
def test_deliveries(sign: str, action: str, outcome: str) -> None:
    event = event_of("exim", f"1tEXiM-000123-AB {sign} b@example.net R=r T=t H=mx.example.net [198.51.100.25]:25: x")
    assert (event["event_action"], event["event_outcome"]) == (action, outcome)
    assert (event["destination_ip"], event["destination_port"]) == ("198.51.100.25", 25)
    assert event["extra"]["email.to.address"] == ["b@example.net"]


@pytest.mark.parametrize("message", ["", "x", "1tEXiM-000123-AB", "<= a H=b", "authenticator failed for x: y"])
def test_what_exim_does_not_write(message: str) -> None:
    assert event_of("exim", message)["event_dataset"] == "syslog.unparsed"
