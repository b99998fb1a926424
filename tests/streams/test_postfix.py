"""Tests the parser of postfix: what counts as an attempt, mails and peers, and clients who write log lines."""

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState
from topics.event import Event

FAILED = "warning: unknown[203.0.113.66]: SASL LOGIN authentication failed: {}"
CLIENT = "{}: client=a.example.net[198.51.100.7], sasl_method=PLAIN, sasl_username=alice@example.com"
REJECT = "NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <{}>: Relay access denied; {}"


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (FAILED.format("UGFzc3dvcmQ6"), 1, "failure"),
        (FAILED.format("authentication failure, sasl_username=bob"), 1, "failure"),
        (FAILED.format(""), 1, "failure"),
        ("warning: a.example.net[2001:db8::66]: SASL PLAIN authentication failed:", 1, "failure"),
        ("warning: unknown[203.0.113.66]: SASL LOGIN authentication aborted", 0, "failure"),
        (FAILED.format("Connection lost to authentication server"), 0, "failure"),
        (FAILED.format("Invalid authentication mechanism"), 0, "failure"),
        (FAILED.format("generic failure, sasl_username=a"), 0, "failure"),
        (FAILED.format("authentication failure, sasl_username=generic failure"), 1, "failure"),
        (CLIENT.format("4B1C52E0A1"), 1, "success"),
        ("4B1C52E0A1: client=a.example.net[198.51.100.7]", 0, "success"),
        ("lost connection after AUTH from unknown[203.0.113.66]", 0, "failure"),
        ("disconnect from unknown[203.0.113.66] ehlo=1 auth=0/3 commands=1/4", 0, ""),
        ("too many errors after AUTH from unknown[203.0.113.66]", 0, "failure"),
        (REJECT.format("x", "from=<a> to=<x> proto=SMTP helo=<y> sasl_username=<alice>"), 0, "failure"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("postfix/smtpd", message) == (attempts, outcome)


def test_a_login_is_counted_with_the_first_of_its_mails() -> None:
    state = MemoryState()
    connect = "connect from a.example.net[198.51.100.7]"
    lines = (connect, CLIENT.format("4B1C52E0A1"), CLIENT.format("4B1C52E0A2"), connect, CLIENT.format("4B1C52E0A3"))
    counts = [attempt_of("postfix/submission/smtpd", line, state)[0] for line in lines]
    assert counts == [0, 1, 0, 0, 1]
    assert [attempt_of("postfix/submission/smtpd", line, state)[0] for line in lines] == counts


def test_a_line_read_again_counts_again() -> None:
    state = MemoryState()
    for queue_id, attempts in (("4B1C52E0A1", 1), ("4B1C52E0A2", 0), ("4B1C52E0A1", 1), ("4B1C52E0A2", 0)):
        assert attempt_of("postfix/smtpd", CLIENT.format(queue_id), state)[0] == attempts


@pytest.mark.parametrize(
    ("peer", "ip", "port", "name"),
    [
        ("a.example.net[192.0.2.1]", "192.0.2.1", None, "a.example.net"),
        ("unknown[192.0.2.1]:4711", "192.0.2.1", 4711, None),
        ("a.example.net[2001:db8::1]", "2001:db8::1", None, "a.example.net"),
        ("unknown[unknown]", None, None, None),
        ("localhost[127.0.0.1]", "127.0.0.1", None, "localhost"),
    ],
)
@pytest.mark.parametrize("form", ["connect from {}", "4B1C52E0A1: client={}", "disconnect from {} quit=1 commands=1"])
def test_peers(form: str, peer: str, ip: str | None, port: int | None, name: str | None) -> None:
    event = event_of("postfix/smtpd", form.format(peer))
    assert (event.get("source_ip"), event.get("source_port")) == (ip, port)
    assert event.get("extra", {}).get("source.domain") == name


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("sent (250 ok)", "success"), ("deliverable (x)", "success"), ("deferred (x)", "failure"),
     ("bounced (host a[1.2.3.4] said: 550 no, status=sent (250 ok))", "failure"), ("undeliverable (x)", "failure")],
)  # fmt: skip
def test_what_became_of_a_mail(status: str, outcome: str) -> None:
    line = f"4B1C52E0A1: to=<a@example.com>, relay=mx.example.com[192.0.2.61]:25, delay=1, dsn=2.0.0, status={status}"
    event = event_of("postfix/smtp", line)
    assert (event["event_category"], event["event_outcome"]) == (["email"], outcome)
    assert (event["destination_ip"], event["destination_port"]) == ("192.0.2.61", 25)
    assert event["extra"]["postfix.status"] == status.partition(" ")[0]
    assert event["extra"]["email.to.address"] == ["a@example.com"]


