"""Tests that the dispatcher makes exactly one event of any bytes, by the stream that knows the program."""

import pytest
from stream_checks import check_event

from streams.base import MemoryState, StateStore, Stream
from streams.dispatch import UNPARSED, Dispatcher
from streams.registry import discover
from topics.event import Event

RECEIVED = 1_795_521_600_000_000
FAILED = "Failed password for root from 192.0.2.1 port 22 ssh2"


def parse(line: str | bytes, program: str | None = None) -> Event:
    raw = line.encode() if isinstance(line, str) else line
    event = Dispatcher().parse(raw, RECEIVED, MemoryState(), program)
    check_event(event)
    return event


def test_streams_are_found_by_folder() -> None:
    assert {"sshd", "sudo", "slapd", "nginx.access"} <= {stream.name for stream in discover()}


@pytest.mark.parametrize("raw", [b"", b"\n", b"  \t ", b"\r\n", "\u2003".encode()])
def test_an_empty_line_is_an_error(raw: bytes) -> None:
    event = parse(raw)
    assert event["event_kind"] == "pipeline_error"
    assert event["error_message"] == "empty line"
    assert event["timestamp"] == RECEIVED


def test_the_end_of_the_line_is_no_part_of_it() -> None:
    assert parse(b"Nov 24 04:05:06 h x: y\r\n")["event_original"] == "Nov 24 04:05:06 h x: y"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"Nov 24 04:05:06 h x: caf\xe9", "caf\\xe9"),
        (b"Nov 24 04:05:06 h x: caf\xc3\xa9", "café"),
        (b"Nov 24 04:05:06 h x: a\x00b\x01", "a\x00b\x01"),
        (b"\xff\xfe\x00", "\\xff\\xfe\x00"),
        (b"Nov 24 04:05:06 h x: \xed\xa0\x80", "\\xed\\xa0\\x80"),
    ],
)
def test_bytes_that_are_not_text_are_kept_readable(raw: bytes, message: str) -> None:
    assert parse(raw)["message"] == message


def test_an_unknown_program_keeps_its_header() -> None:
    event = parse("<78>Nov 24 04:05:06 h gadgetd[7]: (root) CMD (x)")
    assert event["event_dataset"] == UNPARSED
    assert (event["process_name"], event["process_pid"], event["log_syslog_priority"]) == ("gadgetd", 7, 78)
    assert "event_kind" not in event


@pytest.mark.parametrize("program", ["sshd", "SSHD", "/usr/sbin/sshd", "sshd-session"])
def test_the_program_decides_the_stream(program: str) -> None:
    assert parse(FAILED, program)["event_dataset"] == "sshd"
    assert parse(f"Nov 24 04:05:06 h {program}[3]: {FAILED}")["event_dataset"] == "sshd"


def test_a_program_may_come_with_a_whole_line() -> None:
    event = parse(f"<38>Nov 24 04:05:06 h sshd[3]: {FAILED}", "sshd")
    assert (event["host_hostname"], event["process_pid"], event["event_dataset"]) == ("h", 3, "sshd")


@pytest.mark.parametrize(("given", "dataset"), [("auth", "sshd"), ("sudo", "sshd"), ("sshd", "sshd"), ("", "sshd")])
def test_what_a_header_names_comes_before_what_the_caller_does(given: str, dataset: str) -> None:
    event = parse(f"<38>Nov 24 04:05:06 h sshd[3]: {FAILED}", given)
    assert (event["process_name"], event["event_dataset"]) == ("sshd", dataset)


@pytest.mark.parametrize("line", ["Nov 24 04:05:06 h x: y", "2026-11-24 04:05:06 UTC [7] LOG:  x", "a[1]: x"])
def test_a_line_that_only_looks_headed_is_all_message(line: str) -> None:
    whole = Stream("whole", ("whole",), lambda message, event, state: message == line)
    event = Dispatcher(known=[whole]).parse(line.encode(), RECEIVED, MemoryState(), "whole")
    check_event(event)
    assert event == {
        "timestamp": RECEIVED, "message": line, "event_original": line, "process_name": "whole",
        "event_dataset": "whole",
    }  # fmt: skip


def test_logs_of_their_own_kind_are_told_before_headers() -> None:
    line = "2026-11-24 04:05:06.123 UTC [1234] LOG:  connection received: host=192.0.2.1"
    own = Stream("own", ("own",), lambda message, event, state: message == line, sniff=lambda text: "] LOG:  " in text)
    dispatcher = Dispatcher(known=[own])
    assert dispatcher.parse(line.encode(), RECEIVED, MemoryState())["event_dataset"] == "own"
    event = dispatcher.parse(b"<13>Nov 24 04:05:06 h own[1]: x [1] LOG:  x", RECEIVED, MemoryState())
    assert (event["host_hostname"], event["event_dataset"]) == ("h", UNPARSED)


