"""Tests the parser of 389 Directory Server: one attempt per bind, joined from up to three lines of a connection."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.event import Event

OPEN = "conn=7 fd=9 slot=9 connection from 203.0.113.66 to 192.0.2.1"
BIND = 'conn=7 op=0 BIND dn="uid=alice,ou=People,dc=example,dc=net" method=128 version=3'
RESULT = "conn=7 op=0 RESULT err={} tag=97 nentries=0 etime=0.000100"


def last(*messages: str) -> Event:
    """The event of the last of some lines."""
    state = MemoryState()
    return [event_of("ns-slapd", message, state) for message in messages][-1]


def counted(*messages: str) -> list[tuple[int, str]]:
    """The attempts of each of some lines."""
    state = MemoryState()
    return [attempt_of("ns-slapd", message, state) for message in messages]


def test_the_result_carries_the_address_and_the_name() -> None:
    event = last(OPEN, BIND, RESULT.format(49))
    assert (event["source_ip"], event["destination_ip"], event["user_name"]) == ("203.0.113.66", "192.0.2.1", "alice")
    assert (event["ogrewatch_attempt"], event["event_outcome"], event["ogrewatch_service"]) == (1, "failure", "ldap")


@pytest.mark.parametrize(
    ("code", "attempts", "outcome"),
    [(0, 1, "success"), (49, 1, "failure"), (53, 1, "failure"), (32, 1, "failure"), (14, 0, "unknown")],
)
def test_one_bind_is_one_attempt(code: int, attempts: int, outcome: str) -> None:
    assert counted(OPEN, BIND, RESULT.format(code)) == [(0, ""), (0, ""), (attempts, outcome)]


@pytest.mark.parametrize("more", ["", ' dn=""'])
def test_an_anonymous_bind_is_none(more: str) -> None:
    assert counted(OPEN, 'conn=7 op=0 BIND dn="" method=128 version=3', RESULT.format(0) + more)[-1][0] == 0


def test_a_sasl_bind_of_several_steps_is_one() -> None:
    start = 'conn=7 op={} BIND dn="" method=sasl version=3 mech=GSSAPI'
    state = MemoryState()
    lines = (
        start.format(0),
        RESULT.format(14),
        start.format(1),
        RESULT.format(0).replace("op=0", "op=1") + ' dn="uid=bob,dc=example"',
    )
    events = [event_of("ns-slapd", line, state) for line in lines]
    assert [event.get("ogrewatch_attempt", 0) for event in events] == [0, 0, 0, 1]
    assert events[-1]["user_name"] == "bob"


def test_each_of_two_concurrent_binds_has_its_own_name() -> None:
    other = BIND.replace("op=0", "op=1").replace("alice", "bob")
    assert last(OPEN, BIND, other, RESULT.format(49))["user_name"] == "alice"
    assert last(OPEN, BIND, other, RESULT.format(49).replace("op=0", "op=1"))["user_name"] == "bob"


@pytest.mark.parametrize(("code", "attempts"), [(49, 1), (0, 0), (14, 0)])
def test_a_result_alone_counts_when_it_is_a_refusal(code: int, attempts: int) -> None:
    assert last(RESULT.format(code)).get("ogrewatch_attempt", 0) == attempts


def test_what_follows_a_bind_is_done_by_its_user_until_the_connection_is_another() -> None:
    search = 'conn=7 op=1 SRCH base="dc=example" scope=2 filter="(uid=x)" attrs=ALL'
    assert last(OPEN, BIND, RESULT.format(0), search)["user_name"] == "alice"
    assert "user_name" not in last(OPEN, BIND, RESULT.format(0), OPEN, search)
    assert "user_name" not in last(OPEN, BIND, RESULT.format(49), search)


def test_a_line_parsed_again_says_the_same() -> None:
    state = MemoryState()
    lines = (OPEN, BIND, RESULT.format(0), "conn=7 op=1 UNBIND", "conn=7 op=1 fd=9 closed - U1")
    first = [event_of("ns-slapd", line, state) for line in lines]
    assert [event_of("ns-slapd", line, state) for line in lines] == first


@pytest.mark.parametrize(
    ("dn", "user"),
    [
        ("uid=alice,dc=example", "alice"),
        ("cn=Smith\\2C Ann,dc=example", "Smith, Ann"),
        ("uid=x\\22 method=128 conn=1 op=0 RESULT err=0,dc=x", 'x" method=128 conn=1 op=0 RESULT err=0'),
        ("uid={}[]'=;,dc=x", "{}[]'="),
        ("cn=Directory Manager", "Directory Manager"),
        ("uid=x\x00\x1b,dc=x", "x\x00\x1b"),
    ],
)
def test_the_user_is_the_first_part_of_the_name(dn: str, user: str) -> None:
    event = last(OPEN, f'conn=7 op=0 BIND dn="{dn}" method=128 version=3', RESULT.format(49))
    assert (event["user_name"], event["source_ip"], event["event_outcome"]) == (user, "203.0.113.66", "failure")


def test_a_line_of_its_own_file_has_its_time() -> None:
    line = f"[24/Nov/2026:06:00:01.123456789 +0100] {BIND}".encode()
    event = Dispatcher().parse(line, RECEIVED, MemoryState())
    assert (event["timestamp"], event["user_name"]) == (1_795_496_401_123_456, "alice")


@pytest.mark.parametrize("message", ["", "x", "conn=", "conn=1 op=2", "conn=1 op=2 NOSUCH x", "[x] conn=1 op=1 UNBIND"])
def test_what_the_server_does_not_write_is_not_understood(message: str) -> None:
    assert last(message)["event_dataset"] == "syslog.unparsed"
