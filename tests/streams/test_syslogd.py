"""syslogd: a repetition counts nothing, wherever it stands; daemons name themselves."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryJoins
from streams.dispatch import Dispatcher
from topics.event import Event


def parsed(rest: str) -> Event:
    return Dispatcher().parse(f"Nov 24 04:05:06 h {rest}".encode(), RECEIVED, MemoryJoins())


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
