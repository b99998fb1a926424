"""Tests the parser of PostgreSQL: attempts, the settings of its log, and users who write log lines."""

import json

import pytest
from parsing import attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from streams.postgresql.prefix import sniff
from topics.event import Event

PREFIX = "2026-11-24 07:00:00.123 UTC [77] "
FAILED = 'FATAL:  password authentication failed for user "{}"'


def line(text: str, state: MemoryState | None = None) -> Event:
    """The event of a line of its file."""
    return Dispatcher().parse(text.encode(), 0, state or MemoryState())


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (FAILED.format("bob"), 1, "failure"),
        ('FATAL:  Ident authentication failed for user "bob"', 1, "failure"),
        ('FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "bob", database "d", SSL off', 1, "failure"),
        ('FATAL:  no pg_hba.conf entry for host "[local]", user "bob", database "d", no encryption', 1, "failure"),
        ('FATAL:  pg_hba.conf rejects connection for host "192.0.2.1", user "bob", database "d"', 1, "failure"),
        (
            'FATAL:  no pg_hba.conf entry for replication connection from host "192.0.2.1", user "bob", SSL off',
            1,
            "failure",
        ),
        ('FATAL:  role "bob" does not exist', 1, "failure"),
        ('FATAL:  role "bob" is not permitted to log in', 1, "failure"),
        ("LOG:  connection authorized: user=bob database=d", 1, "success"),
        ("LOG:  connection authorized: user=bob", 1, "success"),
        ("LOG:  replication connection authorized: user=bob application_name=standby", 1, "success"),
        ('LOG:  connection authenticated: identity="bob" method=md5 (/etc/pg_hba.conf:9)', 0, "success"),
        ("LOG:  connection received: host=192.0.2.1 port=4711", 0, ""),
        ("LOG:  disconnection: session time: 0:00:01.000 user=bob database=d host=192.0.2.1 port=4711", 0, ""),
        ('FATAL:  database "d" does not exist', 0, "failure"),
        ("FATAL:  sorry, too many clients already", 0, "failure"),
        ('DETAIL:  Role "bob" does not exist.', 0, ""),
        ('ERROR:  relation "x" does not exist', 0, "failure"),
        ("STATEMENT:  SELECT 'password authentication failed for user \"bob\"'", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("postgres", PREFIX + message) == (attempts, outcome)


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-24 07:00:00.123 UTC [77] bob@d ",
        "2026-11-24 07:00:00.123 UTC [77-1] bob@d ",
        "2026-11-24 07:00:00.123 UTC:192.0.2.1(4711):bob@d:[77]:",
        "2026-11-24 08:00:00.123 CET [77]: [1-1] user=bob,db=d,app=a b,client=192.0.2.1 ",
        "2026-11-24 08:00:00.123 +01 [77] 192.0.2.1(4711) bob@d ",
        "2026-11-24 07:00:00.123 UTC [77] [user=bob,db=d,app=psql] ",
    ],
)
def test_prefixes(prefix: str) -> None:
    event = line(prefix + 'ERROR:  42P01: relation "x" does not exist')
    assert (event["event_dataset"], event["process_pid"]) == ("postgresql", 77)
    assert event["timestamp"] == 1_795_503_600_123_000
    assert (event["user_name"], event["extra"]["postgresql.database"]) == ("bob", "d")
    assert event.get("source_ip", "192.0.2.1") == "192.0.2.1"
    assert event["extra"]["event.code"] == "42P01"


def test_later_lines_know_where_the_client_is() -> None:
    state = MemoryState()
    line(PREFIX + "LOG:  connection received: host=192.0.2.1 port=4711", state)
    for message in (FAILED.format("bob"), "LOG:  connection authorized: user=bob database=d"):
        event = line(PREFIX + message, state)
        assert (event["source_ip"], event["source_port"]) == ("192.0.2.1", 4711)
    assert "source_ip" not in line(PREFIX.replace("77", "78") + FAILED.format("bob"), state)
    line(PREFIX + "LOG:  connection received: host=[local]", state)
    assert "source_ip" not in line(PREFIX + FAILED.format("bob"), state)


@pytest.mark.parametrize(
    "user",
    ["two words", 'q"q', "a=b;c {} '", "x LOG:  connection authorized: user=root database=a", "bob@d", "\x1b[31m",
     'x" FATAL:  role "root" does not exist', "FATAL:  password authentication failed for user", "caf\u00e9"],
)  # fmt: skip
@pytest.mark.parametrize("prefix", ["", "{}@d "])
def test_a_user_is_no_message(user: str, prefix: str) -> None:
    event = line(PREFIX + prefix.format(user) + FAILED.format(user))
    if prefix and "FATAL" in user:  # a refusal within the prefix or a name in the message: nobody can tell
        assert event["event_outcome"] == "failure"
        assert not {"user_name", "source_ip", "ogrewatch_attempt", "process_pid"} & event.keys()
        return
    assert (event["event_outcome"], event["ogrewatch_attempt"]) == ("failure", 1)
    assert event["event_category"] == ["authentication", "database"]
    assert user.startswith("FATAL") or event["user_name"] == user


