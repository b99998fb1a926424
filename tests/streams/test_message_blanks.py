"""Tests that blanks at the ends of a message change nothing of what is read from it, however the message came."""

import json
import re

import pytest

from streams import samples
from streams.base import MemoryState
from streams.dispatch import UNPARSED, Dispatcher
from topics.event import Event

RECEIVED = samples.RECEIVED
DISPATCHER = Dispatcher()
_HEADER = re.compile(rb"(?:<[0-9]+>)?Nov 24 ([0-9:]{8}) ([\w.-]+) ([A-Za-z][\w/.-]*)(?:\[([0-9]+)\])?: +(?!\{)")
_OF_THE_HEADER = ("event_original", "timestamp", "log_syslog_priority")
LINES = sorted({line for log in samples.logs() for line in samples.lines(log) if _HEADER.match(line)})
FAILED = "Failed password for alice from 192.0.2.5 port 5022 ssh2"


def parse(line: bytes, program: str | None = None) -> Event:
    return DISPATCHER.parse(line, RECEIVED, MemoryState(), program)


def told(event: Event) -> Event:
    """What the message told, without what the header did."""
    fields = {name: value for name, value in event.get("extra", {}).items() if not name.startswith("log.syslog.")}
    return {column: value for column, value in event.items() if column not in _OF_THE_HEADER} | {"extra": fields}


def test_rsyslogs_own_template_is_read_as_rfc_3164() -> None:
    """RSYSLOG_SyslogProtocol23Format keeps the blank that RFC 3164 has after the tag: then there are two."""
    assert len(LINES) > 500
    for line in LINES:
        header = _HEADER.match(line)
        assert header
        time, host, program, pid = header.groups()
        message = line[header.end() :]
        fields = b" ".join((b"<38>1 2026-11-24T" + time + b"Z", host, program, pid or b"-", b"- -"))
        assert told(parse(fields + b"  " + message)) == told(parse(line)), line


@pytest.mark.parametrize("blanks", [(b"  ", b""), (b"", b" "), (b" \t ", b" \t")])
def test_more_blanks_around_a_message_change_nothing(blanks: tuple[bytes, bytes]) -> None:
    before, after = blanks
    for line in LINES:
        header = _HEADER.match(line)
        assert header
        padded = line[: header.end()] + before + line[header.end() :] + after
        assert told(parse(padded)) == told(parse(line)), line
        assert parse(padded)["event_original"] == padded.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("message", [FAILED, " " + FAILED, FAILED + " ", f"  {FAILED}\t \r\n"])
def test_a_message_with_a_program_beside_it(message: str) -> None:
    for event in (parse(message.encode(), "sshd"), parse(json.dumps({"program": "sshd", "msg": message}).encode())):
        assert (event["event_dataset"], event["ogrewatch_attempt"], event["source_ip"]) == ("sshd", 1, "192.0.2.5")
        assert event["message"] == FAILED


def test_a_message_that_was_repeated() -> None:
    event = parse(f"Nov 24 10:00:00 h sshd[1]:  message repeated 2 times: [  {FAILED} ]".encode())
    assert (event["event_dataset"], event["ogrewatch_attempt"]) == ("sshd", 2)


def test_a_message_of_nothing_but_blanks() -> None:
    event = parse(b"Nov 24 10:00:00 h sshd[1]:  \t ")
    assert (event["event_dataset"], event["message"]) == (UNPARSED, "")