def test_a_refused_mail() -> None:
    event = event_of("postfix/smtpd", REJECT.format("x@y", "from=<> to=<x@y> proto=ESMTP helo=<h> sasl_username=<bob>"))
    fields = event["extra"]
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", "bob", "failure")
    assert (fields["email.to.address"], fields["postfix.helo"], fields["postfix.reply_code"]) == (["x@y"], "h", "554")
    assert "email.from.address" not in fields


@pytest.mark.parametrize(
    "text", ["a from unknown[198.51.100.1]: 250", "x> to=<y", "a b;c=d", '"q"', "; from=<z", "caf\u00e9", "\x1b[31m"]
)
def test_what_a_client_says_is_no_address(text: str) -> None:
    for line in (
        REJECT.format(text, f"from=<{text}> to=<{text}> proto=ESMTP helo=<{text}>"),
        f"warning: non-SMTP command from unknown[203.0.113.66]: {text}",
        FAILED.format(f"UGFzc3dvcmQ6, sasl_username={text}"),
        FAILED.format(f"x, sasl_username={text}, sasl_username=root"),
    ):
        assert event_of("postfix/smtpd", line)["source_ip"] == "203.0.113.66"


@pytest.mark.parametrize(
    "user", ["two words", "a=b, c", "x, sasl_username=root", "client=unknown[198.51.100.1]", '"q"']
)
def test_users(user: str) -> None:
    event = event_of("postfix/smtpd", FAILED.format(f"authentication failure, sasl_username={user}"))
    assert (event["user_name"], event["ogrewatch_attempt"]) == (user, 1)


def test_a_header_that_names_an_address_hides_both() -> None:
    line = "4B1C52E0A1: reject: header Subject: {} from unknown[203.0.113.66]; from=<a> proto=SMTP helo=<b>: 5.7.1 no"
    assert event_of("postfix/cleanup", line.format("buy"))["source_ip"] == "203.0.113.66"
    assert event_of("postfix/cleanup", line.format("buy"))["extra"]["event.reason"] == "5.7.1 no"
    forged = event_of("postfix/cleanup", line.format("x from a[198.51.100.1]; from=<c>"))
    assert "source_ip" not in forged
    assert forged["event_outcome"] == "failure"


@pytest.mark.parametrize(
    ("program", "known"),
    [("postfix/smtpd", True), ("postfix/submission/smtpd", True), ("postfix/lmtp", True), ("postfix", True),
     ("postfix/amavis/smtp", True), ("postfix-out/smtpd", True), ("sendmail", False)],
)  # fmt: skip
def test_programs(program: str, known: bool) -> None:
    assert (event_of(program, "4B1C52E0A1: removed")["event_dataset"] == "postfix") == known


@pytest.mark.parametrize("queue_id", ["4B1C52E0A1", "4WXyz9BcDkzQ1c", "ABCDEF"])
def test_queue_ids(queue_id: str) -> None:
    event = event_of("postfix/qmgr", f"{queue_id}: from=<a@example.com>, size=10, nrcpt=1 (queue active)")
    assert event["extra"]["postfix.queue_id"] == queue_id
    assert (
        "postfix.queue_id" not in event_of("postfix/anvil", "statistics: max cache size 2 at Nov 24 05:58:01")["extra"]
    )


def test_an_answer_of_a_filter_and_of_a_blocklist() -> None:
    event = event_of("postfix/smtpd", "proxy-reject: END-OF-MESSAGE: 554 5.7.0 no; from=<a@b> to=<c@d> proto=ESMTP")
    assert (event["event_outcome"], event["extra"]["postfix.reply_code"]) == ("failure", "554")
    event = event_of("postfix/dnsblog", "addr 192.0.2.1 listed by domain bl.example.org as 127.0.0.2")
    assert (event["source_ip"], event["extra"]["postfix.blocklist"]) == ("192.0.2.1", "bl.example.org")


def test_trouble_is_no_attempt() -> None:
    assert attempt_of("postfix/smtpd", "warning: SASL: Connect to private/auth failed: x") == (0, "failure")
    assert event_of("postfix/smtpd", "fatal: no SASL")["event_category"] == ["process"]


def last(*messages: str) -> Event:
    state = MemoryState()
    return [event_of("postfix/smtpd", message, state) for message in messages][-1]


@pytest.mark.parametrize("message", ["", "x", "4B1C52E0A1: ", "connect from nowhere", "client=a"])
def test_what_postfix_does_not_write_is_not_understood(message: str) -> None:
    event = last(message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
