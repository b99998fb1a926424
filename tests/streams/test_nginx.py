"""nginx: requests, what counts as an attempt, and clients who write log lines."""

import pytest
from parsing import attempt_of, event_of

from streams.weblog import sniff

STAMP = "[24/Nov/2026:07:00:00 +0100]"


def line(request: str = "GET / HTTP/1.1", status: str = "200", user: str = "-", tail: str = ' "-" "-"') -> str:
    return f'203.0.113.66 - {user} {STAMP} "{request}" {status} 12{tail}'


@pytest.mark.parametrize(
    ("status", "attempts", "outcome"),
    [("200", 0, "success"), ("302", 0, "success"), ("101", 0, "success"), ("401", 1, "failure"), ("403", 0, "failure"),
     ("404", 0, "failure"), ("499", 0, "failure"), ("500", 0, "failure"), ("000", 0, "failure")],
)  # fmt: skip
def test_what_is_an_attempt(status: str, attempts: int, outcome: str) -> None:
    assert attempt_of("nginx", line(status=status)) == (attempts, outcome)


def test_the_time_is_the_requests() -> None:
    assert event_of("nginx", line())["timestamp"] == 1_795_500_000_000_000


@pytest.mark.parametrize(
    ("request_line", "method", "target", "path", "query", "version"),
    [
        ("GET / HTTP/1.1", "GET", "/", "/", None, "1.1"),
        ("GET /a?b=c?d HTTP/2.0", "GET", "/a?b=c?d", "/a", "b=c?d", "2.0"),
        ("GET /a b HTTP/1.0", "GET", "/a b", "/a b", None, "1.0"),
        ("GET /", "GET", "/", "/", None, None),
        ("GET http://e.example/x?y HTTP/1.1", "GET", "http://e.example/x?y", "/x", "y", "1.1"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*", "*", None, "1.1"),
        ("-", None, None, None, None, None),
        ("", None, None, None, None, None),
        ("\\x16\\x03\\x01", None, None, None, None, None),
        ("PRI * HTTP/2.0", "PRI", "*", "*", None, "2.0"),
    ],
)
def test_requests(
    request_line: str, method: str | None, target: str | None, path: str | None, query: str | None, version: str | None
) -> None:
    event = event_of("nginx", line(request_line, "400"))
    columns = ("http_request_method", "url_original", "url_path", "url_query", "http_version")
    assert tuple(event.get(column) for column in columns) == (method, target, path, query, version)


@pytest.mark.parametrize(
    "user",
    [
        "alice",
        "two words",
        "192.0.2.99 - -",
        f"x {STAMP} \\x22GET / HTTP/1.1\\x22 200 1",
        "a=b;c {} ' \\x1b",
        "x] y [",
        "caf\udce9",
    ],
)
def test_users(user: str) -> None:
    event = event_of("nginx", line("GET /private HTTP/1.1", "401", user))
    assert (event["source_ip"], event["http_response_status_code"]) == ("203.0.113.66", 401)
    assert event["user_name"] == user.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    "text", ["/\\x22 200 5 \\x22-\\x22 \\x22-\\x22", '/\\" 200 5 \\"-\\" \\"-\\"', "/\\\\", "/' 200 5 '-'", "/{}[];="]
)
def test_a_request_ends_at_the_servers_own_quote(text: str) -> None:
    event = event_of("nginx", line(f"GET {text} HTTP/1.1", "403", tail=f' "{text}" "{text}" rt=0.1'))
    assert event["http_response_status_code"] == 403
    assert event["url_original"] == text
    assert event["http_request_referrer"] == event["user_agent_original"] == text
    assert event["extra"]["nginx.access.more"] == "rt=0.1"


@pytest.mark.parametrize(
    ("client", "ip", "user"),
    [
        ("192.0.2.1 - -", "192.0.2.1", None),
        ("2001:db8::1 - -", "2001:db8::1", None),
        ("www.example.com 192.0.2.1 - bob", "192.0.2.1", "bob"),
        ("www.example.com:443 192.0.2.1 - bob", "192.0.2.1", "bob"),
        ("10.0.0.2, 81.2.69.142, 127.0.0.1 - bob", "81.2.69.142", "bob"),
        ("10.0.0.2, 10.0.0.3 - -", "10.0.0.2", None),
        ("unix: - -", None, None),
        ("localhost - -", None, None),
    ],
)
def test_clients(client: str, ip: str | None, user: str | None) -> None:
    event = event_of("nginx", f'{client} {STAMP} "GET / HTTP/1.1" 200 1 "-" "-"')
    assert (event.get("source_ip"), event.get("user_name")) == (ip, user)


def test_the_common_format_ends_with_the_size() -> None:
    event = event_of("nginx", line(tail=""))
    assert event["http_response_body_bytes"] == 12
    assert "extra" not in event


@pytest.mark.parametrize(
    "text",
    [
        "", "x", '"', f'{STAMP} "GET / HTTP/1.1" 200 1', f"203.0.113.66 - - {STAMP}", f'203.0.113.66 - - {STAMP} "GET',
        line(status="20"), line().replace("Nov", "Foo"), line().replace("+0100", "+9900"),
        line().replace("24/Nov", "31/Nov"),
    ],
)  # fmt: skip
def test_what_is_no_access_log_is_not_understood(text: str) -> None:
    event = event_of("nginx", text)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "event_category" not in event


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(line())
    assert sniff(f"www.example.com {line()}")
    assert not sniff("203.0.113.66 says hello")
    assert not sniff(f"a b c {STAMP} no quote")
