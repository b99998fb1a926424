"""Tests the parser of slapd: one attempt per bind, joined from up to three lines of a connection."""

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState
from topics.event import Event

ACCEPT = "conn=7 fd=9 ACCEPT from IP=203.0.113.66:40000 (IP=0.0.0.0:389)"
BIND = 'conn=7 op=0 BIND dn="uid=alice,ou=People,dc=example,dc=net" method=128'
RESULT = "conn=7 op=0 RESULT tag=97 err={} text="


def last(*messages: str) -> Event:
    """The event of the last of some lines."""
    state = MemoryState()
    return [event_of("slapd", message, state) for message in messages][-1]


def counted(*messages: str) -> list[tuple[int, str]]:
    """The attempts of each of some lines."""
    state = MemoryState()
    return [attempt_of("slapd", message, state) for message in messages]


def test_the_result_carries_the_address_and_the_name() -> None:
    event = last(ACCEPT, BIND, RESULT.format(49))
    assert (event["source_ip"], event["source_port"], event["user_name"]) == ("203.0.113.66", 40000, "alice")
    assert (event["ogrewatch_attempt"], event["event_outcome"], event["ogrewatch_service"]) == (1, "failure", "ldap")
    assert event["extra"]["slapd.result"] == 49


@pytest.mark.parametrize(
    ("code", "attempts", "outcome"),
    [(0, 1, "success"), (49, 1, "failure"), (53, 1, "failure"), (32, 1, "failure"), (14, 0, "unknown")],
)
def test_one_bind_is_one_attempt(code: int, attempts: int, outcome: str) -> None:
    assert counted(ACCEPT, BIND, RESULT.format(code)) == [(0, ""), (0, ""), (attempts, outcome)]


@pytest.mark.parametrize("code", [0, 48])
def test_an_anonymous_bind_is_none(code: int) -> None:
    assert counted(ACCEPT, 'conn=7 op=0 BIND dn="" method=128', RESULT.format(code))[-1][0] == 0


def test_a_sasl_bind_of_several_steps_is_one() -> None:
    steps = counted(
        'conn=7 op=0 BIND dn="" method=163',
        "conn=7 op=0 RESULT tag=97 err=14 text=SASL(0): successful result: ",
        'conn=7 op=1 BIND dn="" method=163',
        'conn=7 op=1 BIND authcid="bob@EXAMPLE.NET" authzid="bob@EXAMPLE.NET"',
        'conn=7 op=1 BIND dn="uid=bob,dc=example,dc=net" mech=GSSAPI sasl_ssf=56 ssf=56',
        "conn=7 op=1 RESULT tag=97 err=0 text=",
    )
    assert [attempts for attempts, _ in steps] == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("code", "attempts"), [(49, 1), (0, 0), (14, 0)])
def test_a_result_alone_counts_when_it_is_a_refusal(code: int, attempts: int) -> None:
    event = last(RESULT.format(code))
    assert event.get("ogrewatch_attempt", 0) == attempts
    assert "user_name" not in event
    assert "source_ip" not in event


def test_a_result_belongs_to_the_bind_of_its_operation() -> None:
    event = last(ACCEPT, BIND, "conn=7 op=1 RESULT tag=97 err=49 text=")
    assert "user_name" not in event
    assert event["source_ip"] == "203.0.113.66"


def test_each_of_two_concurrent_binds_has_its_own_name() -> None:
    other = BIND.replace("op=0", "op=1").replace("alice", "bob")
    assert last(ACCEPT, BIND, other, RESULT.format(49))["user_name"] == "alice"
    assert last(ACCEPT, BIND, other, RESULT.format(49).replace("op=0", "op=1"))["user_name"] == "bob"


def test_a_long_name_does_not_hide_who_binds() -> None:
    """What is kept of a connection is bounded, and the address is kept whatever else is."""
    binds = [BIND.replace("op=0", f"op={n}").replace("alice", "\\01" * 1_000) for n in range(5)]
    event = last(ACCEPT, *binds, RESULT.format(49).replace("op=0", "op=4"))
    assert event["source_ip"] == "203.0.113.66"
    assert 0 < len(event["user_name"]) <= 500


def test_hosts_and_connections_are_kept_apart() -> None:
    state = MemoryState()
    event_of("slapd", BIND, state)
    assert "user_name" not in event_of(
        "slapd", BIND.replace(BIND, RESULT.format(49)).replace("conn=7", "conn=8"), state
    )


def test_a_new_connection_forgets_the_old_one_of_its_number() -> None:
    event = last(ACCEPT, BIND, RESULT.format(0), ACCEPT, "conn=7 op=1 SRCH attr=cn")
    assert "user_name" not in event


def test_what_follows_a_bind_is_done_by_its_user_until_the_next() -> None:
    search = 'conn=7 op=1 SRCH base="dc=example" scope=2 deref=0 filter="(uid=x)"'
    assert last(ACCEPT, BIND, RESULT.format(0), search)["user_name"] == "alice"
    again = (BIND.replace("op=0", "op=2"), RESULT.format(49).replace("op=0", "op=2"))
    assert "user_name" not in last(ACCEPT, BIND, RESULT.format(0), *again, search)


def test_a_line_parsed_again_says_the_same() -> None:
    state = MemoryState()
    lines = (ACCEPT, BIND, RESULT.format(0), "conn=7 fd=9 closed")
    first = [event_of("slapd", line, state) for line in lines]
    assert [event_of("slapd", line, state) for line in lines] == first


@pytest.mark.parametrize(
    ("dn", "user"),
    [
        ("uid=alice,ou=People,dc=example,dc=net", "alice"),
        ("CN=Ann Smith,dc=example", "Ann Smith"),
        ("cn=Smith\\2C Ann,dc=example", "Smith, Ann"),
        ("cn=Smith\\, Ann,dc=example", "Smith, Ann"),
        ("uid=a+cn=b,dc=example", "a"),
        ("cn=caf\\C3\\A9,dc=example", "café"),
        ("alice", "alice"),
        ('uid=x\\22 method=128 conn=1 op=0 RESULT tag=97 err=0,dc=x', 'x" method=128 conn=1 op=0 RESULT tag=97 err=0'),
        ("uid=a;b,dc=x", "a"),
        ("uid={}[]'=;,dc=x", "{}[]'="),
        ("uid=\\", "\\"),
        ("uid=\\5C\\5C", "\\\\"),
    ],
)  # fmt: skip
def test_the_user_is_the_first_part_of_the_name(dn: str, user: str) -> None:
    event = last(f'conn=7 op=0 BIND dn="{dn}" method=128', RESULT.format(49))
    assert event["user_name"] == user
    assert event["extra"]["slapd.dn"] == dn


@pytest.mark.parametrize(
    ("peer", "ip", "port"),
    [
        ("IP=192.0.2.1:4", "192.0.2.1", 4),
        ("IP=[2001:db8::1]:4", "2001:db8::1", 4),
        ("IP=192.0.2.1:99999", "192.0.2.1", None),
        ("PATH=/run/slapd/ldapi", None, None),
    ],
)
def test_peers(peer: str, ip: str | None, port: int | None) -> None:
    event = last(f"conn=7 fd=9 ACCEPT from {peer} ({peer})", BIND)
    assert (event.get("source_ip"), event.get("source_port")) == (ip, port)


@pytest.mark.parametrize(
    "message",
    ["", "conn=", "conn=1 op=2", "conn=1 op=2 NOSUCH x", "conn=7 op=0 RESULT nonsense", "conn=7 fd=1 ACCEPT x"],
)
def test_what_slapd_does_not_write_is_not_understood(message: str) -> None:
    event = last(message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
