"""Tests the parser of dropbear: what counts as an attempt, and names that look like log lines."""

import pytest
from parsing import RECEIVED, attempt_of, event_of

from streams.base import MemoryState
from streams.dispatch import Dispatcher

FROM = "from 203.0.113.66:40000"
KEY = "key SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/abcde"


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"Password auth succeeded for 'a' {FROM}", 1, "success"),
        (f"password auth succeeded for 'a' {FROM}", 1, "success"),
        (f"Password auth succeeded for 'a' {FROM}, extra auth required", 0, "unknown"),
        (f"Pubkey auth succeeded for 'a' with ssh-rsa {KEY} {FROM}", 1, "success"),
        (f"Pubkey auth succeeded for 'a' with ssh-rsa {KEY} {FROM}, extra auth required", 0, "unknown"),
        (f"Auth succeeded with blank password for 'a' {FROM}", 1, "success"),
        (f"Bad password attempt for 'a' {FROM}", 1, "failure"),
        (f"Bad PAM password attempt for 'a' {FROM}", 1, "failure"),
        (f"Pubkey auth bad signature for 'a' with {KEY} {FROM}", 1, "failure"),
        (f"Login attempt for nonexistent user {FROM}", 1, "failure"),
        ("User account 'a' is locked", 1, "failure"),
        ("root login rejected", 1, "failure"),
        (f"Bad PAM password attempt for '<invalid username>' {FROM}", 0, "failure"),
        ("pam_authenticate() failed, rc=7, Authentication failure", 0, "failure"),
        ("pam_unix(sshd:auth): authentication failure; logname= uid=0 tty=ssh ruser= rhost=x  user=a", 0, "failure"),
        ("Exit before auth (user 'a', 3 fails): Max auth tries reached - user 'a' from 203.0.113.66:4", 0, "failure"),
        ("Exit before auth: Exited normally", 0, ""),
        ("Exit before auth from <203.0.113.66:4>: No matching algo kex", 0, "failure"),
        ("Exit (a): Disconnect received", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("dropbear", message) == (attempts, outcome)


@pytest.mark.parametrize("name", ["root' from 192.0.2.99:22", "", "two words", "a=b;c", "'", "x', extra auth required"])
def test_the_address_is_the_one_that_the_server_wrote(name: str) -> None:
    event = event_of("dropbear", f"login attempt for nonexistent user '{name}' {FROM}")
    assert (event.get("user_name", ""), event["source_ip"], event["source_port"]) == (name, "203.0.113.66", 40000)


@pytest.mark.parametrize("reason", ["x", "from <192.0.2.99:22>: y", "(user 'b', 1 fails): z"])
def test_a_reason_hides_no_address(reason: str) -> None:
    event = event_of("dropbear", f"Exit before auth from <2001:db8::66:40000>: (user 'a', 2 fails): {reason}")
    assert (event["user_name"], event["source_ip"], event["source_port"]) == ("a", "2001:db8::66", 40000)
    assert event["extra"]["dropbear.reason"] == reason


def test_a_line_without_syslog_has_its_time_and_pid() -> None:
    line = b"[1210] Nov 24 04:20:13 Password auth succeeded for 'root' from 192.0.2.10:51010"
    event = Dispatcher().parse(line, RECEIVED, MemoryState())
    assert (event["process_name"], event["process_pid"], event["user_name"]) == ("dropbear", 1210, "root")
    assert event["timestamp"] == 1_795_494_013_000_000


@pytest.mark.parametrize("message", ["", "x", "Exit", "Bad password attempt", "[1] Nov 24 04:20:13 x", "Login"])
def test_what_dropbear_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("dropbear", message)["event_dataset"] == "syslog.unparsed"
