"""Tests the parser of nginx: requests and errors, what counts as an attempt, and clients who write log lines."""

from urllib.parse import quote

import pytest
from parsing import attempt_of, event_of

from streams.nginx.parser import sniff

STAMP = "[24/Nov/2026:07:00:00 +0100]"


def line(request: str = "GET / HTTP/1.1", status: str = "200", user: str = "-", tail: str = ' "-" "-"') -> str:
    return f'203.0.113.66 - {user} {STAMP} "{request}" {status} 12{tail}'


@pytest.mark.parametrize(
    ("status", "attempts", "outcome"),
    [("200", 0, "success"), ("302", 0, "success"), ("101", 0, "success"), ("401", 1, "failure"), ("403", 0, "failure"),
     ("404", 0, "failure"), ("499", 0, "failure"), ("500", 0, "failure"), ("000", 0, "failure")],
)  # fmt: skip
def test_what_is_an_attempt(status: str, attempts: int, outcome: str) -> None:
    assert attempt_of("nginx", line("POST / HTTP/1.1", status)) == (attempts, outcome)
    assert attempt_of("nginx", line(status=status, user="alice")) == (attempts, outcome)
    assert attempt_of("nginx", line(status=status)) == (0, outcome), "asks for a name, as before each login"


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
        ('"10.0.0.2, 81.2.69.142" - bob', "81.2.69.142", "bob"),
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


@pytest.mark.parametrize(
    ("who", "ip", "user"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1  -  -", "192.0.2.1", None),
        ('192.0.2.1 - ""', "192.0.2.1", None),
        ("198.51.100.1,192.0.2.1 - bob", "198.51.100.1", "bob"),
        ('"198.51.100.1, 192.0.2.1" 10.0.0.1 - bob', "198.51.100.1", "bob"),
        ("192.0.2.1 - [198.51.100.1] - bob", "192.0.2.1", "bob"),
        ("- 192.0.2.1 - bob", "192.0.2.1", "bob"),
        ("192.0.2.1 www.example.com bob", "192.0.2.1", "bob"),
    ],
)
def test_who_asks_in_other_formats(who: str, ip: str, user: str | None) -> None:
    event = event_of("nginx", f'{who} {STAMP} "GET / HTTP/1.1" 200 1 "-" "-"')
    assert (event.get("source_ip"), event.get("user_name")) == (ip, user)


@pytest.mark.parametrize(
    "stamp",
    [
        "[24/Nov/2026:07:00:00 +0100]", "[24/Nov/2026:07:00:00.000 +0100]", "[24/Nov/2026:06:00:00]",
        "[2026-11-24T07:00:00+01:00]", "[2026-11-24T06:00:00Z]", "[2026-11-24 06:00:00]",
    ],
)  # fmt: skip
def test_times_in_other_formats(stamp: str) -> None:
    event = event_of("nginx", f'192.0.2.1 - - {stamp} "GET / HTTP/1.1" 200 1')
    assert event["timestamp"] == 1_795_500_000_000_000


def test_a_request_with_a_bare_quote_ends_where_the_status_follows() -> None:
    event = event_of("nginx", f'192.0.2.1 - - {STAMP} "GET /a"b HTTP/1.1" 404 1 "-" "x"')
    assert (event["url_original"], event["http_response_status_code"]) == ('/a"b', 404)
    assert event["user_agent_original"] == "x"


JSON = (
    '{"remote_addr":"192.0.2.1","time_iso8601":"2026-11-24T07:00:00+01:00","request":"GET /x?y HTTP/1.1","status":%s}'
)


@pytest.mark.parametrize(
    ("status", "attempts", "outcome"),
    [("200", 0, "success"), ('"401"', 0, "failure"), ('401,"remote_user":"a"', 1, "failure"),
     ('401,"remote_user":"-"', 0, "failure"), ("0", 0, "failure")],
)  # fmt: skip
def test_requests_in_json(status: str, attempts: int, outcome: str) -> None:
    event = event_of("nginx", JSON % status)
    assert (event.get("ogrewatch_attempt", 0), event["event_outcome"]) == (attempts, outcome)
    assert (event["source_ip"], event["url_original"], event["timestamp"]) == (
        "192.0.2.1", "/x?y", 1_795_500_000_000_000,
    )  # fmt: skip


