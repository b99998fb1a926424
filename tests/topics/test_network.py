"""Tests which hosts are this machine, which names are the server's, and which requests another site's page made."""

import socket

import pytest

from topics.network import HostNames, is_foreign, is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost", "Localhost.", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.1", "localhost.example.com", "127.0.0.1.example.com"])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "header",
    [
        "localhost", "localhost:8090", "LOCALHOST.:8090", "127.0.0.1:8090", "192.0.2.1", "[::1]:8090", "[2001:db8::1]",
        "logs.example.com", "Logs.Example.com:443", "two.example.com", f"{socket.gethostname()}:8090",
    ],
)  # fmt: skip
def test_names_of_ours(header: str) -> None:
    assert HostNames("logs.example.com", " two.example.com,three.example.com ").know([header])


@pytest.mark.parametrize(
    "header",
    [
        "", "evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example",
        "localhost@evil.example",
        "evil.example#localhost", "127.1", "0x7f000001", "2130706433", "localhost:x", "localhost:8090:1", "[localhost]",
        "localhost,evil.example", "::1", "a" * 300, "localhost\x00", "xlogs.example.com", "*",
    ],
)  # fmt: skip
def test_names_of_others(header: str) -> None:
    assert not HostNames("logs.example.com", "two.example.com").know([header])


def test_no_header_two_headers_and_any_name() -> None:
    assert HostNames().know([])
    assert not HostNames().know(["localhost", "localhost"])
    assert HostNames("*").know(["evil.example"])


@pytest.mark.parametrize(
    ("origins", "sites", "foreign"),
    [
        ([], [], False),
        (["http://localhost:8090"], [], False),
        (["https://LOCALHOST:8090"], ["same-origin"], False),
        ([], ["none"], False),
        (["http://localhost"], [], True),
        (["http://localhost:8091"], [], True),
        (["http://evil.example"], [], True),
        (["http://evil.example/localhost:8090"], [], True),
        (["null"], [], True),
        ([""], [], True),
        (["http://localhost:8090", "http://evil.example"], [], True),
        ([], ["cross-site"], True),
        ([], ["same-site"], True),
        (["http://localhost:8090"], ["cross-site"], True),
    ],
)
def test_requests_of_other_sites(origins: list[str], sites: list[str], foreign: bool) -> None:
    assert is_foreign("localhost:8090", origins, sites) is foreign
