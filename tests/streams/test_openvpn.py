"""Tests the parser of OpenVPN: one attempt per peer, whatever it logs, and names that look like peers."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher

PEER = "203.0.113.66:40001 "
FIRST = PEER + "TLS: Initial packet from [AF_INET]203.0.113.66:40001, sid=1 2"
WRONG = PEER + "TLS Auth Error: Auth Username/Password verification failed for peer"
RIGHT = PEER + "TLS: Username/Password authentication succeeded for username 'alice'"
IN = PEER + "[alice] Peer Connection Initiated with [AF_INET]203.0.113.66:40001"
NAMES = ("x/192.0.2.99:1 y", "192.0.2.99:1 TLS: z", "x' [CN SET]", "a=b;c", '"q"', "x\x00\x1b[31m", "two words", "[y]")


def counted(*messages: str) -> list[tuple[int, str]]:
    """The attempts of each of some lines."""
    state = MemoryState()
    return [attempt_of("openvpn", message, state) for message in messages]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((FIRST, IN), [(0, ""), (1, "success")]),
        ((FIRST, RIGHT, IN), [(0, ""), (0, "success"), (1, "success")]),
        ((FIRST, WRONG, IN), [(0, ""), (1, "failure"), (0, "failure")]),
        ((PEER + "VERIFY ERROR: depth=0, error=certificate has expired: CN=a",), [(1, "failure")]),
        ((PEER + "TLS Error: TLS handshake failed",), [(0, "failure")]),
        ((PEER + "SENT CONTROL [a]: 'AUTH_FAILED' (status=1)",), [(0, "failure")]),
        (("AUTH-PAM: BACKGROUND: user 'a' failed to authenticate: Authentication failure",), [(0, "failure")]),
        (("[server] Peer Connection Initiated with [AF_INET]192.0.2.1:1194",), [(0, "success")]),
    ],
)
def test_one_peer_is_one_attempt(messages: tuple[str, ...], expected: list[tuple[int, str]]) -> None:
    assert counted(*messages) == expected


def test_the_next_handshake_from_the_same_port_is_another() -> None:
    state, dispatcher = MemoryState(), Dispatcher()
    lines = [f"Nov 24 05:00:0{second} h openvpn[1]: {text}".encode() for second, text in enumerate((WRONG, IN, FIRST))]
    lines += [f"Nov 24 05:00:2{second} h openvpn[1]: {text}".encode() for second, text in enumerate((FIRST, RIGHT, IN))]
    for _ in range(2):  # and parsed again it is the same
        events = [dispatcher.parse(line, RECEIVED, state) for line in lines]
        assert [event.get("ogrewatch_attempt", 0) for event in events] == [1, 0, 0, 0, 0, 1]
        assert events[-1]["event_outcome"] == "success"


def test_the_lines_of_a_peer_have_its_user() -> None:
    state = MemoryState()
    events = [event_of("openvpn", message, state) for message in (FIRST, RIGHT, IN)]
    assert [event.get("user_name") for event in events] == [None, "alice", "alice"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_hides_no_address(name: str) -> None:
    event = event_of("openvpn", f"{PEER}TLS: Username/Password authentication succeeded for username '{name}'")
    assert (event["source_ip"], event["source_port"], event["user_name"]) == ("203.0.113.66", 40001, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_without_a_peer_brings_none(name: str) -> None:
    event = event_of("openvpn", f"AUTH-PAM: BACKGROUND: user '{name}' failed to authenticate: Authentication failure")
    assert (event.get("source_ip"), event["user_name"]) == (None, name)


@pytest.mark.parametrize(
    ("peer", "ip", "port", "name"),
    [
        ("203.0.113.5:40001", "203.0.113.5", 40001, None),
        ("[AF_INET]203.0.113.5:40001", "203.0.113.5", 40001, None),
        ("[AF_INET6]2001:db8::5:40001", "2001:db8::5", 40001, None),
        ("[AF_INET6]::ffff:203.0.113.5:40001", "203.0.113.5", 40001, None),
        ("udp4:203.0.113.5:40001", "203.0.113.5", 40001, None),
        ("alice/203.0.113.5:40001", "203.0.113.5", 40001, "alice"),
        ("Ann Smith/203.0.113.5:40001", "203.0.113.5", 40001, "Ann Smith"),
        ("alice/[AF_INET6]2001:db8::5:40001", "2001:db8::5", 40001, "alice"),
    ],
)
def test_peers(peer: str, ip: str, port: int, name: str | None) -> None:
    event = event_of("openvpn", f"{peer} TLS Error: TLS handshake failed")
    assert (event["source_ip"], event["source_port"], event.get("user_name")) == (ip, port, name)


@pytest.mark.parametrize("stamp", ["2026-11-24 05:00:01", "Tue Nov 24 05:00:01 2026", "2026-11-24 05:00:01 us=123456"])
def test_a_line_of_its_own_file_has_its_time(stamp: str) -> None:
    event = Dispatcher().parse(f"{stamp} {FIRST}".encode(), RECEIVED, MemoryState())
    assert (event["timestamp"], event["source_ip"]) == (1_795_496_401_000_000, "203.0.113.66")
    assert (event["process_name"], event.get("host_hostname")) == ("openvpn", None)


@pytest.mark.parametrize("message", ["", "x", PEER, "[a] x", "alice/203.0.113.5:40001 x"])
def test_what_openvpn_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("openvpn", message)["event_dataset"] == "syslog.unparsed"