@pytest.mark.parametrize("status", ["[]", '"x"', "null", "1e9", "-1"])
def test_a_status_that_is_none(status: str) -> None:
    assert event_of("nginx", JSON % status)["event_dataset"] == "json.unparsed"


ERROR = (
    '2026/11/24 07:03:00 [{}] 12#13: *7 {}, client: 203.0.113.66, server: s, request: "GET /x?y HTTP/1.1", host: "h"'
)


@pytest.mark.parametrize(
    ("said", "outcome", "user"),
    [
        ('user "bob": password mismatch', "failure", "bob"),
        ('user "bob" was not found in "/etc/nginx/htpasswd"', "failure", "bob"),
        ("access forbidden by rule", "failure", ""),
        ('open() "/html/x" failed (2: No such file or directory)', "", ""),
    ],
)
def test_an_error_is_no_attempt(said: str, outcome: str, user: str) -> None:
    """The access log has the same request with its 401."""
    message = ERROR.format("error", said)
    assert attempt_of("nginx", message) == (0, outcome)
    event = event_of("nginx", message)
    assert (event.get("user_name", ""), event["source_ip"], event["url_original"]) == (user, "203.0.113.66", "/x?y")
    assert (event["event_dataset"], event["process_pid"]) == ("nginx.error", 12)
    assert event["timestamp"] == 1_795_503_780_000_000


@pytest.mark.parametrize(("level", "kind"), [("error", "error"), ("emerg", "error"), ("notice", "info")])
def test_the_level_says_whether_it_is_an_error(level: str, kind: str) -> None:
    event = event_of("nginx", ERROR.format(level, "x"))
    assert (event["event_category"], event["event_type"]) == (["web"], [kind])


FORGED = ', client: 198.51.100.1, server: a, request: "GET /'


_WHOLE = '" failed (2: x), client: 198.51.100.1, server: s, request: "GET /'
_OWN = ", client: 203.0.113.66, server: s"


def _encoded(path: str) -> str:
    return f"GET /{quote(path)} HTTP/1.1"


@pytest.mark.parametrize(
    ("said", "request_line", "referrer"),
    [
        (f'open() "/x{FORGED}" failed (2: x)', f"GET /x{FORGED} HTTP/1.1".replace(" ", "%20"), ""),
        (f'open() "/x{FORGED}" failed (2: x)', f"GET /x{FORGED.replace(' ', '%20').replace(',', '%2C')}", ""),
        ('open() "/x, client: 198.51.100.1, server: y" failed (2: x)', "GET /x HTTP/1.1", ""),
        ('open() "/x, client: 198.51.100.1" failed (2: x)', "GET /x HTTP/1.1", ""),
        ('"/x, client: 198.51.100.1, server: y/index.html" is not found (2: x)', "GET /x HTTP/1.1", ""),
        ('directory index of "/x, client: 198.51.100.1, server: y/" is forbidden', "GET /x HTTP/1.1", ""),
        ('user "x, client: 198.51.100.1, server: y" was not found in "/f"', "GET /x HTTP/1.1", ""),
        ('FastCGI sent in stderr: "x, client: 198.51.100.1, server: y" while reading', "GET /x HTTP/1.1", ""),
        ("access forbidden by rule", "GET / HTTP/1.1", f'r"{FORGED}'),
        ("access forbidden by rule", f"GET /{FORGED}", ""),
        ("access forbidden by rule", f"GET /{FORGED}{_OWN}{FORGED}", ""),
        ('open() "/x" failed (2: x)', "GET /x HTTP/1.1", f"r{FORGED}"),
        ('open() "/x"y" failed (2: x)', f"GET /x{_WHOLE}", ""),
    ],
)
def test_a_forged_client_is_not_the_client(said: str, request_line: str, referrer: str) -> None:
    assert _client_of(said, request_line, referrer) == "203.0.113.66"


@pytest.mark.parametrize(
    ("said", "request_line", "referrer"),
    [
        (f'open() "/x{_WHOLE}" failed (2: x)', _encoded("x" + _WHOLE), ""),
        ('open() "/x" failed (2: x)', f"GET /x{_WHOLE}{_OWN}", f"r{_WHOLE}"),
        (f'FastCGI sent in stderr: "x{_WHOLE}" while reading', "POST /x HTTP/1.1", ""),
        (f'FastCGI sent in stderr: "x{_WHOLE}" while reading', "POST /x HTTP/1.1", f"r{_WHOLE}"),
        ('client sent invalid header line: "x, client: 198.51.100.1, server: s, request: "', "GET / HTTP/1.1", ""),
        (f"[lua] a.lua:1: x{_WHOLE}", "GET /x HTTP/1.1", ""),
        (f'open() "/x{_WHOLE}{"y" * 1900}" failed (2: x)', "", ""),
    ],
)
def test_an_ambiguous_line_has_no_client(said: str, request_line: str, referrer: str) -> None:
    """nginx escapes nothing: what was typed before its own words may look like them, and what was typed after, too."""
    assert _client_of(said, request_line, referrer) is None


