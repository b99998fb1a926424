"""Tests the parser of Squid: its formats, attempts, URLs and users that contain more than they should."""

import pytest
from parsing import attempt_of, event_of

from streams.squid.parser import sniff

STAMP = "1795493106.123"


def line(status: str = "200", user: str = "-", url: str = "http://www.example.com/", method: str = "GET") -> str:
    return f"{STAMP}    507 10.0.0.66 TCP_MISS/{status} 4571 {method} {url} {user} HIER_DIRECT/198.51.100.80 text/html"


@pytest.mark.parametrize(
    ("status", "user", "attempts", "outcome"),
    [("200", "-", 0, "success"), ("304", "alice", 0, "success"), ("403", "-", 0, "failure"), ("000", "-", 0, "failure"),
     ("407", "-", 0, "failure"), ("407", "alice", 1, "failure"), ("401", "-", 0, "failure"),
     ("401", "alice", 1, "failure")],
)  # fmt: skip
def test_what_is_an_attempt(status: str, user: str, attempts: int, outcome: str) -> None:
    assert attempt_of("squid", line(status, user)) == (attempts, outcome)
    who = f'10.0.0.66 - {user} [24/Nov/2026:04:05:06 +0000] "GET / HTTP/1.1" {status.replace("000", "500")} 5'
    assert attempt_of("squid", who) == (attempts, outcome)


@pytest.mark.parametrize("program", ["squid", "(squid-1)"])
@pytest.mark.parametrize("before", ["", f"{STAMP}    507 "])
def test_syslog_may_have_the_time_already(program: str, before: str) -> None:
    event = event_of(program, before + "10.0.0.66 TCP_HIT/200 4571 GET http://www.example.com/ - HIER_NONE/- text/html")
    assert (event["source_ip"], event["url_original"]) == ("10.0.0.66", "http://www.example.com/")
    assert event["process_name"] == program.strip("()")
    assert event["timestamp"] == (1_795_493_106_123_000 if before else 1_795_493_106_000_000)
    assert "destination_ip" not in event


@pytest.mark.parametrize(
    ("peer", "destination"),
    [("HIER_DIRECT/198.51.100.80", "198.51.100.80"), ("FIRSTUP_PARENT/192.0.2.1", "192.0.2.1"), ("HIER_NONE/-", None),
     ("HIER_DIRECT/2001:db8::80", "2001:db8::80"), ("HIER_DIRECT/www.example.com", None)],
)  # fmt: skip
def test_peers(peer: str, destination: str | None) -> None:
    event = event_of("squid", line().replace("HIER_DIRECT/198.51.100.80", peer))
    assert event.get("destination_ip") == destination


def test_tunnels() -> None:
    event = event_of("squid", line(method="CONNECT", url="www.example.com:443"))
    assert (event["http_request_method"], event["url_original"]) == ("CONNECT", "www.example.com:443")
    assert event["extra"]["url.domain"] == "www.example.com"


@pytest.mark.parametrize(
    "url",
    ["http://e.example/a b", "http://e.example/ - HIER_DIRECT/192.0.2.99 text/plain", "http://e.example/\"'{};=[x]",
     "http://e.example/ 10.0.0.1 TCP_HIT/200 1 GET http://x.example/ - HIER_NONE/- -", "http://e.example/\x1b[31m"],
)  # fmt: skip
def test_a_url_hides_neither_client_nor_peer(url: str) -> None:
    event = event_of("squid", line("403", "mallory", url))
    assert (event["source_ip"], event["destination_ip"]) == ("10.0.0.66", "198.51.100.80")
    assert (event["url_original"], event["user_name"]) == (url, "mallory")
    assert event["http_response_status_code"] == 403


@pytest.mark.parametrize(
    "message", ["", "x", "Starting Squid Cache version 6.6", line()[:40], line().replace("/200", "/20")]
)
def test_what_is_no_access_is_not_understood(message: str) -> None:
    assert event_of("squid", message)["event_dataset"] == "syslog.unparsed"


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(line())
    assert not sniff("1795493106.123 something else")