@pytest.mark.parametrize(
    "text",
    [
        "client=198.51.100.66,host=198.51.100.66",
        "x 198.51.100.66(6666) y",
        "[7] x",
    ],
)
@pytest.mark.parametrize("prefix", ["%s@d ", "user=%s,db=d,client=203.0.113.66 ", "203.0.113.66(5022) %s@d "])
def test_a_user_in_the_prefix_forges_nothing(prefix: str, text: str) -> None:
    event = line(PREFIX + prefix % text + FAILED.format(text))
    assert event.get("source_ip", "203.0.113.66") == "203.0.113.66"
    assert event.get("source_port", 5022) == 5022
    assert (event["user_name"], event["process_pid"]) == (text, 77)


def test_a_success_that_who_is_refused_may_have_typed_is_none() -> None:
    user = "x LOG:  connection authorized: user=root database=a"
    event = line(f"{PREFIX}{user}@d FATAL:  sorry, too many clients already")
    assert not {"ogrewatch_attempt", "user_name", "event_outcome"} & event.keys()


def test_a_user_hides_no_address() -> None:
    user = 'a", database "b", SSL off", host "198.51.100.1", user "root'
    event = line(f'{PREFIX}FATAL:  no pg_hba.conf entry for host "203.0.113.66", user "{user}", database "d", SSL off')
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", user)


def test_a_severity_that_lost_a_blank() -> None:
    event = line(PREFIX + FAILED.format("bob").replace(":  ", ": "))
    assert (event["ogrewatch_attempt"], event["user_name"]) == (1, "bob")


def test_brackets_around_names() -> None:
    event = line(PREFIX + "[bob]@[d] ERROR:  x")
    assert (event["user_name"], event["extra"]["postgresql.database"]) == ("bob", "d")


def test_a_statement() -> None:
    event = line(PREFIX + "LOG:  duration: 1534.201 ms  statement: SELECT 1")
    assert (event["extra"]["event.duration"], event["extra"]["postgresql.statement"]) == (1_534_201_000, "SELECT 1")
    assert event["event_type"] == ["access"]


CSV = '2026-11-24 07:00:00.123 UTC,"bob","d",77,"{}",65a,1,"x",2026-11-24 07:00:00 UTC,3/5,0,FATAL,28P01,"{}",{}'
REST = ',,,,,,,,"psql","client backend",,0'


def test_a_line_of_csv() -> None:
    event = line(CSV.format("2001:db8::1:4711", 'password authentication failed for user ""a, b""', "") + REST)
    assert (event["user_name"], event["ogrewatch_attempt"]) == ("a, b", 1)
    assert (event["source_ip"], event["source_port"], event["process_pid"]) == ("2001:db8::1", 4711, 77)
    assert event["extra"]["event.code"] == "28P01"
    assert event["extra"]["postgresql.record"]["backend_type"] == "client backend"


def test_a_record_of_json() -> None:
    record = {"timestamp": "2026-11-24 07:00:00.123 UTC", "user": "bob", "dbname": "d", "pid": 77, "remote_port": 4711,
              "remote_host": "192.0.2.1", "error_severity": "FATAL", "message": 'role "bob" does not exist',
              "backend_type": "client backend", "query_id": 5}  # fmt: skip
    event = line(json.dumps(record))
    assert (event["ogrewatch_attempt"], event["user_name"], event["source_port"]) == (1, "bob", 4711)
    assert event["timestamp"] == 1_795_503_600_123_000
    assert event["extra"]["postgresql.record"] == {"backend_type": "client backend", "query_id": 5}


@pytest.mark.parametrize("member", ["timestamp", "user", "pid", "remote_host", "message", "error_severity"])
@pytest.mark.parametrize("value", [None, {}, [1], True, 1.5, "", "x" * 5000, -1])
def test_a_member_of_another_type_does_no_harm(member: str, value: object) -> None:
    record = {"error_severity": "FATAL", "backend_type": "client backend", "message": "x", member: value}
    event = line(json.dumps(record))
    assert (event["event_dataset"], event.get("error_message")) == ("postgresql", None)


def test_what_is_told_by_its_beginning() -> None:
    assert sniff(PREFIX + "LOG:  x")
    assert sniff(CSV)
    assert sniff("2026-11-24 07:00:00 UTC FATAL:  x")
    assert sniff("< 2026-11-24 07:00:00.123 UTC >LOG:  x")
    assert not sniff("2026-11-24 07:00:00 host program: x")
    assert not sniff("2026-11-24T07:00:00.123Z 12 [Note] x")


@pytest.mark.parametrize("message", ["", "x", PREFIX, "LOG: one blank", PREFIX + "FOO:  x", "lower log:  x"])
def test_what_has_no_severity_is_not_understood(message: str) -> None:
    event = event_of("postgres", message)
    assert event["event_dataset"] == "syslog.unparsed"
    assert "extra" not in event