def _client_of(said: str, request_line: str, referrer: str) -> str | None:
    tail = f', referrer: "{referrer}"' if referrer else ""
    line = f'2026/11/24 07:03:00 [error] 12#13: *7 {said}, client: 203.0.113.66, server: s, request: "{request_line}"'
    event = event_of("nginx", f'{line}, host: "h"{tail}')
    assert event["event_dataset"] == "nginx.error"
    return event.get("source_ip")


def test_a_line_that_was_cut_within_a_path_has_no_client() -> None:
    line = f'2026/11/24 07:03:00 [error] 12#13: *7 open() "/x{_WHOLE}{"y" * 1900}'
    assert "source_ip" not in event_of("nginx", line)


def test_a_name_of_a_mail_login_is_no_client() -> None:
    said = 'client logged in, client: 203.0.113.66, server: 0.0.0.0:587, login: "a, client: 198.51.100.1, server: s"'
    assert event_of("nginx", f"2026/11/24 07:03:00 [info] 12#13: *7 {said}")["source_ip"] == "203.0.113.66"


def test_what_nginx_adds_about_a_request() -> None:
    line = ERROR.format("error", "upstream timed out") + ', referrer: "http://r.example.com/"'
    event = event_of("nginx", line.replace(', host: "h"', ', upstream: "http://10.0.0.2:80/x?y", host: "h:8080"'))
    assert event["http_request_referrer"] == "http://r.example.com/"
    assert event["extra"]["nginx.error.upstream"] == "http://10.0.0.2:80/x?y"
    assert (event["extra"]["url.domain"], event["extra"]["url.port"]) == ("h", 8080)


@pytest.mark.parametrize("text", ["2026/11/24", "2026/13/24 07:03:00 [error] 12#13: x", "2026/11/24 07:03:00 [x] 1: y"])
def test_what_is_no_error_log_is_not_understood(text: str) -> None:
    assert event_of("nginx", text)["event_dataset"] == "syslog.unparsed"


@pytest.mark.parametrize(
    ("client", "fields"),
    [
        ("192.0.2.1:4711 - -", {"source_ip": "192.0.2.1", "source_port": 4711}),
        ("192.0.2.10:8080 192.0.2.1 - -", {"destination_ip": "192.0.2.10", "destination_port": 8080}),
        ("[2001:db8::1]:4711 - -", {"source_ip": "2001:db8::1", "source_port": 4711}),
        ("2001:db8::10 2001:db8::1 - -", {"destination_ip": "2001:db8::10", "source_ip": "2001:db8::1"}),
    ],
)
def test_addresses_with_ports(client: str, fields: dict[str, object]) -> None:
    event = event_of("nginx", f'{client} {STAMP} "GET / HTTP/1.1" 200 1 "-" "-"')
    assert {name: event.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("tail", "forwarded"),
    [(' "-" "-" "192.0.2.77"', "192.0.2.77"), (' "-" "-" "192.0.2.77, 10.0.0.1"', "192.0.2.77"),
     (' "-" "-" X-Forwarded-For="2001:db8::7"', "2001:db8::7"), (' "-" "-" "-"', None), (' "-" "-" "1.2"', None)],
)  # fmt: skip
def test_who_a_request_was_passed_on_for(tail: str, forwarded: str | None) -> None:
    event = event_of("nginx", line(tail=tail))
    assert (event["source_ip"], event["extra"].get("network.forwarded_ip")) == ("203.0.113.66", forwarded)


@pytest.mark.parametrize(("path", "extension"), [("/a.php", "php"), ("/.git", None), ("/a.b/c", None), ("/x.", None)])
def test_extensions(path: str, extension: str | None) -> None:
    event = event_of("nginx", line(f"GET {path}?a=b.c HTTP/1.1"))
    assert event.get("extra", {}).get("url.extension") == extension
