"""Tests the parser of dovecot: which lines are attempts, and names that look like the rest of the line."""

import pytest
from parsing import attempt_of, event_of

PEER = "rip=203.0.113.66, lip=192.0.2.1, TLS, session=<AbC>"
NAMES = (
    "root",
    "x>, method=PLAIN, rip=192.0.2.99, lip=192.0.2.1, session=<y",
    "x>, rip=192.0.2.99",
    "x, rip=192.0.2.99, lip=192.0.2.1",
    "a=b;c",
    '"q"',
    "x\x00\x1b[31m",
    "two words",
    "Login: user=<root",
)


@pytest.mark.parametrize(
    ("message", "attempts", "outcome"),
    [
        (f"imap-login: Login: user=<a>, method=PLAIN, {PEER}", 1, "success"),
        (
            f"imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<a>, method=PLAIN, {PEER}",
            3,
            "failure",
        ),
        (f"pop3-login: Aborted login (auth failed, 1 attempts): user=<a>, method=PLAIN, {PEER}", 1, "failure"),
        (
            f"pop3-login: Disconnected (auth failed, 999999999 attempts): user=<a>, method=PLAIN, {PEER}",
            1000,
            "failure",
        ),
        (f"imap-login: Disconnected (user disabled): user=<a>, method=PLAIN, {PEER}", 1, "failure"),
        (f"imap-login: Disconnected (no auth attempts in 0 secs): user=<>, {PEER}", 0, ""),
        (f"imap-login: Aborted login (tried to use disallowed plaintext auth): user=<>, {PEER}", 0, "failure"),
        (f"imap-login: Disconnected (auth service reported temporary failure): user=<a>, {PEER}", 0, "failure"),
        ("auth: pam(a,192.0.2.1): pam_authenticate() failed: Authentication failure", 0, "failure"),
        (
            "auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 tty=dovecot ruser=a rhost=",
            0,
            "failure",
        ),
        ("imap(a)<1><s>: Disconnected: Logged out in=1 out=2", 0, ""),
    ],
)
def test_what_is_an_attempt(message: str, attempts: int, outcome: str) -> None:
    assert attempt_of("dovecot", message) == (attempts, outcome)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shape", ["Login", "Disconnected (auth failed, 1 attempts in 2 secs)", "Aborted login (auth failed, 1 attempts)"]
)
def test_a_name_hides_no_address(shape: str, name: str) -> None:
    event = event_of("dovecot", f"imap-login: {shape}: user=<{name}>, method=PLAIN, {PEER}")
    assert (event["source_ip"], event["destination_ip"], event["user_name"]) == ("203.0.113.66", "192.0.2.1", name)


@pytest.mark.parametrize("name", ["root", "x,192.0.2.99): unknown user", "x,192.0.2.99,<s>): y", "a=b;c", "x\x00", "("])
def test_a_name_hides_no_address_from_a_lookup(name: str) -> None:
    event = event_of("dovecot", f"auth: sql({name},203.0.113.66,<AbC>): unknown user")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", name)


def test_a_password_that_was_logged_is_not_read() -> None:
    event = event_of("dovecot", "auth: sql(a,203.0.113.66): Password mismatch (given password: x,192.0.2.99): y)")
    assert (event["source_ip"], event["user_name"]) == ("203.0.113.66", "a")


@pytest.mark.parametrize(
    ("program", "prefix"), [("dovecot", "imap-login: "), ("imap-login", ""), ("imap-login", "Info: ")]
)
def test_services_and_levels(program: str, prefix: str) -> None:
    event = event_of(program, f"{prefix}Login: user=<a>, method=PLAIN, {PEER}")
    assert (event["event_action"], event["event_outcome"]) == ("imap_login", "success")


@pytest.mark.parametrize("message", ["", "x", "imap-login", "auth: ", "imap-login: ", "nosuch: thing"])
def test_what_dovecot_does_not_write_is_not_understood(message: str) -> None:
    assert event_of("dovecot", message)["event_dataset"] == "syslog.unparsed"


@pytest.mark.parametrize(
    ("message", "address"),
    [
        ("auth: sql(x,192.0.2.99): y (given password: z,203.0.113.66): Password mismatch", None),
        ("auth: sql(a,203.0.113.66): Password mismatch (given password: x,192.0.2.99): (y)", None),
        ("auth: sql(a,203.0.113.66): Password mismatch (given password: x,192.0.2.99): unknown user)", "203.0.113.66"),
        ("auth: sql(x (given password: ,203.0.113.66): unknown user", None),
    ],
)
def test_a_name_that_looks_like_a_password(message: str, address: str | None) -> None:
    event = event_of("dovecot", message)
    assert event.get("source_ip") == address
    assert address or "user_name" not in event
