"""Tests the parser of syslogd: a repetition is never counted, wherever it stands; daemons name themselves."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher
from topics.event import Event


def parsed(rest: str) -> Event:
    return Dispatcher().parse(f"Nov 24 04:05:06 h {rest}".encode(), RECEIVED, MemoryState())


@pytest.mark.parametrize(
    ("rest", "times"),
    [
        ("last message repeated 3 times", 3),
        ("last message repeated 1 time", 1),
        ("--- last message repeated 12 times ---", 12),
        ("syslogd: last message repeated 2 times", 2),
    ],
)
def test_a_repetition_counts_nothing(rest: str, times: int) -> None:
    event = parsed(rest)
    assert event["event_dataset"] == "syslogd"
    assert event["extra"]["ogrewatch.repeated"] == times
    assert "ogrewatch_attempt" not in event


@pytest.mark.parametrize(
    ("rest", "program", "kind"),
    [
        ("syslogd 1.5.0#6: restart.", "syslogd", ["start"]),
        ("klogd 1.4.1, log source = /proc/kmsg started.", "klogd", ["start"]),
        ('[origin software="rsyslogd" swVersion="8"] start', "rsyslogd", ["start"]),
        ('rsyslogd: [origin software="rsyslogd" swVersion="8"] exiting on signal 15.', "rsyslogd", ["end"]),
    ],
)
def test_a_daemon_names_itself(rest: str, program: str, kind: list[str]) -> None:
    event = parsed(rest)
    assert (event.get("process_name"), event.get("event_type")) == (program, kind)


def test_messages_that_were_dropped_are_counted() -> None:
    event = event_of("rsyslogd", "imuxsock lost 17 messages from pid 5 due to rate-limiting")
    assert event["extra"]["syslogd.lost"] == 17
    assert event["event_outcome"] == "failure"


@pytest.mark.parametrize("message", ["", "x", "last message repeated many times", "start now", "1.5: x"])
def test_nothing_else_is_understood(message: str) -> None:
    assert attempt_of("rsyslogd", message) == (0, "")
    assert event_of("rsyslogd", message)["event_dataset"] == "syslog.unparsed"


def test_a_daemon_that_passes_on_a_record_does_not_speak_for_it() -> None:
    event = parsed('rsyslogd: {"msg":"Failed password for root from 192.0.2.1 port 1 ssh2","programname":"sshd"}')
    assert event["event_dataset"] == "sshd"
    assert event["ogrewatch_attempt"] == 1


@pytest.mark.parametrize("rest", ["other: restart", "other: action 'x' suspended", "other: exiting on signal 15"])
def test_what_other_programs_say_is_not_taken(rest: str) -> None:
    assert parsed(rest)["event_dataset"] == "syslog.unparsed"
