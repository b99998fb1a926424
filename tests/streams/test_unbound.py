"""Tests the parser of Unbound: queries, replies, local zones, names that look like more."""

import pytest
from parsing import attempt_of, event_of


@pytest.mark.parametrize("before", ["[901:0] info: ", "info: ", "[901:a] query: "])
@pytest.mark.parametrize(
    ("name", "known"),
    [("www.example.com.", "www.example.com"), (".", "."), ("192.0.2.99@1.\\032x.", "192.0.2.99@1.\\032x"),
     ("\"'{};=[x].", "\"'{};=[x]"), ("A.IN.", "A.IN")],
)  # fmt: skip
def test_a_name_hides_no_client(before: str, name: str, known: str) -> None:
    event = event_of("unbound", f"{before}10.0.0.66 {name} A IN")
    assert (event["source_ip"], event["dns_question_name"], event["dns_question_type"]) == ("10.0.0.66", known, "A")
    assert (event["event_category"], event["event_action"]) == (["network"], "dns_query")
    assert attempt_of("unbound", f"{before}10.0.0.66 {name} A IN") == (0, "")


def test_replies() -> None:
    event = event_of("unbound", "[901:0] info: 10.0.0.66 www.example.com. A IN NXDOMAIN 0.012345 1 100")
    assert (event["event_action"], event["dns_response_code"], event["destination_bytes"]) == (
        "dns_answer",
        "NXDOMAIN",
        100,
    )
    assert event["extra"]["unbound.cached"] is True


@pytest.mark.parametrize(("action", "denied"), [("always_nxdomain", True), ("transparent", False)])
def test_local_zones(action: str, denied: bool) -> None:
    event = event_of("unbound", f"[901:0] info: example.org. {action} 10.0.0.66@40100 ads.example.org. A IN")
    assert (event["source_ip"], event["source_port"], event["rule_name"]) == ("10.0.0.66", 40100, "example.org.")
    assert ("denied" in event["event_type"]) is denied


def test_failures() -> None:
    event = event_of("unbound", "[901:0] error: SERVFAIL <a.example. A IN>: exceeded the maximum number of sends")
    assert (event["dns_response_code"], event["event_outcome"], event["dns_question_name"]) == (
        "SERVFAIL",
        "failure",
        "a.example",
    )


@pytest.mark.parametrize("message", ["", "x", "[901:0] info: purrs", "10.0.0.66 a.example. A IN"])
def test_what_it_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("unbound", message)["event_dataset"] == "syslog.unparsed"
