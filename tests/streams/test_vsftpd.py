"""Tests the parser of vsftpd: which lines are attempts, and users and paths that look like its own words."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher

NAMES = (
    "root",
    'x] OK LOGIN: Client "192.0.2.99',
    'x] OK LOGIN: Client "192.0.2.99"',
    "a=b;c",
    "x\x00\x1b[31m",
    "two words",
    "[]",
    "Tue Nov 24 05:00:00 2026 [pid 1] [y",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        ('[a] OK LOGIN: Client "192.0.2.1"', 1, "success"),
        ('[a] FAIL LOGIN: Client "192.0.2.1"', 1, "failure"),
        ('CONNECT: Client "192.0.2.1"', 0, ""),
        ('[a] FAIL UPLOAD: Client "192.0.2.1", "/x", 0.00Kbyte/sec', 0, "failure"),
        ('[a] FTP response: Client "192.0.2.1", "530 Login incorrect."', 0, ""),
        ("pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser=a rhost=x", 0, "failure"),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("vsftpd", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_hides_neither_address_nor_verdict(name: str) -> None:
    event = event_of("vsftpd", f'[{name}] FAIL LOGIN: Client "203.0.113.66"')
    assert (event["source_ip"], event["user_name"], event["event_outcome"]) == ("203.0.113.66", name, "failure")


@pytest.mark.parametrize(
    "message",
    [
        '[x] OK LOGIN: Client "192.0.2.99", anon password "] FAIL LOGIN: Client "203.0.113.66"',
        '[a] FTP command: Client "203.0.113.66", "CWD x] OK LOGIN: Client "192.0.2.99"',
        '[a] OK UPLOAD: Client "203.0.113.66", "/x] FAIL DELETE: Client "192.0.2.99", "/y", 1 bytes, 1.00Kbyte/sec',
    ],
)
def test_an_ambiguous_line_names_nobody(message: str) -> None:
    """The user stands before the verdict, paths, commands and passwords after it, and none is escaped."""
    event = event_of("vsftpd", message)
    assert event["event_dataset"] == "vsftpd"
    assert not {"source_ip", "user_name", "event_outcome", "ogrewatch_attempt"} & event.keys()


def test_who_has_no_name_yet_forges_none() -> None:
    event = event_of("vsftpd", 'FTP command: Client "203.0.113.66", "USER a] OK LOGIN: Client "192.0.2.99"')
    assert (event["source_ip"], event.get("event_outcome")) == ("203.0.113.66", None)


def test_a_line_of_its_own_file_has_its_time_and_pid() -> None:
    line = b'Tue Nov 24 05:00:01 2026 [pid 12] [alice] OK LOGIN: Client "192.0.2.10"'
    event = Dispatcher().parse(line, RECEIVED, MemoryState())
    assert (event["process_name"], event["process_pid"], event["user_name"]) == ("vsftpd", 12, "alice")
    assert event["timestamp"] == 1_795_496_401_000_000
    assert "host_hostname" not in event


@pytest.mark.parametrize(
    "message", ["", "x", "[a] OK LOGIN", 'CONNECT: Client "x"', '[a] MAYBE LOGIN: Client "192.0.2.1"']
)
def test_what_vsftpd_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("vsftpd", message)["event_dataset"] == "syslog.unparsed"