@pytest.mark.parametrize("tag", ["docker/web/1a2b[12]", "0123456789ab[12]", "docker/nginx"])
def test_what_a_container_writes_is_told_by_its_beginning(tag: str) -> None:
    line = '192.0.2.1 - - [24/Nov/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x"'
    assert parse(f"<30>Nov 24 04:05:06 h {tag}: {line}")["event_dataset"] == "nginx.access"
    assert parse(f"<30>Nov 24 04:05:06 h {tag}: something else")["event_dataset"] == UNPARSED


def test_a_program_of_strange_letters_is_only_a_name() -> None:
    assert parse("x", "\udcff\x00")["process_name"] == "\\udcff\x00"


def test_lines_without_a_header_are_told_by_their_beginning() -> None:
    line = '192.0.2.1 - - [24/Nov/2026:07:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x"'
    assert parse(line)["event_dataset"] == "nginx.access"


@pytest.mark.parametrize(("times", "attempts"), [("1", 1), ("2", 2), ("17", 17), ("999999999", 10_000), ("0", 0)])
def test_a_repeated_message_counts_as_often(times: str, attempts: int) -> None:
    event = parse(f"Nov 24 04:05:06 h sshd[3]: message repeated {times} times: [ {FAILED}]")
    assert event["ogrewatch_attempt"] == attempts
    assert event["extra"]["ogrewatch.repeated"] == int(times)
    assert event["user_name"] == "root"


@pytest.mark.parametrize("text", ["message repeated x times: [ y]", "message repeated 2 times", "message repeated "])
def test_what_only_looks_repeated_is_not(text: str) -> None:
    event = parse(f"Nov 24 04:05:06 h sshd[3]: {text}")
    assert event["message"] == text.strip()
    assert "extra" not in event


def _raise(message: str, event: Event, state: StateStore) -> bool:
    event["user_name"] = "half done"
    raise LookupError("no such thing")


def test_a_parser_that_raises_makes_an_error_of_the_line() -> None:
    dispatcher = Dispatcher(known=[Stream("bad", ("bad",), _raise)])
    event = dispatcher.parse(b"<38>Nov 24 04:05:06 h bad[3]: x", RECEIVED, MemoryState())
    check_event(event)
    assert event["event_kind"] == "pipeline_error"
    assert event["error_message"] == "LookupError: no such thing"
    assert event["event_original"] == "<38>Nov 24 04:05:06 h bad[3]: x"
    assert "user_name" not in event


def _named(name: str, word: str) -> Stream:
    return Stream(name, ("kernel", "%ASA"), lambda message, event, state: message.startswith(word))


def test_streams_that_share_a_program_are_asked_in_turn() -> None:
    dispatcher = Dispatcher(known=[_named("one", "a"), _named("two", "b")])
    for message, dataset in (("a", "one"), ("b", "two"), ("c", UNPARSED)):
        event = dispatcher.parse(f"Nov 24 04:05:06 h kernel: {message}".encode(), RECEIVED, MemoryState())
        assert event["event_dataset"] == dataset


def test_cisco_tags_are_programs_up_to_the_level() -> None:
    dispatcher = Dispatcher(known=[_named("asa", "%ASA-6")])
    for host in ("fw", "fw CiscoASA[9]:", "fw :", "fw CiscoASA[9]:"):
        line = f"Nov 24 04:05:06 {host} %ASA-6-302013: Built".encode()
        dispatcher.parse(b"Nov 24 04:05:06 fw CiscoASA[9]: other", RECEIVED, MemoryState())
        assert dispatcher.parse(line, RECEIVED, MemoryState())["event_dataset"] == "asa"


def test_many_different_programs_take_bounded_memory() -> None:
    dispatcher = Dispatcher()
    for number in range(10_000):
        dispatcher.parse(f"Nov 24 04:05:06 h p{number}: x".encode(), RECEIVED, MemoryState())
    assert len(dispatcher._resolved) <= 5000


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("sudo", "alice : TTY= ; PWD= ; USER= ; COMMAND="),
        ("sudo", "a : (command continued) "),
        ("sshd", "pam_unix(sshd:session): session opened for user  by (uid=0)"),
        ("sshd", "pam_unix(sshd:auth): authentication failure; logname= rhost=  user="),
        ("sshd", "pam_unix(sshd:auth): auth could not identify password for []"),
        ("sshd", "pam_unix(sshd:chauthtok): password changed for "),
        ("sshd", "pam_access(sshd:account): access denied for user `' from `'"),
        ("sshd", "User  from 192.0.2.1 not allowed because listed in DenyUsers"),
        ("slapd", 'conn=1 op=1 PASSMOD id="" new'),
        ("slapd", 'conn=1 op=1 BIND dn="uid=,dc=x" method=128'),
        ("nginx", '192.0.2.1 -  [24/Nov/2026:07:00:00 +0100] "GET  HTTP/1.1" 200 1 "" ""'),
    ],
)
def test_what_is_empty_is_left_out(program: str, message: str) -> None:
    assert parse(f"Nov 24 04:05:06 h {program}: {message}")["event_dataset"] != UNPARSED
