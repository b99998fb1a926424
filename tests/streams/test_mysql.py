"""Tests the parser of MySQL and MariaDB: attempts, the formats of their logs, and users who write log lines."""

import json

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.mysql.parser import sniff
from topics.event import Event

PREFIX = "2026-11-24T07:00:00.123456Z 12 [Note] [MY-010926] [Server] "
DENIED = "Access denied for user '{}'@'203.0.113.66' (using password: YES)"
ABORTED = "Aborted connection 12 to db: 'app' user: '{}' host: '203.0.113.66' (Got an error reading packets)"


def line(text: str) -> Event:
    """The event of a line of a file."""
    return Dispatcher().parse(text.encode(), 0, MemoryState())


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (DENIED.format("bob"), 1, "failure"),
        (DENIED.format("bob").replace("YES", "NO"), 1, "failure"),
        ("Access denied for user 'bob'@'203.0.113.66'", 1, "failure"),
        ("Access denied for user 'bob'@'203.0.113.66'. Account is locked.", 1, "failure"),
        ("Access denied for user 'bob'@'203.0.113.66' to database 'd'", 0, "failure"),
        (ABORTED.format("bob"), 0, "failure"),
        ("Host '203.0.113.66' is blocked because of many connection errors; unblock it", 0, "failure"),
        ("IP address '203.0.113.66' could not be resolved: x", 0, ""),
        ("Too many connections", 0, "failure"),
        ("/usr/sbin/mysqld: ready for connections. Version: '8'", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("mysqld", PREFIX + message) == (attempts, outcome)


def test_the_general_log_counts_nothing() -> None:
    """It says who asks before it is known whether he may; a refusal is in the error log, too."""
    for argument in ("bob@203.0.113.66 on app using TCP/IP", DENIED.format("bob")):
        event = line(f"2026-11-24T07:00:00.123456Z\t   12 Connect\t{argument}")
        assert (event["user_name"], event["source_ip"]) == ("bob", "203.0.113.66")
        assert "ogrewatch_attempt" not in event


@pytest.mark.parametrize(
    ("prefix", "micros"),
    [
        ("2026-11-24T07:00:00.123456Z 12 [Note] [MY-010926] [Server] ", 123456),
        ("2026-11-24T08:00:00.123456+01:00 12 [Note] ", 123456),
        ("2026-11-24  7:00:00 12 [Warning] ", 0),
        ("2026-11-24 07:00:00 12 [Warning] ", 0),
        ("2026-11-24 07:00:00 0x7f12ab [Warning] ", 0),
        ("261124  7:00:00 [Warning] ", 0),
    ],
)
def test_prefixes(prefix: str, micros: int) -> None:
    event = line(prefix + DENIED.format("bob"))
    assert (event["event_dataset"], event["user_name"]) == ("mysql", "bob")
    assert event["timestamp"] == 1_795_503_600_000_000 + micros


def test_code_and_level() -> None:
    fields = line("2026-11-24T07:00:00.1Z 0 [ERROR] [MY-010262] [Server] Can't start server")["extra"]
    assert (fields["event.code"], fields["event.provider"], fields["log.level"]) == ("MY-010262", "Server", "ERROR")


@pytest.mark.parametrize(
    "user",
    ["two words", "x'@'198.51.100.1' (using password: YES)", "'", "a=b;c {} \"q\"", "[Note] x", "\x1b[31m", "caf\u00e9",
     "x' to database 'y"],
)  # fmt: skip
def test_a_user_is_no_message(user: str) -> None:
    event = line(PREFIX + DENIED.format(user))
    assert (event["user_name"], event["source_ip"], event["ogrewatch_attempt"]) == (user, "203.0.113.66", 1)
    assert line(PREFIX + ABORTED.format(user))["source_ip"] == "203.0.113.66"


@pytest.mark.parametrize("database", ["d", "x'@'198.51.100.1' (using password: YES)", "y' to database 'z", "a b"])
def test_a_database_hides_no_host(database: str) -> None:
    event = line(f"{PREFIX}Access denied for user 'bob'@'203.0.113.66' to database '{database}'")
    assert (event["user_name"], event["source_ip"]) == ("bob", "203.0.113.66")
    assert event["extra"]["mysql.database"] == database
    assert "ogrewatch_attempt" not in event


def test_nobody_is_no_user() -> None:
    event = line(PREFIX + ABORTED.format("unauthenticated").replace("app", "unconnected"))
    assert "user_name" not in event
    assert "mysql.database" not in event["extra"]


@pytest.mark.parametrize(
    ("host", "ip", "address"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("localhost", None, "localhost"),
        ("", None, None),
    ],
)
def test_hosts(host: str, ip: str | None, address: str | None) -> None:
    event = line(PREFIX + DENIED.format("bob").replace("203.0.113.66", host))
    assert (event.get("source_ip"), event["extra"].get("source.address")) == (ip, address)


def test_a_slow_statement_on_several_lines() -> None:
    event = event_of(
        "mysqld",
        "# User@Host: bob[bob] @ web1 [192.0.2.1]  Id:    12\n# Query_time: 2.5  Lock_time: 0.1 Rows_sent: 1\n"
        "SET timestamp=1795503600;\nSELECT 1 -- Query_time: 9\n",
    )
    fields = event["extra"]
    assert (event["user_name"], event["source_ip"], fields["source.domain"]) == ("bob", "192.0.2.1", "web1")
    assert (fields["event.duration"], fields["mysql.thread_id"]) == (2_500_000_000, "12")
    assert (event["timestamp"], fields["mysql.statement"]) == (1_795_503_600_000_000, "SELECT 1 -- Query_time: 9")


def test_a_record_of_json() -> None:
    record = {"prio": 1, "err_symbol": "ER_X", "msg": DENIED.format("bob"), "time": "2026-11-24T07:00:00.123456Z"}
    event = line(json.dumps(record))
    assert (event["ogrewatch_attempt"], event["user_name"]) == (1, "bob")
    assert (event["timestamp"], event["extra"]["log.level"]) == (1_795_503_600_123_456, "Error")
    assert event["extra"]["mysql.record"] == {"prio": 1, "err_symbol": "ER_X"}


@pytest.mark.parametrize("member", ["prio", "msg", "time", "label", "err_symbol"])
@pytest.mark.parametrize("value", [None, {}, [1], True, 1.5, "", "x" * 5000, -1, 99])
def test_a_member_of_another_type_does_no_harm(member: str, value: object) -> None:
    event = line(json.dumps({"err_symbol": "ER_X", "msg": "x", member: value}))
    assert (event["event_dataset"], event.get("error_message")) == ("mysql", None)


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(PREFIX)
    assert sniff("261124  7:00:00 [Warning] x")
    assert sniff("# User@Host: bob[bob] @ h []")
    assert sniff("2026-11-24T07:00:00.123456Z\t   12 Query\tSELECT 1")
    assert not sniff("2026-11-24 07:00:00 host program: x")
    assert not sniff("# a comment")


@pytest.mark.parametrize(
    "message", ["", "x", "[Foo] x", "# Time: x", "12 Query\tSELECT 1", "2026-13-24 07:00:00 1 [Note] x"]
)
def test_what_is_none_of_its_logs_is_not_understood(message: str) -> None:
    event = event_of("mysqld", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
