"""Tests the parser of Apache: requests and errors, what counts as an attempt, and clients who write log lines."""

import pytest
from parsing import attempt_of, event_of

from streams.apache.parser import sniff

STAMP = "[24/Nov/2026:07:00:00 +0100]"
OLD = "[Tue Nov 24 07:00:00 2026] [error] [client {}] {}"
NEW = "[Tue Nov 24 07:00:00.123456 2026] [core:error] [pid 12:tid 13] [client {}] AH00001: {}"


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f'203.0.113.66 - bob {STAMP} "GET / HTTP/1.1" 401 5', 1, "failure"),
        (f'203.0.113.66 - bob {STAMP} "GET / HTTP/1.1" 200 5', 0, "success"),
        (f'203.0.113.66 - bob {STAMP} "GET / HTTP/1.1" 403 5', 0, "failure"),
        (OLD.format("203.0.113.66", 'user bob: authentication failure for "/": Password Mismatch'), 0, "failure"),
        (NEW.format("203.0.113.66:47", "user bob not found: /"), 0, "failure"),
        (NEW.format("203.0.113.66:47", "user bob: password mismatch: /"), 0, "failure"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    """The 401 in the access log counts; what the error log says of it is the same attempt."""
    assert attempt_of("apache2", message) == (attempts, outcome)
    assert event_of("apache2", message)["user_name"] == "bob"


@pytest.mark.parametrize(
    ("form", "client", "ip", "port"),
    [
        (OLD, "192.0.2.1", "192.0.2.1", None),
        (OLD, "2001:db8::1", "2001:db8::1", None),
        (NEW, "192.0.2.1:4711", "192.0.2.1", 4711),
        (NEW, "2001:db8::1:4711", "2001:db8::1", 4711),
        (NEW, "192.0.2.1", "192.0.2.1", None),
        (NEW, "host.example.com:4711", None, 4711),
    ],
)
def test_clients(form: str, client: str, ip: str | None, port: int | None) -> None:
    event = event_of("apache2", form.format(client, "x"))
    assert (event.get("source_ip"), event.get("source_port")) == (ip, port)


def test_the_parts_of_an_error() -> None:
    event = event_of("httpd", NEW.format("192.0.2.1:4711", "File does not exist: /x, referer: http://r.example.com/"))
    assert (event["event_dataset"], event["process_pid"]) == ("apache.error", 12)
    assert event["timestamp"] == 1_795_503_600_123_456
    assert event["http_request_referrer"] == "http://r.example.com/"
    fields = event["extra"]
    assert (fields["file.path"], fields["event.code"], fields["process.thread.id"]) == ("/x", "AH00001", 13)
    assert (fields["apache.error.module"], fields["log.level"]) == ("core", "error")


@pytest.mark.parametrize(
    "message",
    [
        "[Tue Nov 24 07:00:00.1 2026] [core:error] [pid 1] (13)Permission denied: [client 192.0.2.1:4711] AH00035: x",
        "[Tue Nov 24 07:00:00 2026] [error] [client 192.0.2.1] (13)Permission denied: x",
        "[core:error] [pid 1] core.c(12): (13)Permission denied: [client 192.0.2.1:4711] x",
        "[error] [client 192.0.2.1] (13)Permission denied: x",
    ],
)
def test_the_systems_error_stands_on_either_side(message: str) -> None:
    event = event_of("apache2", message)
    assert (event["source_ip"], event["extra"]["apache.error.errno"]) == ("192.0.2.1", "13")
    assert event["extra"]["apache.error.reason"] == "x"


@pytest.mark.parametrize(
    ("level", "kind"), [("crit", "error"), ("warn", "error"), ("notice", "info"), ("trace8", "info")]
)
def test_the_level_says_whether_it_is_an_error(level: str, kind: str) -> None:
    event = event_of("apache2", f"[Tue Nov 24 07:00:00 2026] [{level}] x")
    assert (event["event_category"], event["event_type"]) == (["web"], [kind])


@pytest.mark.parametrize("form", [OLD.replace("{}", "203.0.113.66", 1), NEW.replace("{}", "203.0.113.66:9", 1)])
@pytest.mark.parametrize(
    "user",
    ["two words", "[client 198.51.100.1]", 'a=b;c {} \\"q\\"', "x not found: /y", "\\x1b[31m", "a: b", "caf\udce9"],
)
def test_a_user_is_no_message(form: str, user: str) -> None:
    event = event_of("apache2", form.format(f'user {user}: authentication failure for "/p": Password Mismatch'))
    assert event["source_ip"] == "203.0.113.66"
    assert event["user_name"] == user.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    assert event["event_outcome"] == "failure"


@pytest.mark.parametrize("user", ['x\\" - - [1] \\"GET / HTTP/1.1\\" 200 1', 'x\\"', "\\\\", 'a\\\\\\"b'])
def test_an_escaped_quote_ends_no_user(user: str) -> None:
    event = event_of("apache2", f'203.0.113.66 - {user} {STAMP} "GET /a\\"b HTTP/1.1" 401 5 "-" "-"')
    assert (event["user_name"], event["url_original"], event["ogrewatch_attempt"]) == (user, '/a\\"b', 1)


@pytest.mark.parametrize(
    "text", ['[id "1"] [uri "/forged"]', '\\" [id \\"1\\"]', "[client 198.51.100.1:1]", "], [ ] {}"]
)
def test_an_alert(text: str) -> None:
    alert = f'ModSecurity: Access denied with code 403 (phase 2). [id "942100"] [msg "SQL"] [uri "/u"] [data "{text}"]'
    event = event_of("apache2", NEW.format("203.0.113.66:9", alert.replace('[id "1"] [uri "/forged"]', "-")))
    assert (event["source_ip"], event["rule_name"], event["event_outcome"]) == ("203.0.113.66", "SQL", "failure")
    assert (event["extra"]["rule.id"], event["url_path"]) == ("942100", "/u")
    assert event["event_category"] == ["web", "intrusion_detection"]


def test_a_warning_denies_nothing() -> None:
    event = event_of("apache2", NEW.format("203.0.113.66:9", 'ModSecurity: Warning. x [id "1"] [tag "a"] [tag "b"]'))
    assert (event["event_type"], event["extra"]["apache.modsecurity.tag"]) == (["info"], ["a", "b"])
    assert "event_outcome" not in event


@pytest.mark.parametrize(
    ("said", "user"),
    [
        ('user bob: authorization failure for "/staff/": ', "bob"),
        ("user `bob' in realm `staff' denied by provider: /staff/", "bob"),
        ("Authorization of user bob to access /x failed, reason: y", "bob"),
        ("access to /x denied", None),
        ("access to /x failed, reason: require directives present", None),
        ("realm mismatch - got `x' but expected `y'", None),
        ("invalid nonce x received - length is not 52", None),
        ("client used wrong authentication scheme: /x", None),
        ("user bob: something new", None),
    ],
)
def test_refusals(said: str, user: str | None) -> None:
    event = event_of("apache2", NEW.format("203.0.113.66:9", said))
    assert (event["event_outcome"], event.get("user_name")) == ("failure", user)
    assert "ogrewatch_attempt" not in event


def test_modsecurity_names_the_client_twice() -> None:
    said = 'ModSecurity: Warning. x [id "1"] [uri "/"]'
    event = event_of(
        "apache2", f"[Tue Nov 24 07:00:00.1 2026] [:error] [pid 1] [client 192.0.2.1:9] [client 192.0.2.1] {said}"
    )
    assert (event["source_ip"], event["source_port"], event["extra"]["rule.id"]) == ("192.0.2.1", 9, "1")


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(OLD.format("192.0.2.1", "x"))
    assert sniff(NEW.format("192.0.2.1:1", "x"))
    assert sniff(f'{STAMP} 192.0.2.1 TLSv1.3 X "GET / HTTP/1.1" 5')
    assert not sniff(f'203.0.113.66 - bob {STAMP} "GET / HTTP/1.1" 401 5')
    assert not sniff("[12.345] usb 1-1: new device")


@pytest.mark.parametrize(
    "text",
    ["", "[", "[error]", "[Tue Nov 31 07:00:00 2026] [error] x", "[Tue Foo 24 07:00:00 2026] [error] x", "[x:y] z",
     f'{STAMP} 192.0.2.1 TLSv1.3 X "GET / HTTP/1.1', '[99/Nov/2026:07:00:00 +0000] 192.0.2.1 TLSv1.3 X "GET /" 5'],
)  # fmt: skip
def test_what_is_none_of_its_logs_is_not_understood(text: str) -> None:
    event = event_of("apache2", text)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "event_category" not in event
