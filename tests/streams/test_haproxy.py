"""Tests the parser of HAProxy: its formats, attempts, clients who write log lines, its own times."""

import pytest
from parsing import attempt_of, event_of

from streams.haproxy.parser import sniff

CLIENT = "203.0.113.66:51234 [24/Nov/2026:04:05:06.123]"
COUNTS = "12/10/3/1/0 0/0"


def line(request: str = "GET / HTTP/1.1", status: str = "200", headers: str = "", tail: str = "") -> str:
    return f'{CLIENT} fe~ bk/web1 0/0/1/20/21 {status} 2750 - - ---- {COUNTS} {headers}"{request}"{tail}'


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (line(status="200"), 0, "success"), (line(status="302"), 0, "success"), (line(status="404"), 0, "failure"),
        (line(status="401"), 0, "failure"), (line("POST / HTTP/1.1", "401"), 1, "failure"),
        (line(status="407"), 0, "failure"), (line(status="503"), 0, "failure"),
        (line(status="-1"), 0, "failure"),
        (f"{CLIENT} fe bk/db1 0/1/5 100 -- {COUNTS}", 0, ""),
        (f"{CLIENT} fe bk/db1 0/-1/5 0 SC {COUNTS}", 0, ""),
        (f"{CLIENT} fe/1: SSL handshake failure", 0, "failure"),
        ("Connect from 203.0.113.66:51234 to 192.0.2.10:80 (www/HTTP)", 0, ""),
        ("Server bk/web1 is UP.", 0, "success"), ("Server bk/web1 is DOWN.", 0, "failure"),
    ],
)  # fmt: skip
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("haproxy", message) == (attempts, outcome)


@pytest.mark.parametrize(
    ("message", "category"),
    [
        (line(), ["web"]),
        (line(headers="{a|b} "), ["web"]),
        (line(headers="{a|b} {c} "), ["web"]),
        (line(tail=" 0/0/0/0/0 www.example.com/TLSv1.3/TLS_AES_256_GCM_SHA384"), ["web"]),
        (line().replace(" 0/0/1/20/21 ", " 192.0.2.10 0/0/1/20/21 "), ["web", "network"]),
        (f"{CLIENT} fe bk/db1 0/1/5 100 -- {COUNTS}", ["network"]),
        (f"{CLIENT} fe bk/db1 0/1/+5 +100 -- {COUNTS}", ["network"]),
        (f"{CLIENT} fe/192.0.2.10:443: SSL handshake failure", ["network"]),
        ("Connect from 203.0.113.66:51234 to 192.0.2.10:80 (www/HTTP)", ["web", "network"]),
    ],
)
def test_formats(message: str, category: list[str]) -> None:
    event = event_of("haproxy", message)
    assert (event["event_category"], event["source_ip"], event["source_port"]) == (category, "203.0.113.66", 51234)


@pytest.mark.parametrize(
    ("stamp", "when"),
    [
        ("24/Nov/2026:04:05:06.123", 1_795_493_106_123_000),
        ("24/Nov/2026:04:05:06", 1_795_493_106_000_000),
        ("2026-11-24T05:05:06.123456+01:00", 1_795_493_106_123_456),
        ("31/Feb/2026:04:05:06.123", 1_795_493_106_000_000),
        ("24/Foo/2026:04:05:07.123", 1_795_493_106_000_000),
    ],
)
def test_the_time_is_the_logs_own(stamp: str, when: int) -> None:
    message = line().replace("24/Nov/2026:04:05:06.123", stamp)
    assert event_of("haproxy", message)["timestamp"] == when


@pytest.mark.parametrize(
    "target", ["/a b", "/#22 200 1", "/' {x} [24/Nov/2000:00:00:00.000] fe bk/w 0/0/0/0/0 200", "/x;y={}", "/caf\\xe9"]
)
def test_a_request_is_all_that_stands_in_its_quotes(target: str) -> None:
    event = event_of("haproxy", line(f"GET {target} HTTP/1.1", "403", "{192.0.2.99:1|#22GET /#22} "))
    assert (event["url_original"], event["http_response_status_code"]) == (target, 403)
    assert event["source_ip"] == "203.0.113.66"
    assert event["extra"]["haproxy.request_headers"] == ["192.0.2.99:1", "#22GET /#22"]


@pytest.mark.parametrize(
    ("ending", "target"), [('GET /a"b HTTP/1.1"', '/a"b'), ("GET /cut-off", "/cut-off"), ('GET / HTTP/1.1" more', "/")]
)
def test_where_a_request_ends(ending: str, target: str) -> None:
    event = event_of("haproxy", line().rpartition(' "')[0] + f' "{ending}')
    assert event["url_original"] == target


def test_a_request_that_is_none_is_kept() -> None:
    event = event_of("haproxy", line("<BADREQ>", "400"))
    assert event["extra"]["haproxy.request"] == "<BADREQ>"
    assert "http_request_method" not in event


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        CLIENT,
        f"{CLIENT} x",
        f"{CLIENT} fe bk/w 1/2 x",
        "Connect from x",
        "Server x",
        line()[:-20].rstrip('"')[:60],
    ],
)
def test_what_is_no_log_line_is_not_understood(message: str) -> None:
    assert event_of("haproxy", message)["event_dataset"] == "syslog.unparsed"


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(line())
    assert not sniff("203.0.113.66:51234 says hello")
